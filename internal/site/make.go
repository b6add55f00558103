package site

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/history"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// A Source is a registry on disk, or in a commit, to make a catalog of without
// holding all of it in memory.
type Source struct {
	Blobs []registry.Blob  // its files, with their hashes; see registry.Hashed
	Files registry.Files   // the same
	Load  registry.Options // but for Each and Known
	// Input is what else the catalog is made of. Registry, Assessments, Findings, AsOf,
	// Pages, Keep and Jobs are set here, and History where there is a Log.
	Input catalog.Input
	// Log, when set, gives the list of changes once the registry is loaded.
	Log func(*registry.Registry) (*history.Log, error)
	// Keep is a folder outside the repository for what the next run need not make
	// again; "" keeps nothing.
	Keep string
	// Anew is that nothing of it is used, and all is replaced.
	Anew bool
	// Program names the program that runs, so that another version makes all anew.
	Program string
}

// Make makes what Build makes, byte for byte, and reads only the entries of which
// it does not know all that it needs from an earlier run: those that changed, those whose
// dates have come near, and those whose files are not in Input.Stored as they should be.
//
// Of its work this stays linear in the registry, with a small factor: listing its
// files and telling from their sizes and times that they are as they were; reading
// what is kept of the entries; looking across them for names and references that two share; looking at
// the times of the published files; and writing those that hold a row of every entry:
// lists, full.json, full.ndjson, the tables, the search index, the front page and the manifest.
//
// Rows of entries that did not change stay where Keep has them until a file is written.
// The error, here and of the catalog's own methods, is a *catalog.KeptError where they
// turn out to be damaged; see Publish.
func Make(ctx context.Context, s Source) (*catalog.Catalog, error) {
	m := &making{Source: s, assessments: map[string]*assess.Assessment{}, judged: map[string]catalog.Judged{}, unsound: map[string]bool{}}
	if h := s.Input.Head; h != nil {
		m.asOf = h.At.Format(time.DateOnly)
	}
	m.Load.Prefix = cmp.Or(m.Load.Prefix, "registry")
	if m.Load.Kinds == nil {
		m.Load.Kinds = entry.Kinds
	}
	m.recall()
	m.Load.Each, m.Load.Known = m.each, m.known
	reg, err := registry.Load(ctx, s.Files, m.Load)
	if err != nil {
		return nil, err
	}
	m.begin(reg)
	for _, f := range m.kept {
		m.maker.Kept(f)
		m.stream.Kept(f.Judged.Count)
	}
	count, err := m.stream.Finish(ctx)
	if err != nil {
		return nil, err
	}
	m.maker.Found(count.Plus(m.unread), m.asOf)
	if s.Log != nil {
		log, err := s.Log(reg)
		if err != nil {
			return nil, err
		}
		m.maker.Log(log)
	}
	c, err := m.maker.Finish()
	if err != nil {
		return nil, err
	}
	for _, d := range reg.Findings {
		m.unsound[strings.TrimPrefix(d.Path, reg.Prefix+"/")] = true
	}
	m.keep.Save(c, m.note)
	return c, nil
}

// Publish makes a catalog and writes it to the folder that is open as Input.Stored.
// check may refuse it before anything is written; nil takes it as it is. Where it turns
// out on the way that what Keep holds was damaged, all is made anew, and checked again.
func Publish(ctx context.Context, s Source, check func(*catalog.Catalog) error) (catalog.WriteReport, error) {
	report, err := publish(ctx, s, check)
	var damaged *catalog.KeptError
	if errors.As(err, &damaged) && !s.Anew {
		s.Anew = true
		return publish(ctx, s, check)
	}
	return report, err
}

func publish(ctx context.Context, s Source, check func(*catalog.Catalog) error) (report catalog.WriteReport, err error) {
	c, err := Make(ctx, s)
	if err != nil {
		return report, err
	}
	if check != nil {
		if err := check(c); err != nil {
			return report, err
		}
	}
	return c.WriteTo(s.Input.Stored)
}

type making struct {
	Source
	asOf   string
	keep   *catalog.Keep
	inputs map[string][sha256.Size]byte // of an entry, by its path in the registry folder
	kept   map[string]*catalog.Facts    // that will do, by the same

	once   sync.Once
	maker  *catalog.Maker
	stream *lint.Stream
	policy string // until when the policy says what it says

	mu          sync.Mutex
	assessments map[string]*assess.Assessment // by path in the registry folder
	judged      map[string]catalog.Judged
	unsound     map[string]bool // files with findings that are not of rules
	unread      diag.Count
}

