// Command words measures what this project makes of the words that people wrote for licences, against real
// input, and prints Markdown tables.
//
//	go run ./internal/bench/licenses/words
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
		fmt.Fprintln(os.Stderr, "words:", err)
		os.Exit(3)
	}
}
