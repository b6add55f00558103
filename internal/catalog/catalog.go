// Package catalog turns a registry into the files that the world reads: the
// versioned JSON under api/v1/, the predecessor's views, and a manifest of it
// all. The same registry gives the same bytes; no clock, no network, no page for
// people (package site adds those).
package catalog

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

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
}

// A Catalog is a set of files, each complete in memory.
type Catalog struct {
	Index      Index
	Lists      []List      // in the order of the registry's kinds
	Frameworks []Framework // by id
	Full       Full        // every entry

	origin Origin
	files  map[string][]byte // by path relative to the root of the catalog; without the manifest
	taken  map[string]string // the same paths in lower case: some disks do not tell them apart
}

const (
	apiFolder       = "api/v1"
	manifestName    = apiFolder + "/manifest.json"
	frameworkFolder = "frameworks"
	schemaFolder    = "schemas"
)

type builder struct {
	in        Input
	cat       *Catalog
	templates []Link                          // those that have a schema
	samples   map[string]sample               // of responses, by the path of their link
	related   map[string][]framework.Relation // by full code
}

// Build makes a catalog. It is an error if an entry cannot be read, if two have
// one id, or if a name cannot be a file's.
func Build(in Input) (*Catalog, error) {
	b := &builder{
		in: in, cat: &Catalog{files: map[string][]byte{}, taken: map[string]string{}},
		samples: map[string]sample{},
		related: framework.Relations(in.Registry.Crosswalks),
	}
	if err := b.build(); err != nil {
		return nil, fmt.Errorf("build catalog: %w", err)
	}
	return b.cat, nil
}

func (b *builder) build() error {
	if h := b.in.Head; h != nil {
		b.cat.origin = Origin{known(h.Commit), known(stampTime(*h))}
	}
	if err := b.in.Registry.Plain(); err != nil {
		return err
	}
	entries, err := b.entries()
	if err != nil {
		return err
	}
	b.index()
	b.cat.Index.Links = b.links()
	b.templates = slices.DeleteFunc(slices.Clone(b.cat.Index.Links), func(l Link) bool { return l.SchemaPath == nil })
	full := Full{Envelope: b.envelope(), Origin: b.cat.origin, Entries: map[string][]Entry{}}
	status := StatusResponse{Envelope: b.envelope(), Origin: b.cat.origin}
	for _, k := range b.in.Registry.Kinds {
		full.Entries[k.Name] = list(entries[k.Name])
		summary, err := b.kind(k, entries[k.Name])
		if err != nil {
			return err
		}
		b.cat.Index.Kinds = append(b.cat.Index.Kinds, summary)
		status.Kinds = append(status.Kinds, KindStatus{summary.Name, summary.EntryCount, summary.Stages})
	}
	if err := cmp.Or(b.frameworks(entries), b.facets(entries), b.flat(entries), b.changes()); err != nil {
		return err
	}
	if c := b.in.Findings; c != nil {
		status.Findings = &Findings{known(b.in.AsOf), c.Errors, c.Warnings, c.Infos}
	}
	b.cat.Full = full
	status.Kinds = list(status.Kinds)
	b.cat.Index.Kinds = list(b.cat.Index.Kinds)
	return cmp.Or(
		b.put("index.json", b.cat.Index),
		b.put("full.json", full),
		b.put("status.json", status),
		b.schemas(),
		b.sampleManifest(),
		b.openAPI(),
		b.predecessor(),
	)
}

// entries gives the published form of every entry, by the name of its kind and
// then by id.
func (b *builder) entries() (map[string][]Entry, error) {
	out := map[string][]Entry{}
	for _, d := range b.in.Registry.Docs {
		if _, used := b.in.Registry.Kind(d.Kind.Name); !used {
			continue
		}
		if !d.Whole() {
			return nil, fmt.Errorf("%s has no entry that can be read; `dpg validate` says why", d.Path)
		}
		if first := b.in.Registry.Entry(d.Ref); first != d {
			return nil, fmt.Errorf("%s and %s are both %s; an id has one file", first.Path, d.Path, d.Ref)
		}
		out[d.Kind.Name] = append(out[d.Kind.Name], b.entryOf(d))
	}
	for _, es := range out {
		slices.SortFunc(es, func(x, y Entry) int { return cmp.Compare(x.ID, y.ID) })
	}
	return out, nil
}

