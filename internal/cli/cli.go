// Package cli is what the commands of dpg and dpgbot share: parsing of flags,
// help, exit codes, and how they speak to terminals and pipes.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/term"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/typo"
)

// The exit codes, the same with every --format.
const (
	Clean    = 0 // nothing found, or warnings only
	Found    = 1 // findings
	BadUsage = 2 // the command line cannot be understood
	Broken   = 3 // the run could not finish
)

// ErrFound ends a command that did its work and found errors.
var ErrFound = errors.New("findings")

// Usage is a mistake in the command line.
type Usage struct {
	Message string
	command string // the command it was made in; "" where none was found
}

func (u Usage) Error() string { return u.Message }

// Usagef makes a Usage.
func Usagef(format string, args ...any) error { return Usage{Message: fmt.Sprintf(format, args...)} }

// IO is where a command reads and writes.
type IO struct {
	In       io.Reader
	Out      io.Writer // results; the only thing a pipe sees
	Err      io.Writer // progress, summaries, errors
	Color    bool      // whether Out takes ANSI colours
	Terminal bool      // whether a person watches Err
}

// Say writes a line for the person who runs the command. It stays one line, and
// one that drives no terminal, whatever a file or a branch is called.
func (o *IO) Say(format string, args ...any) {
	fmt.Fprintln(o.Err, diag.OneLine(fmt.Sprintf(format, args...)))
}

// hint says under a message what to do about it.
func (o *IO) hint(format string, args ...any) {
	fmt.Fprintf(o.Err, "\thint: %s\n", diag.OneLine(fmt.Sprintf(format, args...)))
}

// Next names the command that usually follows; quiet in a pipe.
func (o *IO) Next(format string, args ...any) {
	if o.Terminal {
		o.Say("next: "+format, args...)
	}
}

// A Command is one verb of a program. Setup declares its flags and returns what
// runs once they are parsed.
type Command struct {
	Name     string // may be two words, such as "import dpga"
	Args     string // how its arguments are shown, such as "[FILE...]"
	Summary  string // one line, no period
	Help     string // a paragraph or two
	Hidden   bool   // left out of the overview, for what few people need
	Examples []string
	Setup    func(*flag.FlagSet) func(ctx context.Context, o *IO, args []string) error
}

// A Program is a set of commands.
type Program struct {
	Name     string
	Summary  string
	Commands []Command
}

// Main runs the command that args name and returns the exit code.
func (p Program) Main(args []string, in io.Reader, out, err io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // whoever asks twice does not want to wait
	results := &sticky{w: out}
	o := &IO{In: in, Out: results, Err: err, Color: takesColor(out), Terminal: isTerminal(err)}
	failed := p.run(ctx, o, args)
	if results.err != nil {
		failed = fmt.Errorf("write the results: %w", results.err)
	}
	return p.exit(o, failed)
}

// A sticky writer remembers that it failed, so that a full disk is not taken for
// a clean run.
type sticky struct {
	w   io.Writer
	err error
}

func (s *sticky) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.w.Write(p)
	s.err = err
	return n, err
}

func (p Program) exit(o *IO, err error) int {
	var usage Usage
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return Clean
	case errors.Is(err, ErrFound):
		return Found
	case errors.As(err, &usage):
		o.Say("%s: %s", p.Name, usage.Message)
		if usage.command != "" {
			o.hint("%s help %s shows how it is used", p.Name, usage.command)
		} else {
			o.hint("%s help lists the commands", p.Name)
		}
		return BadUsage
	case errors.Is(err, context.Canceled):
		o.Say("%s: interrupted; what is written is whole, run it again to finish", p.Name)
		return Broken
	}
	o.Say("%s: error: %v", p.Name, err)
	return Broken
}

func (p Program) run(ctx context.Context, o *IO, args []string) error {
	if len(args) == 0 {
		p.help(o.Err)
		return Usagef("name a command")
	}
	if isHelp(args[0]) {
		return p.showHelp(o, args[1:])
	}
	switch args[0] {
	case "version", "-version", "--version":
		fmt.Fprintln(o.Out, p.Name, version())
		return nil
	}
	c, rest := p.find(args)
	if c == nil && len(args) == 2 && isHelp(args[1]) { // "license --help"
		return p.showHelp(o, args[:1])
	}
	if c == nil {
		return p.unknown(args)
	}
	flags := flag.NewFlagSet(c.Name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	run := c.Setup(flags)
	operands, err := parse(flags, rest)
	if errors.Is(err, flag.ErrHelp) {
		p.commandHelp(o.Out, c, flags)
		return nil
	}
	if err != nil {
		return Usage{fmt.Sprintf("%s: %s", c.Name, inFlags(flags, err)), c.Name}
	}
	err = run(ctx, o, operands)
	if usage := (Usage{}); errors.As(err, &usage) {
		usage.command = c.Name
		return usage
	}
	return err
}

// parse takes flags before, between and after operands; std's flag stops at the
// first operand, and people write "import dpga DIR --registry DIR".
func parse(flags *flag.FlagSet, args []string) (operands []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		rest := flags.Args()
		if parsed := len(args) - len(rest); parsed > 0 && args[parsed-1] == "--" {
			return append(operands, rest...), nil
		}
		if len(rest) == 0 {
			return operands, nil
		}
		operands = append(operands, rest[0])
		args = rest[1:]
	}
}

// inFlags says what is wrong with the flags: package flag does not know what an
// unknown one was meant to be.
func inFlags(flags *flag.FlagSet, err error) string {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return err.Error()
	}
	var known []string
	flags.VisitAll(func(f *flag.Flag) { known = append(known, f.Name) })
	says := fmt.Sprintf("there is no flag %q", "--"+name)
	if meant := typo.Near(name, known); len(meant) > 0 {
		says += fmt.Sprintf("; did you mean --%s?", strings.Join(meant, " or --"))
	}
	return says
}

