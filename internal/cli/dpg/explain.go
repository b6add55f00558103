package dpg

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/lint"
)

var explainCommand = cli.Command{
	Name:    "explain",
	Args:    "[RULE]",
	Summary: "say what a rule wants, and why",
	Help:    `Prints a rule's severity and its reason. Without a rule it lists all of them.`,
	Examples: []string{
		"dpg explain",
		"dpg explain license-id",
	},
	Setup: func(*flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		return func(_ context.Context, o *cli.IO, args []string) error {
			if len(args) > 1 {
				return cli.Usagef("explain takes one rule")
			}
			var names []string
			for _, r := range everyRule() {
				names = append(names, r.ID)
				switch {
				case len(args) == 0:
					fmt.Fprintf(o.Out, "%-20s %-8s %s\n", r.ID, r.Severity, r.Summary)
				case args[0] == r.ID:
					fmt.Fprintf(o.Out, "%s (%s): %s\n\n%s\n", r.ID, r.Severity, r.Summary, strings.TrimSpace(r.Doc))
					return nil
				}
			}
			if len(args) == 1 {
				if meant := lint.Suggest(args[0]); len(meant) > 0 {
					return cli.Usagef("there is no rule %q; did you mean %s?", args[0], strings.Join(meant, " or "))
				}
				return cli.Usagef("there is no rule %q; there are %s", args[0], strings.Join(names, ", "))
			}
			return nil
		}
	},
}

// everyRule is the rules and what is found otherwise, sorted by id.
func everyRule() []*lint.Rule {
	all := slices.Concat(lint.Rules, lint.Others)
	slices.SortFunc(all, func(a, b *lint.Rule) int { return cmp.Compare(a.ID, b.ID) })
	return all
}
