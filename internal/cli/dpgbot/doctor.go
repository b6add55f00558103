package dpgbot

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/bot"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/forge/github"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

var doctorCommand = cli.Command{
	Name:    "doctor",
	Summary: "check what a person has to set up for the bot, and say where",
	Help: `
Checks the registry's folder, the workflows and, at GitHub, what is set by clicking:
whether workflows may open pull requests, where Pages come from, whether the default
branch requires the bot's check, the labels, and what the token may do. To find that
out it asks for things that cannot be, such as a check of a commit that is not there:
nothing is written. With --fix it makes the labels that are missing.

Each line of standard output begins with ok, warn, fail or skip; the line under it
says what to do. Exits 1 if anything fails.
` + environment,
	Examples: []string{
		"dpgbot doctor --forge github:OWNER/REPO",
		"dpgbot doctor --forge github:OWNER/REPO --fix",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		var b botFlags
		b.declare(flags)
		fix := flags.Bool("fix", false, "make the labels that are missing")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) > 0 {
				return cli.Usagef("doctor takes no arguments")
			}
			bt, err := b.open(ctx, o)
			if err != nil {
				return err
			}
			return doctor(ctx, o, bt, b.forge, *fix)
		}
	},
}

// A symptom is one thing that the doctor looked at.
type symptom struct {
	state string // "ok", "warn", "fail" or "skip"
	what  string
	do    string // "" where there is nothing to do
}

// labels are those that the bot puts on pull requests, with a colour and what they
// mean. Where one is missing, GitHub makes it grey and silent.
var labels = []struct{ name, color, means string }{
	{"dpg: good", "0e8a16", "The bot found nothing to mend"},
	{"dpg: needs a person", "fbca04", "Something that a person has to decide"},
	{"dpg: needs changes", "d93f0b", "The bot found something to mend"},
	{"dpg: silent", "cccccc", "The bot sets its check and says nothing"},
	{"next: bot", "c5def5", "The bot's turn"},
	{"next: maintainer", "c5def5", "A maintainer's turn"},
	{"next: you", "c5def5", "The turn of whoever proposed it"},
}

func doctor(ctx context.Context, o *cli.IO, b *bot.Bot, name string, fix bool) error {
	main, head, err := headOf(ctx, b.Forge)
	if err != nil {
		return err
	}
	found := []symptom{{"ok", fmt.Sprintf("branch %q is at commit %.7s", main, head.Hash), ""}}
	sick, err := examineRegistry(ctx, b, head)
	if err != nil {
		return err
	}
	found = append(found, sick)
	workflows, runs, err := examineWorkflows(head)
	if err != nil {
		return err
	}
	found = append(found, workflows...)
	if gh, ok := b.Forge.(*github.Forge); ok {
		setup, err := gh.Setup(ctx)
		if err != nil {
			return err
		}
		if fix {
			for _, l := range labels {
				if !hasLabel(setup.Labels, l.name) {
					if err := gh.MakeLabel(ctx, l.name, l.color, l.means); err != nil {
						return err
					}
					o.Say("made label %q", l.name)
					setup.Labels = append(setup.Labels, l.name)
				}
			}
		}
		found = append(found, examineSetup(setup, runs["sync"] != "")...)
	} else {
		found = append(found, symptom{"skip", "what is set at GitHub: this forge is a folder", ""})
	}

	count := map[string]int{}
	for _, s := range found {
		count[s.state]++
		fmt.Fprintf(o.Out, "%-4s  %s\n", s.state, diag.OneLine(s.what))
		if s.do != "" {
			fmt.Fprintf(o.Out, "      do: %s\n", diag.OneLine(s.do))
		}
	}
	o.Say("%s: %d ok, %d to look at, %d to mend", name, count["ok"], count["warn"], count["fail"])
	if count["fail"] > 0 {
		return cli.ErrFound
	}
	return nil
}

func headOf(ctx context.Context, f forge.Forge) (main string, head *object.Commit, err error) {
	if main, err = f.DefaultBranch(ctx); err != nil {
		return "", nil, err
	}
	sha, ok, err := f.Head(ctx, main)
	if err != nil {
		return "", nil, err
	}
	if !ok {
		return "", nil, fmt.Errorf("branch %q has no commit yet; push the registry to it first", main)
	}
	g, err := f.Git(ctx)
	if err != nil {
		return "", nil, err
	}
	head, err = g.CommitObject(plumbing.NewHash(sha))
	return main, head, err
}

