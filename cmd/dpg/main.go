// Command dpg checks, maps and publishes a registry of digital public goods. It
// reads files and writes files; it never holds a token that can write elsewhere.
package main

import (
	"os"

	"github.com/dpg-registry/dpg-registry/internal/cli/dpg"
)

func main() { os.Exit(dpg.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