// kind writes the list of a kind and the file of each of its entries.
func (b *builder) kind(k entry.Kind, entries []Entry) (KindSummary, error) {
	s := KindSummary{
		Name: k.Name, Title: Text{"en": k.Title}, Plural: Text{"en": k.Plural}, Path: k.Folder + ".json",
		SchemaPath: schemaFolder + "/" + k.Schema, Stages: noStages(),
	}
	l := List{Envelope: b.envelope(), Kind: k.Name, Items: []Item{}}
	for _, e := range entries {
		s.Stages[e.Status.Stage]++
		if e.live() {
			l.Items = append(l.Items, b.item(e))
		}
		if err := b.put(e.Path, EntryResponse{b.envelope(), e}); err != nil {
			return s, err
		}
	}
	l.Total, s.EntryCount = len(l.Items), len(l.Items)
	var err error
	if l.Digest, err = digest(l.Items); err != nil {
		return s, err
	}
	b.cat.Lists = append(b.cat.Lists, l)
	return s, b.put(s.Path, l)
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
	b.cat.Index = Index{
		Envelope: b.envelope(), Origin: b.cat.origin,
		Name: s.Name, Description: b.text(s.Description), Notice: b.text(s.Notice),
		Publisher:  Publisher{known(s.Publisher.Name), known(s.Publisher.URL)},
		ContactURL: known(s.ContactURL), LegalURL: known(s.LegalURL), PrivacyURL: known(s.PrivacyURL),
		BaseURL: known(s.BaseURL), Repository: known(s.Repository), Languages: list(s.Languages),
		Breaks: each(s.Breaks, func(x policy.Break) Break { return Break{x.What, b.text(x.Reason), known(x.Date)} }),
	}
}

func (b *builder) links() []Link {
	schema := func(name string) *string { return known(schemaFolder + "/catalog-" + name + ".schema.json") }
	links := []Link{{"index", "index.json", schema("index")}}
	for _, k := range b.in.Registry.Kinds {
		links = append(links,
			Link{"list", k.Folder + ".json", schema("list")},
			Link{"entry", k.Folder + "/{id}.json", schema("entry")})
	}
	links = append(links,
		Link{"frameworks", frameworkFolder + ".json", schema("frameworks")},
		Link{"framework", frameworkFolder + "/{framework}.json", schema("framework")},
		Link{"view", viewPath("{framework}", "{id}"), schema("view")},
		Link{"views", viewFolder + ".json", schema("views")},
		Link{"facet", viewFolder + "/{facet}.json", schema("facet")},
		Link{"facet-view", viewFolder + "/{facet}/{id}.json", schema("facet-view")},
		Link{"identifiers", "identifiers.json", schema("identifiers")},
		Link{"search", "search.json", schema("search")},
		Link{"stats", "stats.json", schema("stats")},
		Link{"csv", "csv/csv-metadata.json", nil},
		Link{"csv-table", "csv/{table}.csv", nil},
		Link{"full", "full.json", schema("full")},
		Link{"full-lines", "full.ndjson", nil},
		Link{"status", "status.json", schema("status")},
		Link{"manifest", "manifest.json", schema("manifest")},
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
	b.remember(name, v)
	return b.cat.Add(apiFolder+"/"+name, data)
}

// Add puts a further file into the catalog, such as a page. The name is relative
// to the catalog's root. It is an error if the name is taken, also by one that
// differs in case alone, or if it is not plainly a file's within the catalog.
func (c *Catalog) Add(name string, data []byte) error {
	if !confined(name) {
		return fmt.Errorf("%q cannot be the name of a published file", name)
	}
	folded := strings.ToLower(name)
	if other, taken := c.taken[folded]; taken || folded == manifestName {
		return fmt.Errorf("two published files would be named %q and %q", cmp.Or(other, manifestName), name)
	}
	c.taken[folded] = name
	c.files[name] = data
	return nil
}

// Names lists the files, the manifest among them, sorted.
func (c *Catalog) Names() []string {
	names := append(slices.Collect(maps.Keys(c.files)), manifestName)
	slices.Sort(names)
	return names
}

// File returns the bytes of a file. The error is fs.ErrNotExist where there is
// none of that name.
func (c *Catalog) File(name string) ([]byte, error) {
	if name == manifestName {
		return c.manifest()
	}
	data, ok := c.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return data, nil
}

func (c *Catalog) manifest() ([]byte, error) {
	m := Manifest{Envelope: c.Index.Envelope, Origin: c.origin, Files: []ManifestFile{}}
	for _, name := range slices.Sorted(maps.Keys(c.files)) {
		m.Files = append(m.Files, c.listed(name))
	}
	return encode(m)
}

func (c *Catalog) listed(name string) ManifestFile {
	sum := sha256.Sum256(c.files[name])
	return ManifestFile{name, len(c.files[name]), hex.EncodeToString(sum[:])}
}

// sampleManifest shows a file that stays as it is for long: the manifest itself
// is made last of all.
func (b *builder) sampleManifest() error {
	name := apiFolder + "/" + schemaFolder + "/catalog-manifest.schema.json"
	b.remember("manifest.json", Manifest{Envelope: b.envelope(), Files: []ManifestFile{b.cat.listed(name)}})
	return nil
}

// plainSegment is a part of a path that means the same on every disk and in
// every address: no leading dot, no separator, no escape.
var segmentWords = regexp.MustCompile(`^[A-Za-z0-9@_]([A-Za-z0-9@._~-]*[A-Za-z0-9@_-])?$`)

func plainSegment(s string) bool { return len(s) <= 200 && segmentWords.MatchString(s) }

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

// digest is the SHA-256 of a list's items as they stand in the response, without
// the white space between tokens. Two lists with one digest hold the same.
func digest(items any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(items); err != nil {
		return "", err
	}
	sum := sha256.Sum256(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

func stampTime(s registry.Stamp) string {
	if s.At.IsZero() {
		return ""
	}
	return s.At.UTC().Format(time.RFC3339)
}
