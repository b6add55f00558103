package dpg

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/assess/model"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// modelRun asks a model about the entries of a registry.
type modelRun struct {
	dir  string
	dry  bool
	jobs int

	name, url, keyFile, rev, out string
	entries                      entryIDs
	maxRequests, maxTokens       count
	timeOut                      time.Duration
	key                          string

	reg   *registry.Registry
	asker *assess.Asker
	todo  []model.Job
	docs  map[entry.Ref]*registry.Doc
	have  map[entry.Ref]*assess.Answer // what stands of earlier answers
}

const defaultAsked = 4 // at a time; endpoints count requests, not processors

func (m *modelRun) declare(flags *flag.FlagSet) {
	m.maxRequests, m.maxTokens = 1000, 5_000_000
	flags.StringVar(&m.name, "model", "", "ask the model called `NAME` too (default $DPG_MODEL, else none)")
	flags.StringVar(&m.url, "model-url", "", "the base `URL` of its endpoint: https, or http on this machine (default $DPG_MODEL_URL)")
	flags.StringVar(&m.keyFile, "model-key-file", "", "read its key from `FILE` (default $DPG_MODEL_KEY, else none is sent)")
	flags.DurationVar(&m.timeOut, "model-timeout", time.Minute, "wait at most `TIME` for one answer")
	flags.Var(&m.maxRequests, "max-requests", "make at most `N` requests in this run, tries again included")
	flags.Var(&m.maxTokens, "max-tokens", "spend at most `N` tokens in this run, as counted or else as estimated")
	flags.StringVar(&m.rev, "rev", "HEAD", "ask about entries as they are in commit `REV`")
	flags.Var(&m.entries, "entry", "ask only about the entry `ID`, as its file is now, committed or not; may be repeated")
	flags.StringVar(&m.out, "out", "", "write to `DIR`/assessments, for dpgbot sync, and not to the registry")
}

type count int

func (n *count) String() string { return strconv.Itoa(int(*n)) }

func (n *count) Set(s string) error {
	v, err := strconv.Atoi(s)
	if err != nil || v < 1 || v > 1_000_000_000 {
		return errors.New("it is not a number from 1 to 1000000000")
	}
	*n = count(v)
	return nil
}

type entryIDs []string

func (e *entryIDs) String() string { return strings.Join(*e, " ") }

func (e *entryIDs) Set(s string) error {
	if s == "" {
		return errors.New("an id such as dhis2 or dpg/dhis2 is wanted")
	}
	*e = append(*e, s)
	return nil
}

// wanted reports whether a model is to be asked, with all that it takes.
func (m *modelRun) wanted(env func(string) string) (bool, error) {
	m.name = cmp.Or(m.name, env("DPG_MODEL"))
	if m.name == "" {
		switch {
		case m.out != "":
			return false, cli.Usagef("--out goes with --model: without a model, assessments belong into the registry")
		case m.url != "" || m.keyFile != "" || len(m.entries) > 0:
			return false, cli.Usagef("name the model with --model NAME or in DPG_MODEL")
		}
		return false, nil
	}
	if err := assess.CheckModelName(m.name); err != nil {
		return false, cli.Usagef("--model: %v", err)
	}
	if names := forgeTokens(os.Environ()); len(names) > 0 && !m.dry { // a dry run shows nobody anything
		return false, cli.Usagef("%s in the environment can write to a forge; a run that shows strangers' text to a model must not hold such a token: run it without (in Actions, in a job of its own with no permissions)", strings.Join(names, ", "))
	}
	if m.timeOut < time.Second || m.timeOut > time.Hour {
		return false, cli.Usagef("--model-timeout %s is not from 1s to 1h", m.timeOut)
	}
	if m.out != "" {
		if inside, err := cli.InGit(m.out); err != nil {
			return false, err
		} else if inside {
			return false, cli.Usagef("--out %q is in a folder of Git's own; name another", m.out)
		}
	}
	if m.dry {
		return true, nil
	}
	if m.url = cmp.Or(m.url, env("DPG_MODEL_URL")); m.url == "" {
		return false, cli.Usagef("name the model's endpoint with --model-url or in DPG_MODEL_URL, such as http://127.0.0.1:11434/v1")
	}
	if err := model.CheckURL(m.url); err != nil {
		return false, cli.Usagef("%v", err)
	}
	m.key = strings.TrimSpace(env("DPG_MODEL_KEY"))
	if m.keyFile != "" {
		key, err := readKey(m.keyFile)
		if err != nil {
			return false, cli.Usagef("--model-key-file: %v", err)
		}
		m.key = key
	}
	return true, nil
}