// examineRegistry validates the registry as it stands on the default branch.
func examineRegistry(ctx context.Context, b *bot.Bot, head *object.Commit) (symptom, error) {
	tree, err := head.Tree()
	if err != nil {
		return symptom{}, err
	}
	if b.Folder != "." {
		sub, err := tree.Tree(b.Folder)
		if errors.Is(err, object.ErrDirectoryNotFound) {
			return symptom{"fail", fmt.Sprintf("there is no registry folder %q", b.Folder),
				"make it with one entry in it, or name the folder with --registry"}, nil
		}
		if err != nil {
			return symptom{}, err
		}
		tree = sub
	}
	reg, err := registry.Load(ctx, registry.FromTree(tree), registry.Options{Prefix: b.Folder})
	if err != nil {
		return symptom{}, err
	}
	findings, err := lint.Run(ctx, reg, lint.Options{AsOf: b.AsOf})
	if err != nil {
		return symptom{}, err
	}
	n := diag.Tally(findings)
	what := fmt.Sprintf("registry folder %q: %d entries, %s", b.Folder, len(reg.Docs), n)
	if n.Errors > 0 {
		return symptom{"fail", what, "dpg validate lists them; nothing is published while files do not load"}, nil
	}
	return symptom{"ok", what, ""}, nil
}

// A workflow is what the doctor reads of a file in .github/workflows.
type workflow struct {
	Jobs map[string]struct {
		Uses  string `yaml:"uses"`
		Steps []struct {
			Uses string            `yaml:"uses"`
			Run  string            `yaml:"run"`
			With map[string]string `yaml:"with"`
		} `yaml:"steps"`
	} `yaml:"jobs"`
}

const (
	maxWorkflows = 200
	maxWorkflow  = 512 << 10 // bytes
)

// pinned is what cannot be changed behind one's back: a commit, an image by its
// digest, or a folder of the repository itself.
var pinned = regexp.MustCompile(`^(\./.*|docker://.*@sha256:[0-9a-f]{64}|[^@]+@[0-9a-f]{40})$`)

// examineWorkflows looks for ones that run the bot, and for actions that are not
// pinned to a commit. runs has the file that runs a command.
func examineWorkflows(head *object.Commit) (found []symptom, runs map[string]string, err error) {
	tree, err := head.Tree()
	if err != nil {
		return nil, nil, err
	}
	const folder = ".github/workflows"
	sub, err := tree.Tree(folder)
	if errors.Is(err, object.ErrDirectoryNotFound) {
		sub = &object.Tree{}
	} else if err != nil {
		return nil, nil, err
	}
	var loose []string
	runs = map[string]string{}
	read := 0
	for _, e := range sub.Entries {
		if ext := path.Ext(e.Name); !e.Mode.IsFile() || ext != ".yml" && ext != ".yaml" {
			continue
		}
		if read++; read > maxWorkflows {
			found = append(found, symptom{"warn", fmt.Sprintf("there are more than %d workflows; the others are not read", maxWorkflows), ""})
			break
		}
		w, err := readWorkflow(sub, e.Name)
		if err != nil {
			found = append(found, symptom{"warn", fmt.Sprintf("%s/%s cannot be read: %v", folder, e.Name, err), "mend it, so that GitHub can read it"})
			continue
		}
		for _, job := range w.Jobs {
			uses := []string{job.Uses}
			for _, step := range job.Steps {
				uses = append(uses, step.Uses)
				for _, command := range []string{"review", "sync"} {
					if step.Uses != "" && step.With["command"] == command || strings.Contains(step.Run, "dpgbot "+command) {
						runs[command] = e.Name
					}
				}
			}
			for _, u := range uses {
				if u != "" && !pinned.MatchString(u) {
					loose = append(loose, fmt.Sprintf("%q in %s", u, e.Name))
				}
			}
		}
	}
	for _, command := range []string{"review", "sync"} {
		if file := runs[command]; file != "" {
			found = append(found, symptom{"ok", fmt.Sprintf("a workflow runs dpgbot %s: %s", command, file), ""})
		} else {
			found = append(found, symptom{"warn", fmt.Sprintf("no workflow in %s runs dpgbot %s", folder, command),
				"add one, or run dpgbot watch somewhere"})
		}
	}
	if slices.Sort(loose); len(loose) > 0 {
		loose = slices.Compact(loose)
		found = append(found, symptom{"warn", fmt.Sprintf("actions that are not pinned to a commit: %s", strings.Join(loose[:min(len(loose), 10)], ", ")),
			"name each by the 40 digits of a commit; who moves a tag can run what they like with the bot's token"})
	} else if read > 0 {
		found = append(found, symptom{"ok", "every action is pinned to a commit", ""})
	}
	return found, runs, nil
}

