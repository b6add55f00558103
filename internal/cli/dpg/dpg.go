// Package dpg is the commands of the program dpg.
package dpg

import (
	"fmt"
	"io"

	"github.com/dpg-registry/dpg-registry/internal/cli"
)

var program = cli.Program{
	Name:    "dpg",
	Summary: "dpg checks, maps and publishes a registry of digital public goods.",
	Commands: []cli.Command{
		newDPGCommand,
		newResourceCommand,
		validateCommand,
		fmtCommand,
		explainCommand,
		importCommand,
		importCSVCommand,
		importPubliccodeCommand,
		importDPGAAPICommand,
		importCatalogCommand,
		assessCommand,
		mapCommand,
		buildCommand,
		serveCommand,
		verifyCommand,
		diffCommand,
		compatCommand,
		initCommand,
		licenseDetectCommand,
		licenseParseCommand,
		licenseFixCommand,
		licenseCheckCommand,
		licenseSBOMCommand,
		exportDCATCommand,
		exportPubliccodeCommand,
		exportSPDXCommand,
		exportSQLiteCommand,
	},
}

// Main runs dpg and returns its exit code.
func Main(args []string, in io.Reader, out, err io.Writer) int {
	return program.Main(args, in, out, err)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