// recall finds what an earlier run kept and what of it still holds.
func (m *making) recall() {
	hashes := make(map[string]string, len(m.Blobs))
	places := make(map[entry.Ref]string, len(m.Blobs))
	general := sha256.New()
	fmt.Fprintf(general, "%q %q %q %t\n", m.Program, m.Load.Prefix, m.Load.Kinds, m.asOf == "")
	for _, b := range m.Blobs {
		hashes[b.Path] = b.Hash
		top, _, nested := strings.Cut(b.Path, "/")
		switch {
		case !nested, top == "frameworks":
			fmt.Fprintf(general, "%q %s\n", b.Path, b.Hash)
		case top == registry.AssessmentFolder, top == registry.ObservationFolder:
		default:
			if ref, ok := m.refOf(b.Path); ok && places[ref] == "" && b.Hash != "" {
				places[ref] = b.Path
			}
		}
	}
	if m.Anew {
		m.keep = catalog.NewKeep(m.Keep, [sha256.Size]byte(general.Sum(nil)))
	} else {
		m.keep = catalog.OpenKeep(m.Keep, [sha256.Size]byte(general.Sum(nil)), m.Input.Spool)
	}
	m.kept = make(map[string]*catalog.Facts, len(places))
	m.inputs = make(map[string][sha256.Size]byte, len(places))
	var b []byte
	for ref, path := range places {
		// None of these holds a line break but the path, which comes last.
		b = b[:0]
		for _, name := range []string{path, registry.AssessmentFolder + "/" + path, registry.ObservationFolder + "/" + path} {
			b = append(append(b, hashes[name]...), '\n')
			if at, ok := m.Input.Changes[name]; ok {
				b = append(append(b, at.Commit...), ' ')
				b = strconv.AppendInt(b, at.At.UnixNano(), 10)
			}
			b = append(b, '\n')
		}
		sum := sha256.Sum256(append(b, path...))
		m.inputs[path] = sum
		f := m.keep.Find(ref, sum)
		if f == nil || !f.Judged.On(m.asOf) || m.Input.Stored == nil || !f.Stands(m.Input.Stored) {
			continue
		}
		if _, there := places[entry.Ref{Kind: ref.Kind, ID: f.MovedTo}]; f.MovedTo != "" && there != f.Moved {
			continue
		}
		m.kept[path] = f
	}
}

// refOf is what a file stands for.
func (m *making) refOf(path string) (entry.Ref, bool) {
	for _, k := range m.Load.Kinds {
		if strings.HasPrefix(path, k.Folder+"/") {
			return entry.Ref{Kind: k.Name, ID: entry.FileID(path)}, true
		}
	}
	return entry.Ref{}, false
}

func (m *making) known(b registry.Blob) (*registry.Record, bool) {
	path := b.Path
	for _, folder := range []string{registry.AssessmentFolder, registry.ObservationFolder} {
		if rest, is := strings.CutPrefix(path, folder+"/"); is {
			return nil, m.kept[rest] != nil
		}
	}
	if f := m.kept[path]; f != nil {
		return f.Record, true
	}
	return nil, false
}

// begin takes the registry once its rules are known.
func (m *making) begin(reg *registry.Registry) {
	m.once.Do(func() {
		m.Input.Registry, m.Input.Pages, m.Input.Keep, m.Input.Jobs = reg, Pages{}, m.keep, m.Load.Jobs
		m.maker = catalog.NewMaker(m.Input)
		m.stream = lint.NewStream(reg, lint.Options{AsOf: m.asOf, Jobs: m.Load.Jobs})
		m.policy = lint.PolicyHolds(reg, m.asOf)
	})
}

// each takes in what is read, from several goroutines; assessments come first.
func (m *making) each(reg *registry.Registry, d *registry.Doc) {
	m.begin(reg)
	path := strings.TrimPrefix(d.Path, reg.Prefix+"/")
	if d.Derived {
		found, a := assess.Findings(reg, d), assess.Of(reg, d)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.unread = m.unread.Plus(diag.Tally(found))
		if len(found) > 0 {
			m.unsound[path] = true
		}
		if a != nil {
			m.assessments[path] = a
		}
		return
	}
	count, until := m.stream.File(d), lint.Holds(d, m.asOf)
	if until == "" || m.policy != "" && m.policy < until {
		until = m.policy
	}
	m.mu.Lock()
	m.judged[path] = catalog.Judged{Count: count, AsOf: m.asOf, Until: until}
	a := m.assessments[registry.AssessmentFolder+"/"+path]
	m.mu.Unlock()
	if d.Entry != nil {
		m.maker.Entry(d, a)
	}
}

// note says under what new facts are kept; what has findings of loading is not.
func (m *making) note(f *catalog.Facts) (inputs [sha256.Size]byte, judged catalog.Judged, ok bool) {
	path := strings.TrimPrefix(f.SourcePath, m.Load.Prefix+"/")
	for _, name := range []string{path, registry.AssessmentFolder + "/" + path, registry.ObservationFolder + "/" + path} {
		if m.unsound[name] {
			return inputs, judged, false
		}
	}
	inputs, ok = m.inputs[path]
	return inputs, m.judged[path], ok
}
