// Package observe looks at the repositories that entries name, and notes what it
// finds as dated facts: whether they are there, and which licence the texts in
// them are. Likewise of the SPDX documents of dependencies that entries point at,
// with what the policy makes of these that day. It reads over the guarded network
// only, within bounds of bytes and time. What the facts mean for an entry is for
// the rules.
package observe

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/fetch"
	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
	"github.com/dpg-registry/dpg-registry/internal/spdx/match"
)

// A Detector tells which licence a text is. It is called from several goroutines.
type Detector interface {
	Detect(text []byte) match.Result
}

// A Subject is what is looked at; several are added up.
type Subject uint

// The subjects.
const (
	Repositories Subject = 1 << iota // that entries name, with their licence texts
	SBOMs                            // documents of dependencies that entries point at

	Everything = Repositories | SBOMs
)

// Options say how to look. Detector and AsOf are needed.
type Options struct {
	Of       Subject // what to look at; 0 is Everything
	Detector Detector
	AsOf     string // the date of what is seen now, "2006-01-02"
	// Client is the way to the network; nil is a guarded one that gives each host a
	// quarter of a second between requests.
	Client *http.Client
	Token  string // for GitHub's API; "" asks as anybody, who may ask less often
	Cache  string // folder outside the repository; "" keeps nothing
	Jobs   int    // entries looked at at a time; 0 is 4
	// Entry is how long one entry may take, with all its repositories; 0 is a minute.
	Entry time.Duration
	// EntryBytes and AllBytes bound what is fetched for one entry and in the whole
	// run; 0 is 128 MiB and 2 GiB.
	EntryBytes, AllBytes int64
	// Known gives what was seen of an entry before, where that is not what the
	// registry says; nil asks the registry.
	Known func(*registry.Doc) *registry.Observation
	// Each is called when an entry is done, with how many are and how many there
	// are; nil for nobody. It is not called twice at a time.
	Each func(done, all int)

	api string // of GitHub, for tests; "" is the real one
}

// The bounds of the zero Options.
const (
	defaultJobs       = 4
	defaultEntry      = time.Minute
	defaultEntryBytes = 128 << 20
	defaultAllBytes   = 2 << 30
	hostPause         = 250 * time.Millisecond
)

// maxRepositories is how many repositories of one entry are looked at.
const maxRepositories = 50

// A Report is what came of looking.
type Report struct {
	Seen   []Seen // by entry, in the registry's order
	Missed []Miss // in the same order
}

// Seen is what is known of one entry now: what was seen, with what was seen
// before of repositories that could not be looked at this time.
type Seen struct {
	Doc         *registry.Doc
	Observation *registry.Observation // nil where nothing is known of any repository
	Changed     bool                  // a fact is new or another
}

// A Miss is a repository or a document that could not be looked at.
type Miss struct {
	Ref     entry.Ref
	Of      Subject
	URL     string // as the entry has it
	Why     string // in words, on one line
	Skipped bool   // nobody tried, because of a bound or a limit of this run
}

// An UnknownEntry is a name that no entry has.
type UnknownEntry struct{ Name string }

func (u *UnknownEntry) Error() string {
	return fmt.Sprintf("there is no entry %q; name one by its id, such as dhis2", u.Name)
}

// Entries lists the entries that have something to look at: live ones that name a
// repository or a document, whichever of is about; 0 is Everything. only, where it
// is not empty, picks some by id or by reference; the error is an *UnknownEntry.
func Entries(reg *registry.Registry, only []string, of Subject) ([]*registry.Doc, error) {
	if of == 0 {
		of = Everything
	}
	found := map[string]bool{}
	var docs []*registry.Doc
	for _, d := range reg.Docs {
		named := len(only) == 0
		for _, o := range only {
			if o == d.Ref.ID || o == d.Ref.String() {
				named, found[o] = true, true
			}
		}
		if named && d.Entry != nil && !d.Broken && reg.Entry(d.Ref) == d && d.Entry.Status.Live() && hasAny(d.Entry, of) {
			docs = append(docs, d)
		}
	}
	for _, o := range only {
		if !found[o] {
			return nil, &UnknownEntry{o}
		}
	}
	return docs, nil
}

// hasAny reports whether an entry has something of these subjects.
func hasAny(e *entry.Entry, of Subject) bool {
	return of&Repositories != 0 && len(e.Repositories) > 0 || of&SBOMs != 0 && sbomAddress(e) != ""
}

