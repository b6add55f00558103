// Package catalog turns a registry into the files that the world reads: the
// versioned JSON under api/v1/, the predecessor's views, and a manifest of it
// all. The same registry gives the same bytes; no clock, no network, no page for
// people (package site adds those).
package catalog

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/framework"
	"github.com/dpg-registry/dpg-registry/internal/history"
	"github.com/dpg-registry/dpg-registry/internal/policy"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/schemas"
)

// Input is what a catalog is built from.
type Input struct {
	Registry    *registry.Registry // without errors: what is published must be readable
	Assessments map[entry.Ref]*assess.Assessment
	Head        *registry.Stamp           // the commit that the registry is at; nil outside Git or with uncommitted changes
	Changes     map[string]registry.Stamp // last change by path relative to the registry folder; nil where not known
	History     *history.Log              // what happened to entries; nil where not known
	Findings    *diag.Count               // of the last check; nil where there was none
	AsOf        string                    // the day that Findings were judged at, "2006-01-02"; "" where dated rules were not

	Pages  Pages   // what people read; nil is nothing
	Spool  *Spool  // where files of single entries wait to be written; nil is in memory
	Stored *Stored // what stands in the folder that the catalog is for; nil where not known
	Keep   *Keep   // what is known of files from an earlier run; nil is nothing
	Jobs   int     // how much is done at a time; 0 is one a processor
}

// Pages makes what people read from a catalog.
type Pages interface {
	// Entry makes the page of one entry. It is called from several goroutines, while
	// the Index has no counts yet.
	Entry(PageInput) (EntryPage, error)
	// Rest adds the pages about the whole, once all else is there.
	Rest(*Catalog) error
}

// PageInput is what the page of an entry is made of, and all that it may depend on.
type PageInput struct {
	Index   *Index
	Entry   *Entry
	Item    *Item                  // what lists tell of it; nil unless it is live
	Moved   bool                   // the entry that it moved to is there
	HasView func(code string) bool // whether a code, such as "sdgs/3", has a view; or a framework, such as "sdgs", a file
}

// EntryPage is the page of an entry.
type EntryPage struct {
	Path string // relative to the root of the catalog
	Data []byte
	// Lines are how pages about many entries show it, in forms that Pages knows; Key
	// is what these sort it by.
	Lines [][]byte
	Key   []byte
}

// A Catalog is a set of files. Those about many entries are written from the rows
// of the entries whenever they are asked for, so that no two copies of the registry
// stand in memory.
type Catalog struct {
	read       *content // the manifest as it was read; nil where the catalog was built
	Index      Index
	Frameworks []Framework         // by id
	Facts      map[string][]*Facts // every entry, by the name of its kind and by id
	// Full holds every entry where the whole registry was in memory; a Maker leaves
	// it empty.
	Full Full

	origin Origin
	breaks []policy.Break
	mu     sync.Mutex
	files  map[string]*content // by path relative to the root of the catalog; without the manifest
	taken  map[string]string   // those with capitals by path in lower case: some disks do not tell them apart
	sorted []string            // paths of the files, where all are there; see paths
	spool  *Spool              // where large files wait; nil is in memory
	stored *Stored
}

const (
	apiFolder       = "api/v1"
	manifestFile    = "manifest.json"
	manifestName    = apiFolder + "/" + manifestFile
	frameworkFolder = "frameworks"
	schemaFolder    = "schemas"
)

type builder struct {
	in        Input
	cat       *Catalog
	tables    [tableCount]table
	templates []Link                          // those that have a schema
	samples   map[string]sample               // of responses, by the path of their link; nil where none are wanted
	related   map[string][]framework.Relation // by full code

	mu    sync.Mutex
	all   []*Facts            // by kind in the registry's order, then by id
	kinds map[string][]*Facts // the same by kind
}

func newBuilder(in Input) *builder {
	b := &builder{
		in: in, cat: newCatalog(len(in.Registry.Docs)), kinds: map[string][]*Facts{},
		related: framework.Relations(in.Registry.Crosswalks),
	}
	b.cat.stored, b.cat.spool = in.Stored, in.Spool
	b.tables = b.csvTables()
	if h := in.Head; h != nil {
		b.cat.origin = Origin{known(h.Commit), known(stampTime(*h))}
	}
	b.index()
	return b
}

