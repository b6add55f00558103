// Command licenses measures what this project makes of licences against real
// input, and prints Markdown tables.
//
//	go run ./internal/bench/licenses
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	shared := flag.String("shared", "../shared", "the `DIR` of real data")
	flag.Parse()
	if err := errors.Join(repairTable(os.Stdout, *shared), stringsTable(os.Stdout, *shared)); err != nil {
		fmt.Fprintln(os.Stderr, "licenses:", err)
		os.Exit(3)
	}
}
