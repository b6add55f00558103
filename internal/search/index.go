// Package search finds entries of a built catalog by words and by properties. Its
// index is read from the published files and held in memory; it never writes, and
// an Index never changes once it is read.
//
// It is a small inverted index of this project's own, not a library: a catalog is
// read-only, has a hundred thousand entries at most, and changes as a whole, so that
// lists of entries with the weight of a word worked out beforehand, and one pass that
// ranks and counts, do what a general engine with its segments and merges would. The
// bench in internal/bench/search sets it beside SQLite's FTS5.
package search

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/disk"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

const (
	apiFolder = "api/v1/"
	// maxLine bounds one entry as it is published, and the small files, in bytes.
	maxLine = 16 << 20
	// maxText bounds what of an entry's prose is kept for snippets, in bytes.
	maxText = 4 << 10
	// batchLines is how many entries are read at a time: enough to keep several
	// readers busy, few enough to hold.
	batchLines = 64
)

// How much a word counts by where it stands.
const (
	inName         = 6
	inAlias        = 5
	inProperty     = 2 // sectors, topics, types, organisations
	inText         = 1
	saturation     = 1.2  // BM25's k1
	lengthWeight   = 0.6  // BM25's b: long descriptions are not much of a fault here
	prefixWeight   = 0.7  // of a word that only begins as the last one looked for
	oneEditWeight  = 0.5  // of a word that is one edit away
	twoEditsWeight = 0.25 // of one that is two away
)

// An Index is what is known of the live entries of one catalog. It may be used
// from several goroutines.
type Index struct {
	envelope catalog.Envelope
	docs     []doc
	has      []uint32 // values of facets, of one entry after the other
	begins   []uint32 // where each entry's begin in has, and at last where they end
	terms    []string // sorted
	lists    [][]post // by term
	idf      []float32
	masks    []uint32   // letters, by term
	byLength [][]uint32 // terms that may be somebody's typo, by length in characters
	facets   []*facet
	values   []value // of all facets, by number
	scratch  sync.Pool
}

type doc struct {
	id, kind, path string
	name           string
	text           string // what a snippet is cut from
}

// A post says that an entry has a word: the part of its score that does not
// depend on the query.
type post struct {
	doc    uint32
	impact float32
}

// A facet is a property to filter by and to count.
type facet struct {
	name   string
	values map[string]uint32 // by id
	fold   map[string]uint32 // by id in lower case, and by short id
}

type value struct {
	facet int
	id    string
	name  *string
}

// Len is how many entries there are to find.
func (ix *Index) Len() int { return len(ix.docs) }

// Words is how many different words there are.
func (ix *Index) Words() int { return len(ix.terms) }

// published is the part of an entry's response that is searched.
type published struct {
	ID            string                 `json:"id"`
	Kind          string                 `json:"kind"`
	Path          string                 `json:"path"`
	Name          *string                `json:"name"`
	Aliases       []string               `json:"aliases"`
	Description   catalog.Text           `json:"description"`
	Types         []string               `json:"types"`
	Sectors       []string               `json:"sectors"`
	Topics        []string               `json:"topics"`
	Licenses      []catalog.License      `json:"licenses"`
	SDGs          []struct{ Goal int }   `json:"sdgs"`
	Organizations []catalog.Organization `json:"organizations"`
	Locations     catalog.Locations      `json:"locations"`
	Status        struct{ Stage string } `json:"status"`
	Assessment    *struct {
		Summary  *struct{ Text catalog.Text } `json:"summary"`
		Mappings []struct {
			Code     string  `json:"code"`
			Path     *string `json:"path"`
			Strength int     `json:"strength"`
			State    string  `json:"state"`
		} `json:"mappings"`
	} `json:"assessment"`
}

// A builder gathers entries in the order of the file, whatever order they were
// read in: the same catalog makes the same index.
type builder struct {
	ix    *Index
	codes map[string]codeOf // frameworks' codes that entries are mapped to, by full code
	lang  string            // the registry's first language
}

type codeOf struct {
	facet string
	title *string
}