func newCatalog(entries int) *Catalog {
	// An entry has four files at most; room for them is cheaper had at once.
	n := 4*entries + 256
	return &Catalog{files: make(map[string]*content, n), taken: map[string]string{}}
}

// Build makes a catalog of a registry that is in memory. It is an error if an entry
// cannot be read, if two have one id, or if a name cannot be a file's.
func Build(in Input) (*Catalog, error) {
	m := NewMaker(in)
	full := Full{Envelope: m.b.envelope(), Origin: m.b.cat.origin, Entries: map[string][]Entry{}}
	for _, k := range in.Registry.Kinds {
		full.Entries[k.Name] = []Entry{}
	}
	var mu sync.Mutex
	var work errgroup.Group // none fails
	work.SetLimit(m.jobs())
	for _, d := range in.Registry.Docs {
		work.Go(func() error {
			if e := m.entry(d, in.Assessments[d.Ref]); e != nil {
				mu.Lock()
				defer mu.Unlock()
				full.Entries[d.Kind.Name] = append(full.Entries[d.Kind.Name], *e)
			}
			return nil
		})
	}
	_ = work.Wait()
	for _, es := range full.Entries {
		slices.SortFunc(es, func(x, y Entry) int { return cmp.Compare(x.ID, y.ID) })
	}
	c, err := m.Finish()
	if err == nil {
		c.Full = full
	}
	return c, err
}

// A Maker makes a catalog entry by entry, so that no entry need be in memory but
// those that are being read.
type Maker struct {
	b *builder
	// errors by path: the first is told, whichever came first
	mu     sync.Mutex
	failed map[string]error
}

// NewMaker begins a catalog. The registry of the input need hold no entries yet:
// settings, policy, frameworks and the places of entries are enough. Assessments
// are not looked at.
func NewMaker(in Input) *Maker { return &Maker{b: newBuilder(in), failed: map[string]error{}} }

func (m *Maker) jobs() int { return m.b.jobs() }

func (b *builder) jobs() int { return cmp.Or(max(b.in.Jobs, 0), runtime.GOMAXPROCS(0)) }

// Entry takes in an entry with its assessment, nil for none. It may be called from
// several goroutines. What is wrong with an entry is told by Finish, with the first
// by path of all that is wrong.
func (m *Maker) Entry(d *registry.Doc, a *assess.Assessment) { m.entry(d, a) }

// entry is nil where the entry is of a kind that is not in use, or wrong.
func (m *Maker) entry(d *registry.Doc, a *assess.Assessment) *Entry {
	b := m.b
	fail := func(err error) *Entry {
		m.mu.Lock()
		m.failed[d.Path] = err
		m.mu.Unlock()
		return nil
	}
	switch used, err := b.admit(d); {
	case err != nil:
		return fail(err)
	case !used:
		return nil
	}
	e := b.entryOf(d, a)
	f, err := b.facts(d, e)
	if err != nil {
		return fail(err)
	}
	m.Kept(f)
	return &e
}

// Kept takes in an entry by facts that were made of it before.
func (m *Maker) Kept(f *Facts) {
	m.b.mu.Lock()
	defer m.b.mu.Unlock()
	m.b.kinds[f.Ref.Kind] = append(m.b.kinds[f.Ref.Kind], f)
}

// Found says what a check found, and as of which day it judged dated rules.
func (m *Maker) Found(found diag.Count, asOf string) { m.b.in.Findings, m.b.in.AsOf = &found, asOf }

// Log gives the log of changes, which may come after the entries.
func (m *Maker) Log(log *history.Log) { m.b.in.History = log }