// Look looks at what entries name. That one thing cannot be looked at stops
// nothing: it is a Miss. Entries of which nothing is known yet come first, and then
// the others, in another order each day: where a run ends early, as at the limit of
// a forge, the next one does not spend itself on the same again.
//
// The error is the context's, or that of Options. With the context's comes a report
// of the entries that were done by then.
func Look(ctx context.Context, reg *registry.Registry, docs []*registry.Doc, opt Options) (*Report, error) {
	if opt.Detector == nil || opt.AsOf == "" {
		return nil, errors.New("observe: a detector and a date are needed")
	}
	if opt.Of == 0 {
		opt.Of = Everything
	}
	if opt.Client == nil {
		opt.Client = fetch.New(fetch.Options{Pause: hostPause})
	}
	if opt.Jobs <= 0 {
		opt.Jobs = defaultJobs
	}
	if opt.Entry <= 0 {
		opt.Entry = defaultEntry
	}
	if opt.EntryBytes <= 0 {
		opt.EntryBytes = defaultEntryBytes
	}
	if opt.AllBytes <= 0 {
		opt.AllBytes = defaultAllBytes
	}
	if opt.Known == nil {
		opt.Known = reg.Observation
	}
	w := &watcher{opt: &opt, policy: reg.Policy, cache: cache(opt.Cache), all: fetch.NewBudget(opt.AllBytes, nil)}
	var err error
	if w.hub, err = newHub(&opt); err != nil {
		return nil, err
	}
	seen := make([]Seen, len(docs))
	missed := make([][]Miss, len(docs))
	var mu sync.Mutex
	done := 0
	g, running := errgroup.WithContext(ctx)
	g.SetLimit(opt.Jobs)
	for _, i := range w.order(docs) {
		if running.Err() != nil {
			break
		}
		g.Go(func() error {
			s, m := w.entry(running, docs[i])
			if err := running.Err(); err != nil {
				return err // what was not reached was not missed
			}
			seen[i], missed[i] = s, m
			if opt.Each != nil {
				mu.Lock()
				defer mu.Unlock()
				done++
				opt.Each(done, len(docs))
			}
			return nil
		})
	}
	err = cmp.Or(g.Wait(), ctx.Err())
	seen = slices.DeleteFunc(seen, func(s Seen) bool { return s.Doc == nil })
	return &Report{Seen: seen, Missed: slices.Concat(missed...)}, err
}

// order gives the order in which entries are looked at, as indexes.
func (w *watcher) order(docs []*registry.Doc) []int {
	at, key := make([]int, len(docs)), make([]string, len(docs))
	for i, d := range docs {
		at[i] = i
		if w.opt.Known(d) != nil {
			sum := sha256.Sum256([]byte(w.opt.AsOf + " " + d.Ref.String()))
			key[i] = "known " + string(sum[:])
		}
	}
	slices.SortStableFunc(at, func(a, b int) int { return strings.Compare(key[a], key[b]) })
	return at
}

type watcher struct {
	opt    *Options
	policy *policy.Policy
	cache  cache
	hub    *hub
	all    *fetch.Budget
	silent silence
}

// entry looks at what one entry names, one after another.
func (w *watcher) entry(ctx context.Context, d *registry.Doc) (Seen, []Miss) {
	ctx, cancel := context.WithTimeout(ctx, w.opt.Entry)
	defer cancel()
	budget := fetch.NewBudget(w.opt.EntryBytes, w.all)
	ctx = fetch.WithBudget(ctx, budget)
	old := w.opt.Known(d)
	now := &registry.Observation{Schema: registry.ObservationSchema, Entry: d.Ref.String()}
	missed := append(w.repositories(ctx, d, budget, old, now), w.sbom(ctx, d, budget, old, now)...)
	if len(now.Repositories) == 0 && now.SBOM == nil {
		now = nil
	}
	return Seen{Doc: d, Observation: now, Changed: !SameFacts(old, now)}, missed
}

// spent says why nothing is fetched from an address for an entry; "" where it is.
func (w *watcher) spent(ctx context.Context, budget *fetch.Budget, address string) string {
	silent := w.silent.of(address)
	switch {
	case silent != "":
		return silent
	case w.all.Left() == 0:
		return fmt.Sprintf("this run has fetched its %d MiB", w.opt.AllBytes>>20)
	case budget.Left() == 0:
		return fmt.Sprintf("%d MiB are fetched for this entry already", w.opt.EntryBytes>>20)
	case ctx.Err() != nil:
		return fmt.Sprintf("the %s for this entry are over", w.opt.Entry)
	}
	return ""
}

// sbom looks at the document of dependencies that an entry points at.
func (w *watcher) sbom(ctx context.Context, d *registry.Doc, budget *fetch.Budget, old, now *registry.Observation) []Miss {
	address := sbomAddress(d.Entry)
	if address == "" {
		return nil
	}
	if old != nil && old.SBOM != nil && old.SBOM.URL == address {
		now.SBOM = old.SBOM // what was known stays where nothing new is
	}
	if w.opt.Of&SBOMs == 0 {
		return nil
	}
	miss := Miss{Ref: d.Ref, Of: SBOMs, URL: address, Skipped: true, Why: w.spent(ctx, budget, address)}
	if miss.Why == "" {
		o, err := w.dependencies(ctx, address)
		w.silent.note(address, err)
		if err == nil {
			if !sameSBOM(now.SBOM, &o) {
				now.SBOM = &o
			}
			return nil
		}
		var limited *limit
		miss.Why, miss.Skipped = fetch.Explain(err), errors.As(err, &limited)
	}
	return []Miss{miss}
}