func readWorkflow(tree *object.Tree, name string) (*workflow, error) {
	f, err := tree.File(name)
	if err != nil {
		return nil, err
	}
	if f.Size > maxWorkflow {
		return nil, fmt.Errorf("it has more than %d bytes", maxWorkflow)
	}
	r, err := f.Reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	w := new(workflow)
	return w, yaml.Unmarshal(data, w)
}

func hasLabel(have []string, name string) bool {
	return slices.ContainsFunc(have, func(l string) bool { return strings.EqualFold(l, name) })
}

// examineSetup judges what GitHub told. workflows says that the bot opens its pull
// requests from one.
func examineSetup(s *github.Setup, workflows bool) []symptom {
	var found []symptom
	say := func(state, what, do string) { found = append(found, symptom{state, what, do}) }
	if s.Archived {
		say("fail", "the repository is archived, so nothing can be changed in it", "unarchive it under Settings, General")
	}
	may := map[string]github.Answer{}
	for _, m := range s.May {
		may[m.Permission] = m.Answer
	}
	for _, m := range s.May {
		other := map[string]string{"checks: write": "statuses: write", "statuses: write": "checks: write"}[m.Permission]
		what := fmt.Sprintf("the token may do %q, for %s", m.Permission, m.For)
		switch {
		case m.Answer == github.Yes:
			say("ok", what, "")
		case m.Answer == github.Unknown:
			say("skip", fmt.Sprintf("whether %s: %s", what, m.Why), "")
		case may[other] == github.Yes: // one of the two will do
			say("ok", fmt.Sprintf("the token may not do %q; %q serves in its place", m.Permission, other), "")
		default:
			say("fail", fmt.Sprintf("the token may not do %q, for %s: %s", m.Permission, m.For, m.Why),
				"in a workflow add it under \"permissions:\"; a token of your own gets it where it was made, an app under its permissions")
		}
	}

	switch s.MayOpenPulls {
	case github.Yes:
		say("ok", "workflows may open pull requests", "")
	case github.No:
		state := "warn" // a watcher with a token of its own does without
		if workflows {
			state = "fail"
		}
		say(state, "workflows may not open pull requests", `tick "Allow GitHub Actions to create and approve pull requests" under Settings, Actions, General`)
	default:
		say("skip", "whether workflows may open pull requests: the token may not ask", `look whether "Allow GitHub Actions to create and approve pull requests" is ticked under Settings, Actions, General`)
	}
	switch {
	case s.Pages == github.Yes && s.PagesFrom == "workflow":
		say("ok", fmt.Sprintf("Pages come from a workflow: %s", s.PagesURL), "")
	case s.Pages == github.Yes:
		say("warn", fmt.Sprintf("Pages come from branch %q, so what a workflow publishes does not show", s.PagesFrom), `choose "GitHub Actions" as the source under Settings, Pages`)
	case s.Pages == github.No:
		say("warn", "Pages are off, so the catalog is not published there", `choose "GitHub Actions" as the source under Settings, Pages, unless it is published elsewhere`)
	default:
		say("skip", "where Pages come from: the token may not ask", `the source under Settings, Pages, should be "GitHub Actions"`)
	}
	require := fmt.Sprintf("under Settings, Rules, Rulesets, make one for the default branch that requires the check %q; or require it under Settings, Branches", bot.CheckName)
	switch {
	case slices.Contains(s.Required, bot.CheckName):
		say("ok", fmt.Sprintf("nothing is merged without the check %q", bot.CheckName), "")
	case s.Protected == github.Unknown && s.Ruled == github.Unknown:
		say("skip", "whether the default branch requires the bot's check: the token may not ask", require)
	case s.Protected == github.Unknown:
		say("skip", fmt.Sprintf("whether the default branch requires the check %q: no ruleset does, and the token may not ask for branch protection", bot.CheckName), require)
	case s.Ruled == github.Unknown:
		say("skip", fmt.Sprintf("whether the default branch requires the check %q: branch protection does not, and the token may not ask for rulesets", bot.CheckName), require)
	case s.Protected == github.Yes || s.Ruled == github.Yes:
		say("warn", fmt.Sprintf("the default branch is protected, but does not require the check %q", bot.CheckName), require)
	default:
		say("warn", "the default branch is not protected: what the bot refuses can be merged all the same", require)
	}
	var missing []string
	for _, l := range labels {
		if !hasLabel(s.Labels, l.name) {
			missing = append(missing, fmt.Sprintf("%q", l.name))
		}
	}
	if len(missing) == 0 {
		say("ok", "the bot's labels are there", "")
	} else {
		say("warn", "labels that are missing: "+strings.Join(missing, ", "), "dpgbot doctor --fix makes them")
	}
	return found
}