// Finish makes the files about many entries, and those about the whole. It is an
// error if an entry cannot be read, if two have one id, or if a name cannot be a file's.
func (m *Maker) Finish() (*Catalog, error) {
	for _, name := range slices.Sorted(maps.Keys(m.failed)) {
		return nil, fmt.Errorf("build catalog: %w", m.failed[name])
	}
	taken := map[string]bool{}
	for _, fs := range m.b.kinds {
		for _, f := range fs {
			taken[f.SourcePath] = true
		}
	}
	if err := m.b.complete(taken); err != nil {
		return nil, fmt.Errorf("build catalog: %w", err)
	}
	if err := m.b.finish(); err != nil {
		return nil, fmt.Errorf("build catalog: %w", err)
	}
	return m.b.cat, nil
}

// complete makes sure that every entry of the registry was taken in, of which there
// are the paths.
func (b *builder) complete(taken map[string]bool) error {
	if err := b.in.Registry.Plain(); err != nil {
		return err
	}
	for _, d := range b.in.Registry.Docs {
		_, used := b.in.Registry.Kind(d.Kind.Name)
		switch first := b.in.Registry.Place(d.Ref); {
		case !used || taken[d.Path]:
		case first != d && first != nil:
			return twice(first, d)
		default:
			return unreadable(d)
		}
	}
	return nil
}

