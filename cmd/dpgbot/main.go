// Command dpgbot watches a registry's repository: it reviews pull requests,
// proposes changes as pull requests and publishes the catalog. It is the only
// program that may hold a forge token, and it never calls a model.
package main

import (
	"os"

	"github.com/dpg-registry/dpg-registry/internal/cli/dpgbot"
)

func main() { os.Exit(dpgbot.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