// repositories looks at the repositories of an entry.
func (w *watcher) repositories(ctx context.Context, d *registry.Doc, budget *fetch.Budget, old, now *registry.Observation) []Miss {
	var missed []Miss
	looked := map[string]bool{}
	for _, r := range d.Entry.Repositories {
		address := strings.TrimSpace(r.URL)
		if address == "" || looked[address] {
			continue
		}
		looked[address] = true
		before := find(old, address)
		if w.opt.Of&Repositories == 0 {
			if before != nil {
				now.Repositories = append(now.Repositories, *before)
			}
			continue
		}
		miss := Miss{Ref: d.Ref, Of: Repositories, URL: address, Skipped: true, Why: w.spent(ctx, budget, address)}
		switch {
		case len(looked) > maxRepositories:
			miss.Why = fmt.Sprintf("only the first %d repositories of an entry are looked at", maxRepositories)
		case miss.Why == "":
			o, err := w.repository(ctx, address)
			w.silent.note(address, err)
			var limited *limit
			if err == nil {
				if before != nil && sameFacts(*before, o) {
					o = *before
				}
				now.Repositories = append(now.Repositories, o)
				continue
			}
			miss.Why, miss.Skipped = fetch.Explain(err), errors.As(err, &limited)
		}
		missed = append(missed, miss)
		if before != nil { // it was so when it was last seen
			now.Repositories = append(now.Repositories, *before)
		}
	}
	return missed
}

func find(o *registry.Observation, address string) *registry.ObservedRepository {
	if o == nil {
		return nil
	}
	return o.Repository(address)
}

// repository looks at one address.
func (w *watcher) repository(ctx context.Context, address string) (registry.ObservedRepository, error) {
	u, err := fetch.Parse(address)
	if err != nil {
		return registry.ObservedRepository{}, err
	}
	u.RawQuery = ""
	var s snapshot
	if host := strings.ToLower(u.Hostname()); host == githubHost || host == "www."+githubHost {
		s, err = w.hub.viaAPI(ctx, u)
	} else {
		s, err = w.viaGit(ctx, u)
	}
	if err != nil {
		return registry.ObservedRepository{}, err
	}
	return w.describe(address, s), nil
}

// describe says what a snapshot shows.
func (w *watcher) describe(address string, s snapshot) registry.ObservedRepository {
	o := registry.ObservedRepository{
		URL: address, AsOf: w.opt.AsOf, State: s.State, MovedTo: s.MovedTo, Archived: s.Archived,
		Commit: s.Commit, Forge: s.Forge, More: s.More,
	}
	for _, f := range s.Files {
		of := registry.ObservedFile{Path: f.Path, Skip: f.Skip}
		if f.Skip == "" {
			sum := sha256.Sum256(f.Data)
			of.SHA256 = hex.EncodeToString(sum[:])
			w.detect(f.Data, &of)
		}
		o.Files = append(o.Files, of)
	}
	return o
}

// maxExpression is the most bytes of an expression that is noted.
const maxExpression = 1000

// detect notes what a text is. An expression that is not one is none.
func (w *watcher) detect(text []byte, of *registry.ObservedFile) {
	r := w.opt.Detector.Detect(text)
	if r.Expression == "" || len(r.Expression) > maxExpression {
		return
	}
	if _, err := spdx.Parse(r.Expression); err != nil {
		return
	}
	of.Expression = r.Expression
	of.Confidence = math.Round(100*min(max(r.Confidence, 0), 1)) / 100
	for _, a := range r.Alternatives {
		if len(a) <= maxExpression && len(of.Alternatives) < 50 {
			of.Alternatives = append(of.Alternatives, a)
		}
	}
}

// SameFacts reports whether two observations say the same: where repositories are
// and what their licence texts are, and which dependencies create restrictions.
// Days, commits and how sure a detector was are no facts of their own.
func SameFacts(a, b *registry.Observation) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Schema == b.Schema && a.Entry == b.Entry && slices.EqualFunc(a.Repositories, b.Repositories, sameFacts) && sameSBOM(a.SBOM, b.SBOM)
}

func sameFacts(a, b registry.ObservedRepository) bool {
	return a.URL == b.URL && a.State == b.State && a.MovedTo == b.MovedTo && a.Archived == b.Archived &&
		a.Forge == b.Forge && a.More == b.More && slices.EqualFunc(a.Files, b.Files, func(x, y registry.ObservedFile) bool {
		return x.Path == y.Path && x.SHA256 == y.SHA256 && x.Skip == y.Skip && x.Expression == y.Expression && slices.Equal(x.Alternatives, y.Alternatives)
	})
}