func (b *builder) finish() error {
	b.order()
	steps := []func() error{b.settleOldIDs, b.ownFiles, b.whole}
	if b.in.Pages != nil {
		steps = append(steps, func() error { return b.in.Pages.Rest(b.cat) })
	}
	for _, step := range append(steps, b.manifestPages) {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// order sorts the facts.
func (b *builder) order() {
	b.all = nil
	for _, k := range b.in.Registry.Kinds {
		fs := b.kinds[k.Name]
		slices.SortFunc(fs, func(x, y *Facts) int { return cmp.Compare(x.Ref.ID, y.Ref.ID) })
		b.all = append(b.all, fs...)
	}
	b.cat.Facts = b.kinds
}

// ownFiles adds the files of single entries.
func (b *builder) ownFiles() error {
	for _, f := range b.all {
		for _, o := range f.files {
			if err := b.cat.add(o.path, o.content); err != nil {
				return err
			}
		}
	}
	return nil
}

// whole makes the files about many entries.
func (b *builder) whole() error {
	b.cat.Index.Links = b.links()
	b.templates = slices.DeleteFunc(slices.Clone(b.cat.Index.Links), func(l Link) bool { return l.SchemaPath == nil })
	kinds := make([]KindSummary, len(b.in.Registry.Kinds))
	var steps []func() error
	for i, k := range b.in.Registry.Kinds {
		steps = append(steps, func() (err error) {
			kinds[i], err = b.kind(k, b.kinds[k.Name])
			return err
		})
	}
	steps = append(steps, b.frameworks, b.facets, b.flat, b.full, b.changes, b.predecessor)
	var samples map[string]sample
	if b.samples == nil {
		steps = append(steps, func() (err error) {
			samples, err = b.sampled()
			return err
		})
	}
	if err := b.together(steps); err != nil {
		return err
	}
	status := StatusResponse{Envelope: b.envelope(), Origin: b.cat.origin}
	for _, k := range kinds {
		status.Kinds = append(status.Kinds, KindStatus{k.Name, k.EntryCount, k.Stages})
	}
	if c := b.in.Findings; c != nil {
		status.Findings = &Findings{known(b.in.AsOf), c.Errors, c.Warnings, c.Infos}
	}
	status.Kinds = list(status.Kinds)
	b.cat.Index.Kinds = list(kinds)
	if err := cmp.Or(b.put("index.json", b.cat.Index), b.put("status.json", status), b.schemas()); err != nil {
		return err
	}
	if b.samples != nil {
		return b.sampleManifest()
	}
	b.samples = samples
	err := b.openAPI()
	b.samples = nil
	return err
}

// together takes steps that do not need each other, several at a time, and gives the
// error of the first, in their order, that has one.
func (b *builder) together(steps []func() error) error {
	errs := make([]error, len(steps))
	var work errgroup.Group // none fails
	work.SetLimit(b.jobs())
	if b.samples != nil { // they are remembered in order
		work.SetLimit(1)
	}
	for i, step := range steps {
		work.Go(func() error { errs[i] = step(); return nil })
	}
	_ = work.Wait()
	return cmp.Or(errs...)
}

// kind writes the list of a kind, whole and in pages.
func (b *builder) kind(k entry.Kind, entries []*Facts) (KindSummary, error) {
	s := b.summary(k)
	var live []*Facts
	for _, f := range entries {
		s.Stages[f.Stage]++
		if f.Live() {
			live = append(live, f)
		}
	}
	rows, of := each(live, func(f *Facts) row { return f.item }), madeOf(partItem, live)
	s.EntryCount = len(rows)
	digest, err := b.digest(s.Path, of, rows)
	if err != nil {
		return s, err
	}
	if _, err = b.pages(listing{
		path: s.Path, kind: k.Name, sorted: []string{"id"}, key: func(i int) []string { return []string{live[i].Ref.ID} }, always: true,
	}.of(partItem, live, func(i int) row { return rows[i] })); err != nil {
		return s, err
	}
	return s, b.putRows(s.Path, List{
		Envelope: b.envelope(), Kind: k.Name, Total: len(rows), Digest: digest, PagesPath: s.PagesPath, Items: []Item{},
	}, "items", of, rows)
}

func noStages() Stages {
	return Stages{
		entry.StageNominee: 0, entry.StageDPG: 0, entry.StageListed: 0, entry.StageArchived: 0,
		entry.StageDeclined: 0, entry.StageRenamed: 0, entry.StageRemoved: 0,
	}
}

func (e Entry) live() bool { return entry.Status{Stage: e.Status.Stage}.Live() }

func (b *builder) envelope() Envelope {
	s := b.in.Registry.Settings
	return Envelope{SchemaVersion, known(s.License), b.text(entry.Plain(s.Attribution))}
}

func (b *builder) index() {
	s := b.in.Registry.Settings
	b.cat.breaks = s.Breaks
	b.cat.Index = Index{
		Envelope: b.envelope(), Origin: b.cat.origin,
		Name: s.Name, Description: b.text(s.Description), Notice: b.text(s.Notice),
		Publisher:  Publisher{known(s.Publisher.Name), known(s.Publisher.URL)},
		ContactURL: known(s.ContactURL), LegalURL: known(s.LegalURL), PrivacyURL: known(s.PrivacyURL),
		BaseURL: known(s.BaseURL), Repository: known(s.Repository), Languages: list(s.Languages),
		Breaks: each(s.Breaks, func(x policy.Break) Break { return Break{x.What, b.text(x.Reason), known(x.Date)} }),
	}
}

// Breaks are the changes that hurt readers and were made all the same, as the
// settings have them.
func (c *Catalog) Breaks() []policy.Break { return c.breaks }

func (b *builder) links() []Link {
	schema := func(name string) *string { return known(schemaFolder + "/catalog-" + name + ".schema.json") }
	links := []Link{{"index", "index.json", schema("index")}}
	for _, k := range b.in.Registry.Kinds {
		links = append(links,
			Link{"list", k.Folder + ".json", schema("list")},
			Link{"list-pages", pagesPath(k.Folder), schema("list-pages")},
			Link{"list-page", pagePath(k.Folder), schema("list-page")},
			Link{"entry", k.Folder + "/{id}.json", schema("entry")})
	}
	links = append(links,
		Link{"frameworks", frameworkFolder + ".json", schema("frameworks")},
		Link{"framework", frameworkFolder + "/{framework}.json", schema("framework")},
		Link{"view", viewPath("{framework}", "{id}"), schema("view")},
		Link{"view-pages", pagesPath(viewPath("{framework}", "{id}")), schema("pages")},
		Link{"view-page", pagePath(viewPath("{framework}", "{id}")), schema("view-page")},
		Link{"views", viewFolder + ".json", schema("views")},
		Link{"facet", viewFolder + "/{facet}.json", schema("facet")},
		Link{"facet-pages", pagesPath(viewFolder + "/{facet}"), schema("pages")},
		Link{"facet-page", pagePath(viewFolder + "/{facet}"), schema("facet-page")},
		Link{"facet-view", viewFolder + "/{facet}/{id}.json", schema("facet-view")},
		Link{"facet-view-pages", pagesPath(viewFolder + "/{facet}/{id}"), schema("pages")},
		Link{"facet-view-page", pagePath(viewFolder + "/{facet}/{id}"), schema("facet-view-page")},
		Link{"identifiers", identifiersName, schema("identifiers")},
		Link{"identifiers-pages", pagesPath(identifiersName), schema("pages")},
		Link{"identifiers-page", pagePath(identifiersName), schema("identifiers-page")},
		Link{"search", searchName, schema("search")},
		Link{"search-pages", pagesPath(searchName), schema("pages")},
		Link{"search-page", pagePath(searchName), schema("search-page")},
		Link{"stats", "stats.json", schema("stats")},
		Link{"csv", "csv/csv-metadata.json", nil},
		Link{"csv-table", "csv/{table}.csv", nil},
		Link{"full", "full.json", schema("full")},
		Link{"full-shards", fullFolder + "/index.json", schema("full-shards")},
		Link{"full-shard", fullFolder + "/{shard}.json", schema("full-shard")},
		Link{"full-lines", "full.ndjson", nil},
		Link{"status", "status.json", schema("status")},
		Link{"manifest", manifestFile, schema("manifest")},
		Link{"manifest-pages", pagesPath(manifestFile), schema("pages")},
		Link{"manifest-page", pagePath(manifestFile), schema("manifest-page")},
		Link{"openapi", openAPIName, nil},
		Link{"schema", schemaFolder + "/{name}.schema.json", nil})
	links = append(links, b.changeLinks(schema)...)
	if _, used := b.in.Registry.Kind(predecessorKind); used {
		for _, name := range []string{"dpgs/index.json", "dpg/{id}/index.json", "nominees/index.json", "nominee/{id}/index.json"} {
			links = append(links, Link{"predecessor", "../../" + name, nil})
		}
	}
	return links
}

func (b *builder) schemas() error {
	return fs.WalkDir(schemas.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(schemas.FS, name)
		if err != nil {
			return err
		}
		return b.cat.Add(apiFolder+"/"+schemaFolder+"/"+path.Base(name), data)
	})
}

// put adds a response at a path relative to api/v1/.
func (b *builder) put(name string, v any) error {
	data, err := encode(v)
	if err != nil {
		return err
	}
	return b.add(name, data)
}

// add adds a response at a path relative to api/v1/, and keeps it as an example
// where those are wanted.
func (b *builder) add(name string, data []byte) error {
	b.remember(name, data)
	return b.cat.Add(apiFolder+"/"+name, data)
}

// Add puts a further file into the catalog, such as a page. The name is relative
// to the catalog's root. It is an error if the name is taken, also by one that
// differs in case alone, or if it is not plainly a file's within the catalog.
func (c *Catalog) Add(name string, data []byte) (err error) {
	made := contentOf(data)
	if c.spool != nil && made.size >= largeFile {
		if made, err = c.spool.keep(made); err != nil {
			return err
		}
	}
	return c.add(name, made)
}

// largeFile is what waits in a spool where there is one, in bytes.
const largeFile = 64 << 10

// paths lists the files without the manifest, sorted. Nobody may change the list.
func (c *Catalog) paths() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.sorted) != len(c.files) {
		if c.sorted = c.stored.among(c.files); len(c.sorted) != len(c.files) {
			c.sorted = slices.Sorted(maps.Keys(c.files))
		}
	}
	return c.sorted
}

