// Command peer reads the files named on its standard input, one a line, and says
// of each which licence go-license-detector finds and how long it took without
// reading the file, in nanoseconds.
package main

import (
	"bufio"
	"fmt"
	"os"
	"time"

	"github.com/go-enry/go-license-detector/v4/licensedb"
)

func main() {
	licensedb.InvestigateLicenseText([]byte("MIT License")) // builds its index
	in := bufio.NewScanner(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		text, err := os.ReadFile(in.Text())
		if err != nil {
			fmt.Fprintln(os.Stderr, "peer:", err)
			os.Exit(1)
		}
		began := time.Now()
		found := licensedb.InvestigateLicenseText(text)
		took := time.Since(began)
		best, most := "-", float32(0)
		for id, confidence := range found {
			if confidence > most || confidence == most && id < best {
				best, most = id, confidence
			}
		}
		fmt.Fprintf(out, "%s\t%d\n", best, took.Nanoseconds())
	}
}