func readKey(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	const most = 10_000
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return "", err
	}
	key := strings.TrimSpace(string(data))
	if len(data) > most || key == "" {
		return "", fmt.Errorf("%q holds no key", name)
	}
	return key, nil
}

// forgeTokens names the variables that hold what can write to a forge: by their
// names, and by how such tokens begin.
func forgeTokens(environment []string) []string {
	known := []string{
		"GITHUB_TOKEN", "GH_TOKEN", "INPUT_TOKEN", "INPUT_GITHUB_TOKEN", "INPUT_GITHUB-TOKEN", "DPG_FORGE_TOKEN",
		"GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GITHUB_PAT", "GH_PAT", "DPG_APP_KEY", "DPG_APP_KEY_FILE",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN",
	}
	var names []string
	for _, v := range environment {
		name, value, _ := strings.Cut(v, "=")
		begins := func(prefix string) bool { return strings.HasPrefix(strings.TrimSpace(value), prefix) }
		if value != "" && (slices.Contains(known, strings.ToUpper(name)) ||
			slices.ContainsFunc([]string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"}, begins)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (m *modelRun) run(ctx context.Context, o *cli.IO) error {
	if err := m.read(ctx); err != nil {
		return err
	}
	tokens := 0
	for _, j := range m.todo {
		tokens += model.Tokens(j.Question)
		if m.dry {
			fmt.Fprintf(o.Out, "%s\t%d\n", diag.OneLine(m.docs[j.Ref].Path), model.Tokens(j.Question))
		}
	}
	if m.dry {
		o.Say("model %q: %s would be asked for about %d tokens (one for every 3 bytes sent, 1,000 for each answer); at most %d requests and %d tokens in a run",
			m.name, plural(len(m.todo), "entry", "entries"), tokens, m.maxRequests, m.maxTokens)
		return nil
	}
	client, err := model.New(model.Config{
		URL: m.url, Model: m.name, Key: m.key, TimeOut: m.timeOut,
		MaxRequests: int(m.maxRequests), MaxTokens: int(m.maxTokens),
	})
	if err != nil {
		return cli.Usagef("%v", err)
	}
	if len(m.todo) == 0 {
		o.Say("model %q: every answer is up to date; nothing is asked", m.name)
		return nil
	}
	folder, err := disk.Open(filepath.Join(m.target(), registry.AssessmentFolder))
	if err != nil {
		return err
	}
	defer folder.Close()
	done := o.Busy(fmt.Sprintf("asking about %s", plural(len(m.todo), "entry", "entries")))
	defer done()
	k := keeper{m: m, o: o, folder: folder, engine: assess.NewOffline(m.reg.Frameworks), before: map[string]*registry.Doc{}, failed: map[string]int{}}
	for _, d := range m.reg.Derived {
		k.before[strings.TrimPrefix(d.Path, m.reg.Prefix+"/")] = d
	}
	tally, err := client.AskAll(ctx, m.todo, cmp.Or(m.jobs, defaultAsked), m.asker, k.keep)
	done()
	k.rest()
	requests, spent := client.Spent()
	o.Say("model %q: %s, %d without an answer, %d not asked; %s dropped by the evidence check; %s, about %d tokens",
		m.name, plural(tally.Answered, "answer", "answers"), tally.Failed, tally.NotAsked,
		plural(tally.Dropped, "part", "parts"), plural(requests, "request", "requests"), spent)
	if err == nil && tally.NotAsked > 0 {
		o.Say("the limit of --max-requests or --max-tokens is reached; run it again to ask the rest")
	}
	if err == nil && m.out != "" {
		o.Next("dpgbot sync --forge DIR --assessments %s", m.out)
	}
	return err
}

// target is the folder that holds assessments/.
func (m *modelRun) target() string { return cmp.Or(m.out, m.dir) }

// read loads what is committed, or the entries named as they are now, and works out
// which of them to ask about.
func (m *modelRun) read(ctx context.Context) error {
	load := registry.Options{Jobs: m.jobs}
	files, err := cli.Open(m.dir, &load)
	if err != nil {
		return err
	}
	if len(m.entries) == 0 {
		repo, err := registry.FindRepo(m.dir)
		if err != nil {
			return err
		}
		if repo == nil {
			return cli.Usagef("a model is asked about committed entries, and %q is in no Git repository; --entry ID names one all the same", m.dir)
		}
		commit, err := repo.Commit(m.rev)
		if err != nil {
			return cli.Usagef("--rev: %v", err)
		}
		if files, err = repo.Files(commit); err != nil {
			return err
		}
	}
	if m.reg, err = registry.Load(ctx, files, load); err != nil {
		return err
	}
	if m.have, err = answersIn(ctx, m.reg, files); err != nil {
		return err
	}
	if root, err := os.OpenRoot(m.target()); err == nil { // else there is none yet
		defer root.Close()
		kept, err := answersIn(ctx, m.reg, registry.FromFS(root.FS()))
		if err != nil {
			return err
		}
		maps.Copy(m.have, kept)
	}
	return m.choose()
}

// answersIn are the answers that stand among a tree's assessments.
func answersIn(ctx context.Context, reg *registry.Registry, files registry.Files) (map[entry.Ref]*assess.Answer, error) {
	all, err := files.List()
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(b registry.Blob) bool { return !strings.HasPrefix(b.Path, registry.AssessmentFolder+"/") })
	answers, _, err := assess.Offered(ctx, reg, registry.Subset(files, all))
	return answers, err
}

// choose lists the entries without an answer of this model that stands.
func (m *modelRun) choose() error {
	m.asker = assess.NewAsker(m.reg.Frameworks, m.reg.Settings)
	m.docs = map[entry.Ref]*registry.Doc{}
	named := map[string]bool{}
	for _, d := range m.reg.Docs {
		i := slices.IndexFunc(m.entries, func(id string) bool { return id == d.Ref.ID || id == d.Ref.String() })
		if len(m.entries) > 0 && i < 0 {
			continue
		}
		if i >= 0 {
			named[m.entries[i]] = true
		}
		if !d.Whole() || d.Broken || m.reg.Entry(d.Ref) != d || !d.Entry.Status.Live() {
			if i >= 0 {
				return fmt.Errorf("%s has errors or is no longer live, and is not assessed; dpg validate says which", d.Path)
			}
			continue
		}
		q := m.asker.Question(d.Entry)
		if q == nil {
			continue
		}
		if a := m.have[d.Ref]; a != nil && a.Failed == "" && a.Name == m.name {
			continue
		}
		m.docs[d.Ref] = d
		m.todo = append(m.todo, model.Job{Ref: d.Ref, Entry: d.Entry, Question: q})
	}
	for _, id := range m.entries {
		if !named[id] {
			return cli.Usagef("--entry %q: there is no such entry in %q", id, m.dir)
		}
	}
	return nil
}

// keeper writes each answer as it comes.
type keeper struct {
	m      *modelRun
	o      *cli.IO
	folder *disk.Folder
	engine *assess.Offline
	before map[string]*registry.Doc // the registry's assessments, by path in it; locks keep parts of them
	said   int                      // lines on what was dropped
	unsaid int
	failed map[string]int // by kind of failure; the first of each is told, the others are counted
}

const maxSaid = 30

func (k *keeper) say(format string, args ...any) {
	if k.said++; k.said > maxSaid {
		k.unsaid++
		return
	}
	k.o.Say(format, args...)
}

func (k *keeper) rest() {
	if k.unsaid > 0 {
		k.o.Say("and %d more such lines", k.unsaid)
	}
	for _, kind := range slices.Sorted(maps.Keys(k.failed)) {
		if more := k.failed[kind] - 1; more > 0 {
			k.o.Say("warning: no answer for %s more either, for a reason of the same kind (%s): the offline ones stand", plural(more, "entry", "entries"), kind)
		}
	}
}

func (k *keeper) keep(r model.Result) error {
	for _, d := range r.Dropped {
		k.say("%s: dropped %s", r.Job.Ref, d)
	}
	if r.Err != nil {
		if k.failed[r.Answer.Failed]++; k.failed[r.Answer.Failed] == 1 {
			k.o.Say("warning: %s: no answer of the model, so the offline one stands: %v", r.Job.Ref, r.Err)
		}
		if old := k.m.have[r.Job.Ref]; old != nil && old.Failed == "" {
			return nil // another model's answer still holds
		}
	}
	d := k.m.docs[r.Job.Ref]
	at := d.AssessmentPath(k.m.reg.Prefix)
	var previous *assess.Assessment
	if old := k.before[at]; old != nil {
		previous = assess.Of(k.m.reg, old)
	}
	_, data, err := k.engine.DeriveWith(k.m.reg, d, previous, r.Answer)
	if err != nil {
		return err
	}
	_, err = k.folder.Write(strings.TrimPrefix(at, registry.AssessmentFolder+"/"), data)
	return err
}