func (c *Catalog) add(name string, data *content) error {
	if !confined(name) {
		return fmt.Errorf("%q cannot be the name of a published file", name)
	}
	folded := strings.ToLower(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	other := c.taken[folded]
	if c.files[folded] != nil || folded == manifestName {
		other = folded
	}
	if other != "" {
		return fmt.Errorf("two published files would be named %q and %q", other, name)
	}
	if folded != name {
		c.taken[folded] = name
	}
	c.files[name] = data
	return nil
}

// AddWritten is Add for a large file that is not held in memory: write gives the
// same bytes each time it is called.
func (c *Catalog) AddWritten(name string, write func(io.Writer) error) error {
	data, err := contentBy(write)
	if err != nil {
		return err
	}
	return c.add(name, data)
}

func (b *builder) addWritten(name string, write func(io.Writer) error) error {
	if b.samples != nil { // a small catalog of examples
		var out bytes.Buffer
		if err := write(&out); err != nil {
			return err
		}
		if name, api := strings.CutPrefix(name, apiFolder+"/"); api {
			b.remember(name, out.Bytes())
		}
		return b.cat.Add(name, out.Bytes())
	}
	return b.cat.AddWritten(name, write)
}

// Names lists the files, the manifest among them, sorted.
func (c *Catalog) Names() []string {
	names := c.paths()
	at, _ := slices.BinarySearch(names, manifestName)
	return slices.Insert(slices.Clone(names), at, manifestName)
}

// File returns the bytes of a file. The error is fs.ErrNotExist where there is
// none of that name.
func (c *Catalog) File(name string) ([]byte, error) {
	if name == manifestName {
		m, err := c.manifest()
		if err != nil {
			return nil, err
		}
		return m.bytes()
	}
	data, ok := c.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return data.bytes()
}

// manifest lists the files, a line each.
func (c *Catalog) manifest() (*content, error) {
	if c.read != nil {
		return c.read, nil
	}
	m := Manifest{Envelope: c.Index.Envelope, Origin: c.origin, Files: []ManifestFile{}}
	if pages := pagesPath(manifestFile); c.files[apiFolder+"/"+pages] != nil {
		m.PagesPath = &pages
	}
	head, err := encode(m)
	if err != nil {
		return nil, err
	}
	before, after, err := split(head, "files")
	if err != nil {
		return nil, err
	}
	names, size := c.paths(), len(head)+16
	for _, name := range names {
		size += len(name) + 116
	}
	// As writeList has it, which writes rows that are there.
	data := append(append(make([]byte, 0, size), before...), '[')
	for i, name := range names {
		if i > 0 {
			data = append(data, ',')
		}
		data = c.manifestLine(append(data, "\n    "...), name)
	}
	if len(names) > 0 {
		data = append(data, "\n  "...)
	}
	return contentOf(append(append(data, ']'), after...)), nil
}

// manifestLine adds what the manifest tells of a file.
func (c *Catalog) manifestLine(line []byte, name string) []byte {
	f := c.files[name]
	// A name is plain, see confined: it needs no escape.
	line = append(append(append(line, `{"path":"`...), name...), `","bytes":`...)
	line = append(strconv.AppendInt(line, int64(f.size), 10), `,"sha256":"`...)
	return append(hex.AppendEncode(line, f.sum[:]), `"}`...)
}

// sampleFile is a file that stays as it is for long, to show what a manifest is.
const sampleFile = apiFolder + "/" + schemaFolder + "/catalog-manifest.schema.json"

// sampleManifest shows the manifest and its pages, which are made last of all.
func (b *builder) sampleManifest() error {
	f := b.cat.files[sampleFile]
	data, err := encode(Manifest{
		Envelope: b.envelope(), PagesPath: known(pagesPath(manifestFile)), Files: []ManifestFile{{sampleFile, f.size, hex.EncodeToString(f.sum[:])}},
	})
	if err != nil {
		return err
	}
	b.remember(manifestFile, data)
	return b.manifestPages()
}

// plainSegment is a part of a path that means the same on every disk and in
// every address: no leading dot, no separator, no escape.
func plainSegment(s string) bool {
	if s == "" || len(s) > 200 || strings.ContainsRune(".~-", rune(s[0])) || strings.ContainsRune(".~", rune(s[len(s)-1])) {
		return false
	}
	for _, r := range s {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '@', r == '.', r == '_', r == '~', r == '-':
		default:
			return false
		}
	}
	return true
}

func confined(name string) bool {
	for segment := range strings.SplitSeq(name, "/") {
		if !plainSegment(segment) {
			return false
		}
	}
	return len(name) <= 1000
}

// encode writes a response: two spaces, "<" as it is, a final newline.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}

func stampTime(s registry.Stamp) string {
	if s.At.IsZero() {
		return ""
	}
	return s.At.UTC().Format(time.RFC3339)
}
