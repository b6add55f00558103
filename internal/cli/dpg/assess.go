package dpg

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/assess/model"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

var assessCommand = cli.Command{
	Name:    "assess",
	Summary: "derive summaries and mappings, with their evidence",
	Help: `
Derives an assessment of every live entry, in registry/assessments: a summary where
the description is missing or long, and the framework codes that the entry's own
words support, each with the words. It needs no model and no network. What is up
to date is not touched. In a repository with the bot this is the bot's work: it
proposes the same files as a pull request.

With --model it first asks a model, at any OpenAI-compatible endpoint, about the
entries as they are committed, and joins in what of its answers the entries' own
words bear out. What does not stand is dropped and counted; where there is no
answer, the offline one stands and the file says so. Every answer is kept as it
comes and stays until the entry's words, the frameworks or the prompt change, with
or without --model: running again asks only what is left. After five failures in a
row, or a key that is not taken, nothing more is asked: the offline answers are
written all the same, and the exit code is 3. The key is read from the
environment (DPG_MODEL_KEY) or a file, never from the command line; DPG_MODEL and
DPG_MODEL_URL stand in for the flags. With a token of a forge in the environment it
does not start: what reads strangers' text must not be able to write anywhere.

--dry-run --model lists what would be asked, with an estimate: one token for every 3
bytes sent, and 1,000 for the answer. It asks nobody, so a token may be there.`,
	Examples: []string{
		"dpg assess",
		"dpg assess --dry-run",
		"dpg assess --model llama3.1 --model-url http://127.0.0.1:11434/v1",
		"DPG_MODEL_KEY=... dpg assess --model gpt-4o-mini --model-url https://api.openai.com/v1 --out answers",
		"dpg assess --model gpt-4o-mini --dry-run",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		dir := cli.RegistryFlag(flags)
		dry := flags.Bool("dry-run", false, "list what would change, and write nothing")
		jobs := cli.JobsFlag(flags)
		var m modelRun
		m.declare(flags)
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) > 0 {
				return cli.Usagef("assess takes no arguments: it works out by itself which entries changed")
			}
			m.dir, m.dry, m.jobs = *dir, *dry, *jobs
			if wanted, err := m.wanted(os.Getenv); err != nil {
				return err
			} else if wanted {
				err := m.run(ctx, o)
				var failed *model.Failure
				if errors.As(err, &failed) && m.out == "" { // the other entries' offline answers stand all the same
					return cmp.Or(runAssess(ctx, o, *dir, *dry, *jobs), err)
				}
				if err != nil || *dry || m.out != "" {
					return err
				}
			}
			return runAssess(ctx, o, *dir, *dry, *jobs)
		}
	},
}

func runAssess(ctx context.Context, o *cli.IO, dir string, dry bool, jobs int) error {
	done := o.Busy("assessing")
	defer done()
	a := assessing{dir: dir, load: registry.Options{Jobs: jobs}, unread: map[string]bool{}}
	if err := a.open(ctx); err != nil {
		return err
	}
	proposals, err := a.each(ctx, dry)
	if err != nil {
		return err
	}
	done()
	a.warn(o)
	deleted := 0
	for _, p := range proposals {
		if p.Delete {
			deleted++
		}
	}
	if dry {
		for _, p := range proposals {
			fmt.Fprintln(o.Out, diag.OneLine(path.Join(a.load.Prefix, p.Path)))
		}
		o.Say("%s: %s would be written, %d deleted", plural(a.entries, "entry", "entries"), plural(len(proposals)-deleted, "assessment", "assessments"), deleted)
		return nil
	}
	o.Say("%s: %s written, %d deleted", plural(a.entries, "entry", "entries"), plural(len(proposals)-deleted, "assessment", "assessments"), deleted)
	o.Next("dpg build --out public")
	return nil
}

// assessing is a run over a registry in a folder. It reads the entries that
// changed since the last run, some hundreds at a time.
type assessing struct {
	dir     string
	load    registry.Options
	files   registry.Files
	blobs   []registry.Blob // of entries and assessments
	entries int
	rules   string          // hash of what applies to every entry
	cache   string          // file of the memory; "" for none
	unread  map[string]bool // files with errors, which were not assessed; paths as findings have them
}