// Read makes the index of the catalog whose root is files, from index.json,
// frameworks.json with the frameworks, and full.ndjson, in as many goroutines as
// jobs says (0 is one for each processor). The error is fs.ErrNotExist where the
// catalog has no such files.
func Read(ctx context.Context, files fs.FS, jobs int) (*Index, error) {
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	b := &builder{ix: &Index{}, codes: map[string]codeOf{}}
	if err := b.settings(files); err != nil {
		return nil, fmt.Errorf("search index: %w", err)
	}
	if err := b.entries(ctx, files, jobs); err != nil {
		return nil, fmt.Errorf("search index: full.ndjson: %w", err)
	}
	return b.ix, nil
}

func readJSON(files fs.FS, name string, v any) error {
	f, err := disk.OpenRegular(files, apiFolder+name)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxLine+1))
	if err != nil {
		return err
	}
	if len(data) > maxLine {
		return fmt.Errorf("%s is larger than %d bytes", name, maxLine)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// settings reads what there is to filter by. A framework's list that entries are
// mapped to is a facet, named as one of its codes is called: "principles" makes
// "principle".
func (b *builder) settings(files fs.FS) error {
	var index catalog.Index
	if err := readJSON(files, "index.json", &index); err != nil {
		return err
	}
	b.ix.envelope = index.Envelope
	if len(index.Languages) > 0 {
		b.lang = index.Languages[0]
	}
	for _, name := range []string{"kind", "type", "sector", "license", "sdg", "country", "stage"} {
		b.facet(name)
	}
	for goal := 1; goal <= 17; goal++ { // also one that no entry has yet
		b.number("sdg", strconv.Itoa(goal), nil)
	}
	for _, k := range index.Kinds {
		b.number("kind", k.Name, known(best(k.Title, b.lang)))
	}
	var all catalog.Frameworks
	if err := readJSON(files, "frameworks.json", &all); err != nil {
		return err
	}
	for _, it := range all.Items {
		if !fs.ValidPath(it.Path) {
			return fmt.Errorf("frameworks.json: %q is no path", it.Path)
		}
		var f catalog.Framework
		if err := readJSON(files, it.Path, &f); err != nil {
			return err
		}
		lists := map[string]string{}
		for _, l := range f.Lists {
			name := strings.TrimSuffix(l.ID, "s")
			if l.Mapped && !slices.Contains(own, name) && len(b.ix.facets) < maxFacets {
				lists[l.ID] = name
				b.facet(name)
			}
		}
		for _, c := range f.Codes {
			if name, ok := lists[c.List]; ok {
				title := known(best(c.Title, b.lang))
				n := b.number(name, c.Code, title)
				fold := b.facet(name).fold
				if short := strings.ToLower(c.ID); fold[short] == 0 {
					fold[short] = n + 1
				}
				b.codes[c.Code] = codeOf{name, title}
			}
		}
	}
	return nil
}

// facet gives a facet by name, made where there was none.
func (b *builder) facet(name string) *facet {
	for _, f := range b.ix.facets {
		if f.name == name {
			return f
		}
	}
	f := &facet{name: name, values: map[string]uint32{}, fold: map[string]uint32{}}
	b.ix.facets = append(b.ix.facets, f)
	return f
}

// number gives a value of a facet its number. In fold numbers are one more, so
// that 0 is none.
func (b *builder) number(name, id string, title *string) uint32 {
	f := b.facet(name)
	if n, ok := f.values[id]; ok {
		return n
	}
	n := uint32(len(b.ix.values))
	b.ix.values = append(b.ix.values, value{slices.Index(b.ix.facets, f), id, title})
	f.values[id] = n
	if folded := strings.ToLower(id); f.fold[folded] == 0 {
		f.fold[folded] = n + 1
	}
	return n
}

// A batch is a run of lines, and what was made of them.
type batch struct {
	at    int // its place among the batches
	lines [][]byte
	docs  []draft
	words map[string][]post // by word; doc counts from the batch's first, impact is the weight
}

type draft struct {
	doc
	found  [][2]string // facet and value
	length float32     // in weights
}

func (b *builder) entries(ctx context.Context, files fs.FS, jobs int) error {
	f, err := disk.OpenRegular(files, apiFolder+"full.ndjson")
	if err != nil {
		return err
	}
	defer f.Close()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(jobs + 2)
	todo, done := make(chan *batch, jobs), make(chan *batch, jobs)
	group.Go(func() error {
		defer close(todo)
		return readLines(ctx, f, todo)
	})
	var workers sync.WaitGroup
	workers.Add(jobs)
	for range jobs {
		group.Go(func() error {
			defer workers.Done()
			for part := range todo {
				if err := b.take(part); err != nil {
					return err
				}
				select {
				case done <- part:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		workers.Wait()
		close(done)
		return nil
	})
	m := merger{b: b, numbers: map[string]uint32{}}
	waiting := map[int]*batch{}
	for part := range done {
		for waiting[part.at] = part; waiting[m.next] != nil; m.next++ {
			m.add(waiting[m.next])
			delete(waiting, m.next)
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	m.finish()
	return nil
}

func readLines(ctx context.Context, f io.Reader, todo chan<- *batch) error {
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	part := &batch{}
	send := func() error {
		if len(part.lines) == 0 {
			return nil
		}
		select {
		case todo <- part:
			part = &batch{at: part.at + 1}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for lines.Scan() {
		part.lines = append(part.lines, bytes.Clone(lines.Bytes()))
		if len(part.lines) == batchLines {
			if err := send(); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("it has a line of more than %d bytes, which no entry has", maxLine)
	} else if err != nil {
		return err
	}
	return send()
}

// take reads the entries of a batch. It only reads from the builder, since
// several run at once.
func (b *builder) take(part *batch) error {
	part.words = map[string][]post{}
	for i, line := range part.lines {
		if len(line) == 0 {
			continue
		}
		var e published
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("line %d: %w", part.at*batchLines+i+1, err)
		}
		if !(entry.Status{Stage: e.Status.Stage}).Live() {
			continue
		}
		part.docs = append(part.docs, b.draft(e, part))
	}
	part.lines = nil
	return nil
}

func (b *builder) draft(e published, part *batch) draft {
	d := draft{doc: doc{id: e.ID, kind: e.Kind, path: e.Path}}
	if e.Name != nil {
		d.name = *e.Name
	}
	number := uint32(len(part.docs))
	add := func(weight float32, texts ...string) {
		for _, text := range texts {
			eachWord(text, func(_, _ int, w string) bool {
				d.length += weight
				list := part.words[w]
				if n := len(list); n > 0 && list[n-1].doc == number {
					list[n-1].impact += weight
				} else {
					part.words[w] = append(list, post{number, weight})
				}
				return true
			})
		}
	}
	add(inName, d.name)
	add(inAlias, e.Aliases...)
	if !strings.EqualFold(strings.ReplaceAll(e.ID, "-", " "), d.name) {
		add(inProperty, e.ID)
	}
	add(inProperty, e.Sectors...)
	add(inProperty, e.Topics...)
	add(inProperty, e.Types...)
	for _, o := range e.Organizations {
		if o.Name != nil {
			add(inProperty, *o.Name)
		}
	}
	texts := []catalog.Text{e.Description}
	if e.Assessment != nil && e.Assessment.Summary != nil {
		texts = append(texts, e.Assessment.Summary.Text)
	}
	for _, t := range texts {
		if d.text == "" {
			d.text = cut(best(t, b.lang), maxText)
		}
		for _, lang := range slices.Sorted(maps.Keys(t)) {
			add(inText, t[lang])
		}
	}
	d.found = b.properties(e)
	return d
}

// properties lists the values of facets that an entry has.
func (b *builder) properties(e published) (found [][2]string) {
	add := func(facet string, values ...string) {
		for _, v := range values {
			found = append(found, [2]string{facet, v})
		}
	}
	add("kind", e.Kind)
	add("type", e.Types...)
	add("sector", e.Sectors...)
	add("country", e.Locations.DevelopedIn...)
	add("country", e.Locations.DeployedIn...)
	add("stage", e.Status.Stage)
	for _, l := range e.Licenses {
		if x, err := spdx.Parse(l.Expression); err == nil {
			add("license", x.Licenses()...)
		}
	}
	for _, s := range e.SDGs {
		add("sdg", strconv.Itoa(s.Goal))
	}
	if e.Assessment != nil {
		for _, m := range e.Assessment.Mappings {
			// The same that puts an entry in the view of a code.
			if c, ok := b.codes[m.Code]; ok && m.Strength >= 2 && m.State != "rejected" && m.Path != nil {
				add(c.facet, m.Code)
			}
		}
	}
	return found
}

// A merger puts batches together in their order.
type merger struct {
	b       *builder
	next    int
	numbers map[string]uint32
	terms   []string
	lists   [][]post
	lengths []float32
	total   float64
	values  []uint32 // of the entry at hand
}

func (m *merger) add(part *batch) {
	first := uint32(len(m.b.ix.docs))
	for _, d := range part.docs {
		m.values = m.values[:0]
		for _, f := range d.found {
			m.values = append(m.values, m.b.number(f[0], f[1], nil))
		}
		slices.Sort(m.values)
		m.b.ix.begins = append(m.b.ix.begins, uint32(len(m.b.ix.has)))
		m.b.ix.has = append(m.b.ix.has, slices.Compact(m.values)...)
		m.b.ix.docs = append(m.b.ix.docs, d.doc)
		m.lengths = append(m.lengths, d.length)
		m.total += float64(d.length)
	}
	// The order of words is of no matter here: they are sorted in the end.
	for word, posts := range part.words {
		n, ok := m.numbers[word]
		if !ok {
			n = uint32(len(m.terms))
			word = strings.Clone(word)
			m.numbers[word] = n
			m.terms, m.lists = append(m.terms, word), append(m.lists, nil)
		}
		for _, p := range posts {
			m.lists[n] = append(m.lists[n], post{first + p.doc, p.impact})
		}
	}
}

// finish sorts the words and works out what each adds to a score.
func (m *merger) finish() {
	ix := m.b.ix
	ix.begins = append(ix.begins, uint32(len(ix.has)))
	order := make([]uint32, len(m.terms))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(x, y uint32) int { return cmp.Compare(m.terms[x], m.terms[y]) })
	n := len(order)
	ix.terms, ix.lists, ix.idf, ix.masks = make([]string, n), make([][]post, n), make([]float32, n), make([]uint32, n)
	ix.byLength = make([][]uint32, maxWord+1)
	mean := float32(1)
	if len(ix.docs) > 0 {
		mean = max(1, float32(m.total/float64(len(ix.docs))))
	}
	for i, at := range order {
		word, posts := m.terms[at], slices.Clip(m.lists[at])
		for j, p := range posts {
			posts[j].impact = p.impact * (saturation + 1) / (p.impact + saturation*(1-lengthWeight+lengthWeight*m.lengths[p.doc]/mean))
		}
		ix.terms[i], ix.lists[i], ix.masks[i] = word, posts, letters(word)
		df := float64(len(posts))
		ix.idf[i] = float32(math.Log(1 + (float64(len(ix.docs))-df+0.5)/(df+0.5)))
		if edits(word) > 0 || utf8.RuneCountInString(word) == 3 { // three letters may have lost one
			l := utf8.RuneCountInString(word)
			ix.byLength[l] = append(ix.byLength[l], uint32(i))
		}
	}
}

// best is the text in a language, or else in the first by tag.
func best(t catalog.Text, lang string) string {
	if s := t[lang]; s != "" {
		return s
	}
	for _, l := range slices.Sorted(maps.Keys(t)) {
		if t[l] != "" {
			return t[l]
		}
	}
	return ""
}

func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// cut shortens a text to at most n bytes of whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.Clone(s[:n])
}

// Missing reports whether a catalog cannot be searched because it was built
// without the files for it.
func Missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