// find matches the longest command name at the start of args.
func (p Program) find(args []string) (*Command, []string) {
	for n := min(2, len(args)); n > 0; n-- {
		name := strings.Join(args[:n], " ")
		for i := range p.Commands {
			if p.Commands[i].Name == name {
				return &p.Commands[i], args[n:]
			}
		}
	}
	return nil, nil
}

func (p Program) unknown(args []string) error {
	if under := p.under(args[0]).Commands; len(under) > 0 {
		if len(args) > 1 && !strings.HasPrefix(args[1], "-") {
			return noCommand(strings.Join(args[:2], " "), under)
		}
		return Usagef("%s needs one more word: %s", args[0], list(under))
	}
	return noCommand(args[0], p.listed())
}

// noCommand names what a word was likely meant to be, or all that there are.
func noCommand(word string, commands []Command) error {
	var known []string
	for _, c := range commands {
		first, _, more := strings.Cut(c.Name, " ")
		known = append(known, c.Name)
		if more {
			known = append(known, first)
		}
	}
	slices.Sort(known)
	if meant := typo.Near(word, slices.Compact(known)); len(meant) > 0 {
		return Usagef("there is no command %q; did you mean %s?", word, strings.Join(meant, " or "))
	}
	return Usagef("there is no command %q; there are %s", word, list(commands))
}

func list(commands []Command) string {
	var names []string
	for _, c := range commands {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// under is the part of the program whose commands begin with a word: "import" alone is
// the start of "import dpga".
func (p Program) under(word string) Program {
	p.Commands = slices.DeleteFunc(slices.Clone(p.Commands), func(c Command) bool { return !strings.HasPrefix(c.Name, word+" ") })
	p.Summary = fmt.Sprintf("%s %s is the start of %d commands.", p.Name, word, len(p.Commands))
	return p
}

func isHelp(arg string) bool {
	return arg == "help" || arg == "-h" || arg == "-help" || arg == "--help"
}

// listed are the commands that the overview names.
func (p Program) listed() []Command {
	return slices.DeleteFunc(slices.Clone(p.Commands), func(c Command) bool { return c.Hidden })
}

func (p Program) help(w io.Writer) {
	fmt.Fprintf(w, "%s\n\nUsage:\n\n\t%s COMMAND [FLAGS] [ARGUMENTS]\n\nCommands:\n\n", p.Summary, p.Name)
	wide := 0
	for _, c := range p.listed() {
		wide = max(wide, len(c.Name))
	}
	for _, c := range p.listed() {
		fmt.Fprintf(w, "\t%-*s  %s\n", wide, c.Name, c.Summary)
	}
	fmt.Fprintf(w, "\n%s help COMMAND tells more, %s version which program this is.\n", p.Name, p.Name)
	fmt.Fprintf(w, "Exit codes: 0 clean, 1 findings, 2 wrong usage, 3 could not finish.\n")
}

func (p Program) showHelp(o *IO, args []string) error {
	if len(args) == 0 {
		p.help(o.Out)
		return nil
	}
	c, _ := p.find(args)
	if under := p.under(args[0]); c == nil && len(args) == 1 && len(under.Commands) > 0 {
		under.help(o.Out)
		return nil
	}
	if c == nil {
		return p.unknown(args)
	}
	flags := flag.NewFlagSet(c.Name, flag.ContinueOnError)
	c.Setup(flags)
	p.commandHelp(o.Out, c, flags)
	return nil
}

func (p Program) commandHelp(w io.Writer, c *Command, flags *flag.FlagSet) {
	fmt.Fprintf(w, "%s %s: %s\n\nUsage:\n\n\t%s %s [FLAGS]", p.Name, c.Name, c.Summary, p.Name, c.Name)
	if c.Args != "" {
		fmt.Fprintf(w, " %s", c.Args)
	}
	fmt.Fprintf(w, "\n\n%s\n", strings.TrimSpace(c.Help))
	if len(c.Examples) > 0 {
		fmt.Fprintf(w, "\nExamples:\n\n")
		for _, e := range c.Examples {
			fmt.Fprintf(w, "\t%s\n", e)
		}
	}
	var rows [][2]string
	wide := 0
	flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		left := strings.TrimSpace("--" + f.Name + " " + value)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" {
			usage += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		rows, wide = append(rows, [2]string{left, usage}), max(wide, len(left))
	})
	if len(rows) > 0 {
		fmt.Fprintf(w, "\nFlags:\n\n")
		for _, r := range rows {
			fmt.Fprintf(w, "\t%-*s  %s\n", wide, r[0], r[1])
		}
	}
}

// OneOf is a flag whose value is one of a few words.
type OneOf struct {
	Value   string
	Allowed []string
}

func (f *OneOf) String() string { return f.Value }

// Set takes one of the allowed words.
func (f *OneOf) Set(s string) error {
	if !slices.Contains(f.Allowed, s) {
		return fmt.Errorf("it is not one of %s", strings.Join(f.Allowed, ", "))
	}
	f.Value = s
	return nil
}

// version tells the program that runs, as far as it knows.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return versionOf(info)
}

// versionOf is the module's version with the commit it was built from.
func versionOf(info *debug.BuildInfo) string {
	commit, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = "commit " + s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = " with changes"
		}
	}
	switch v := info.Main.Version; {
	case (v == "" || v == "(devel)") && commit == "":
		return "built from source"
	case v == "" || v == "(devel)":
		return commit + changed
	case commit != "":
		return v + " (" + commit + changed + ")"
	default:
		return v
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func takesColor(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