func (a *assessing) open(ctx context.Context) error {
	var err error
	if a.files, err = cli.Open(a.dir, &a.load); err != nil {
		return err
	}
	all, err := a.files.List()
	if err != nil {
		return err
	}
	var governing []registry.Blob
	own := map[string][]byte{"": thisBuild()}
	for _, b := range all {
		switch top, _, nested := strings.Cut(b.Path, "/"); {
		case !nested || top == "frameworks":
			governing = append(governing, b)
			if b.Mode.IsRegular() && strings.HasSuffix(b.Path, ".yaml") {
				if own[b.Path], err = a.files.Read(b.Path); err != nil {
					return err
				}
			}
		case top == registry.ObservationFolder: // no assessment is made from what was seen
		case strings.HasSuffix(b.Path, ".yaml"):
			a.blobs = append(a.blobs, b)
			if top != registry.AssessmentFolder {
				a.entries++
			}
		}
	}
	if a.rules, err = assess.RulesHash(own); err != nil {
		return err
	}
	// Every group of entries is judged by the same rules, read once.
	if a.load.Rules, err = registry.Load(ctx, registry.Subset(a.files, governing), a.load); err != nil {
		return err
	}
	a.note(a.load.Rules)
	if dir := cacheDir(a.dir); dir != "" {
		a.cache = filepath.Join(dir, "assessed")
	}
	return nil
}

// note remembers which files of a registry do not load as what they should be.
// An assessment that does not is made anew.
func (a *assessing) note(reg *registry.Registry) {
	for _, d := range reg.Findings {
		if d.Severity == diag.Error && !strings.HasPrefix(d.Path, path.Join(a.load.Prefix, registry.AssessmentFolder)+"/") {
			a.unread[d.Path] = true
		}
	}
}

// warn names the files that were left out.
func (a *assessing) warn(o *cli.IO) {
	const most = 10
	names := slices.Sorted(maps.Keys(a.unread))
	for _, name := range names[:min(len(names), most)] {
		o.Say("warning: %s has errors and was not used; dpg validate says which", diag.OneLine(name))
	}
	if n := len(names) - most; n > 0 {
		o.Say("warning: %s more, likewise", plural(n, "file", "files"))
	}
}

// thisBuild tells one build of this program from another: what an engine that is being
// worked on made is not up to date.
func thisBuild() []byte {
	name, err := os.Executable()
	if err != nil {
		return nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil
	}
	return fmt.Appendf(nil, "%d %d", info.Size(), info.ModTime().UnixNano())
}

// each works out what should change, and unless dry, changes it.
func (a *assessing) each(ctx context.Context, dry bool) ([]assess.Proposal, error) {
	var all []assess.Proposal
	for _, group := range a.memory().Stale(a.rules, a.blobs) {
		reg, err := registry.Load(ctx, registry.Subset(a.files, group), a.load)
		if err != nil {
			return nil, err
		}
		a.note(reg)
		proposals, err := assess.Plan(ctx, reg)
		if err != nil {
			return nil, err
		}
		if !dry {
			if err := a.write(ctx, proposals); err != nil {
				return nil, err
			}
		}
		for i := range proposals {
			proposals[i].Old, proposals[i].New, proposals[i].Data = nil, nil, nil // written, and large
		}
		all = append(all, proposals...)
	}
	slices.SortFunc(all, func(x, y assess.Proposal) int { return strings.Compare(x.Path, y.Path) })
	if !dry && a.cache != "" {
		a.remember(all)
	}
	return all, nil
}

func (a *assessing) write(ctx context.Context, proposals []assess.Proposal) error {
	if len(proposals) == 0 {
		return nil
	}
	folder, err := disk.Open(filepath.Join(a.dir, registry.AssessmentFolder))
	if err != nil {
		return err
	}
	defer folder.Close()
	for _, p := range proposals {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := strings.TrimPrefix(p.Path, registry.AssessmentFolder+"/")
		if p.Delete {
			err = folder.Remove(name)
		} else {
			_, err = folder.Write(name, p.Data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxMemory bounds what is read of an earlier run's notes: an entry has some 120 bytes
// there, so these are two million entries.
const maxMemory = 1 << 28

// memory is what the last run noted; one that cannot be read is none.
func (a *assessing) memory() *assess.Memory {
	if a.cache == "" {
		return &assess.Memory{}
	}
	data, info, err := disk.ReadKept(a.cache, maxMemory)
	if err != nil {
		return &assess.Memory{}
	}
	return assess.ParseMemory(data, info.ModTime())
}

// remember notes how the files stand now. Where that fails, the next run is slower
// and nothing else.
func (a *assessing) remember(changed []assess.Proposal) {
	now := make(map[string]registry.Blob, len(a.blobs))
	for _, b := range a.blobs {
		now[b.Path] = b
	}
	for _, p := range changed {
		delete(now, p.Path)
		if info, err := os.Lstat(filepath.Join(a.dir, filepath.FromSlash(p.Path))); err == nil && !p.Delete {
			now[p.Path] = registry.Blob{Path: p.Path, Size: info.Size(), ModTime: info.ModTime()}
		}
	}
	for name := range a.unread { // so that it is said again
		delete(now, strings.TrimPrefix(name, a.load.Prefix+"/"))
	}
	_, _ = disk.WriteFile(a.cache, assess.Remember(a.rules, slices.Collect(maps.Values(now))).Encode())
}
