package dpg

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"golang.org/x/term"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/propose"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

const newHelp = `
Writes a new entry with the answers that its flags give. On a terminal it asks for
the rest; elsewhere what is needed has to be given. It never writes over a file. It
prints the path of the new file, and what the rules say of it; it exits with 1 where
they find errors, and keeps the file to be mended.

--from-url asks the place where the source is kept for its publiccode.yml, and GitHub
for its record; --publiccode reads a file that is here. Flags go before both.`

var newDPGCommand = cli.Command{
	Name:    "new dpg",
	Summary: "write the entry of a new digital public good",
	Help:    newHelp,
	Examples: []string{
		`dpg new dpg --name "Open Map" --type software,data --license ODbL-1.0`,
		"dpg new dpg --type software --from-url https://github.com/owner/project",
		"dpg new dpg",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		n := newEntry{form: "dpg", flags: map[string]*string{}}
		n.declare(flags, map[string][2]string{
			"name": {"name", "what it is called, as `TEXT`"}, "description": {"description", "what it is, and whom it serves, as `TEXT`"},
			"types": {"type", "its `TYPES`, such as software,data"}, "website": {"website", "its `URL`"}, "repositories": {"repository", "the `URL` of its source; may be repeated"},
			"license": {"license", "its SPDX `EXPRESSION`, such as Apache-2.0"}, "license-url": {"license-url", "the `URL` where the licence can be read"},
			"sdgs": {"sdg", "a goal as `TEXT`, such as \"3: Nurses use it.\"; may be repeated"}, "owner": {"owner", "the `ORGANISATION` that owns it"},
			"id": {"id", "the entry's `ID` (default made of the name)"},
		})
		flags.StringVar(&n.from, "from-url", "", "fill in what the project says of itself at the `URL` of its repository")
		flags.StringVar(&n.publiccode, "publiccode", "", "fill in what a publiccode.yml says, from `FILE`")
		return n.run
	},
}

var newResourceCommand = cli.Command{
	Name:     "new resource",
	Summary:  "write the entry of a new resource, such as a guide",
	Help:     strings.SplitN(newHelp, "\n\n", 2)[0],
	Examples: []string{`dpg new resource --name "Buying open software" --url https://example.org/guide --format guide`, "dpg new resource"},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		n := newEntry{form: "resource", flags: map[string]*string{}}
		n.declare(flags, map[string][2]string{
			"name": {"name", "its title, as `TEXT`"}, "description": {"description", "what it is, and whom it serves, as `TEXT`"}, "url": {"url", "the `URL` where it is read"},
			"format": {"format", "its `FORMAT`, such as guide"}, "published": {"published", "when, as `DATE`: a year, a month or a day"},
			"license": {"license", "its SPDX `EXPRESSION`, such as CC-BY-4.0"}, "owner": {"publisher", "the `ORGANISATION` that published it"},
			"id": {"id", "the entry's `ID` (default made of the title)"},
		})
		return n.run
	},
}

type newEntry struct {
	form, dir, from, publiccode string
	flags                       map[string]*string // by the id of the form's field
	names                       map[string]string  // of the flags, likewise
}

// A lines flag may be repeated: each use is a line.
type lines struct{ text *string }

func (l lines) String() string { return "" }

func (l lines) Set(s string) error {
	if strings.ContainsAny(s, "\r\n") {
		return errors.New("it has more than one line")
	}
	*l.text += s + "\n"
	return nil
}

func (n *newEntry) declare(flags *flag.FlagSet, of map[string][2]string) {
	n.names = map[string]string{}
	flags.StringVar(&n.dir, "registry", "registry", "the registry's `DIR`")
	for id, f := range of {
		value := new(string)
		n.flags[id], n.names[id] = value, f[0]
		if id == "repositories" || id == "sdgs" {
			flags.Var(lines{value}, f[0], f[1])
		} else {
			flags.StringVar(value, f[0], "", f[1])
		}
	}
}

func (n *newEntry) run(ctx context.Context, o *cli.IO, args []string) error {
	if len(args) > 0 {
		return cli.Usagef("new %s takes no arguments, only flags", n.form)
	}
	if n.from != "" && n.publiccode != "" {
		return cli.Usagef("--from-url and --publiccode exclude each other")
	}
	opt := registry.Options{}
	files, err := cli.Open(n.dir, &opt)
	if err != nil {
		return err
	}
	facts, err := n.facts(ctx, o)
	if err != nil {
		return err
	}
	e, err := n.entry(o, facts)
	if err != nil {
		return err
	}
	reg, err := registry.Load(ctx, files, opt)
	if err != nil {
		return err
	}
	ref := entry.Ref{Kind: n.form, ID: e.ID}
	if d := reg.Place(ref); d != nil {
		return cli.Usagef("%q is taken by %s; give another with --id", e.ID, d.Path)
	}
	name, data, err := propose.File(e)
	if err != nil {
		return err
	}
	if err := n.write(name, data); err != nil {
		return err
	}
	full := path.Join(opt.Prefix, name)
	fmt.Fprintln(o.Out, diag.OneLine(full))
	_, found, err := lint.Check(ctx, files, opt, lint.Options{AsOf: cli.Today(), NoEdits: true, Only: func(p string) bool { return p == full }})
	if err != nil {
		return err
	}
	if err := diag.WriteText(o.Err, found, false); err != nil {
		return err
	}
	if n := diag.Tally(found).Errors; n > 0 {
		o.Say("%s is written, with %s to mend; then run dpg validate %s", full, plural(n, "error", "errors"), full)
		return cli.ErrFound
	}
	o.Next("edit %s, then dpg validate %s", full, full)
	return nil
}

// write makes a file that must not be there.
func (n *newEntry) write(name string, data []byte) (err error) {
	folder, err := disk.Open(n.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	if _, err := os.Lstat(path.Join(n.dir, name)); err == nil {
		return cli.Usagef("%q is there already, and is not written over; give another id with --id", path.Join(n.dir, name))
	}
	_, err = folder.Write(name, data)
	return err
}

// facts are what the project says of itself, where it was asked.
func (n *newEntry) facts(ctx context.Context, o *cli.IO) (propose.Facts, error) {
	switch {
	case n.from != "":
		done := o.Busy("asking " + n.from)
		defer done()
		facts, err := propose.Asker{}.Facts(ctx, n.from)
		said := facts
		said.Repository = "" // that is only what was given
		switch {
		case err != nil && said == (propose.Facts{}):
			return facts, fmt.Errorf("--from-url: %s: %w", n.from, err)
		case err != nil:
			o.Say("--from-url: not all that the project says of itself was found: %v", err)
		case said == (propose.Facts{}):
			o.Say("--from-url: nothing that can be used was found at %s: no publiccode.yml, and no record of a project", n.from)
		}
		return facts, nil
	case n.publiccode != "":
		f, err := openNamed(n.publiccode)
		if err != nil {
			return propose.Facts{}, cli.Usagef("--publiccode %q: %v", n.publiccode, err)
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, 2<<20)) // more than Publiccode takes
		if err != nil {
			return propose.Facts{}, err
		}
		facts, err := propose.Publiccode(data)
		if err != nil {
			return facts, cli.Usagef("--publiccode %q: %v", n.publiccode, err)
		}
		return facts, nil
	}
	return propose.Facts{}, nil
}

// entry makes the entry of flags, then facts, then what a person at a terminal
// answers.
func (n *newEntry) entry(o *cli.IO, facts propose.Facts) (*entry.Entry, error) {
	form, ok := propose.FormNamed(n.form)
	if !ok {
		return nil, fmt.Errorf("there is no form %q", n.form)
	}
	answers := map[string]string{}
	for id, value := range n.flags {
		answers[id] = *value
	}
	if n.form == "dpg" {
		for id, fact := range map[string]string{"name": facts.Name, "description": facts.Description, "website": facts.Website, "repositories": facts.Repository, "license": facts.License} {
			if strings.TrimSpace(answers[id]) == "" {
				answers[id] = fact
			}
		}
	}
	if in, ok := o.In.(*os.File); ok && o.Terminal && term.IsTerminal(int(in.Fd())) {
		if err := n.prompt(o, form, answers); err != nil {
			return nil, err
		}
	}
	sheet, problems := propose.Answer(form, answers)
	var e *entry.Entry
	if len(problems) == 0 {
		e, problems = sheet.Entry()
	}
	if len(problems) == 0 {
		return e, nil
	}
	var all []string
	for _, p := range problems {
		all = append(all, "--"+n.names[p.ID]+": "+p.Message)
	}
	return nil, cli.Usagef("%s", strings.Join(all, "; "))
}

// prompt asks for what is not answered.
func (n *newEntry) prompt(o *cli.IO, form propose.Form, answers map[string]string) error {
	in := bufio.NewReader(o.In)
	for _, f := range form.Fields {
		if f.ID == "id" || strings.TrimSpace(answers[f.ID]) != "" {
			continue
		}
		for {
			fmt.Fprintf(o.Err, "%s%s: ", f.Label, asks(f))
			text, err := in.ReadString('\n')
			if err != nil {
				return cli.Usagef("the answers ended at %q; nothing was written", f.Label)
			}
			value, problem := f.Check(text)
			if problem == "" {
				answers[f.ID] = value
				break
			}
			o.Say("%s", problem)
		}
	}
	return nil
}

// asks says how a question is answered.
func asks(f propose.Field) string {
	switch {
	case f.Multiple:
		return " (" + strings.Join(f.Options, ", ") + "; several with commas)"
	case f.Options != nil:
		return " (" + strings.Join(f.Options, ", ") + ")"
	case !f.Required:
		return " (empty for none)"
	}
	return ""
}
