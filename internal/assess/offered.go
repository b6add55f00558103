package assess

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// maxOffered is how many files Offered looks at.
const maxOffered = 100_000

// A Refusal is a file, or a part of one, that was not taken, and why.
type Refusal struct {
	Path   string // as it was offered; anything anybody wrote
	Reason string // lower case, for a log line
}

// Offered reads what a run with a model left in a folder, and takes from it only
// the model's answers, after the evidence check: all else in such a file follows
// from the entry, and whoever proposes it makes it again. Files that are not
// assessments of the registry's live entries are refused, unread.
func Offered(ctx context.Context, reg *registry.Registry, files registry.Files) (map[entry.Ref]*Answer, []Refusal, error) {
	blobs, err := files.List()
	if err != nil {
		return nil, nil, err
	}
	places := map[string]*registry.Doc{}
	for _, d := range reg.Docs {
		if d.Whole() && !d.Broken && reg.Entry(d.Ref) == d && d.Entry.Status.Live() {
			places[d.AssessmentPath(reg.Prefix)] = d
		}
	}
	slices.SortFunc(blobs, func(a, b registry.Blob) int { return strings.Compare(a.Path, b.Path) })
	asker := NewAsker(reg.Frameworks, reg.Settings)
	answers := map[entry.Ref]*Answer{}
	var refused []Refusal
	refuse := func(path, format string, args ...any) {
		refused = append(refused, Refusal{path, fmt.Sprintf(format, args...)})
	}
	for i, b := range blobs {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		d := places[b.Path]
		switch {
		case i == maxOffered:
			refuse(b.Path, "it and all after it: a folder is read up to %d files", maxOffered)
			return answers, refused, nil
		case !strings.HasPrefix(b.Path, registry.AssessmentFolder+"/"):
			refuse(b.Path, "only files under %s/ are taken", registry.AssessmentFolder)
			continue
		case !b.Mode.IsRegular():
			refuse(b.Path, "it is no plain file")
			continue
		case d == nil:
			refuse(b.Path, "no live entry has its assessment there")
			continue
		case b.Size > source.MaxBytes:
			refuse(b.Path, "it has %d bytes, over %d", b.Size, source.MaxBytes)
			continue
		}
		data, err := files.Read(b.Path)
		if err != nil {
			refuse(b.Path, "it cannot be read: %v", err)
			continue
		}
		a, reason := offer(d, b.Path, data)
		if reason != "" {
			refuse(b.Path, "%s", reason)
			continue
		}
		kept, dropped := asker.check(d.Entry, a)
		const most = 20 // of one file
		for _, x := range dropped[:min(len(dropped), most)] {
			refuse(b.Path, "%s", x)
		}
		if n := len(dropped) - most; n > 0 {
			refuse(b.Path, "%d more parts do not stand", n)
		}
		if kept.Model == nil {
			refuse(b.Path, "it holds no answer of a model that stands")
			continue
		}
		answers[d.Ref] = kept.Model
	}
	return answers, refused, nil
}

// offer reads one file that is offered as the assessment of an entry.
func offer(d *registry.Doc, path string, data []byte) (*Assessment, string) {
	if len(data) > source.MaxBytes {
		return nil, fmt.Sprintf("it has over %d bytes", source.MaxBytes)
	}
	doc, found := source.Parse(path, data)
	if doc == nil || len(found) > 0 {
		return nil, "it is not YAML of the sort that the registry reads"
	}
	a, err := decode(&registry.Doc{Path: path, Source: doc})
	if err != nil {
		return nil, err.Error()
	}
	if a.Entry != d.Ref.String() {
		return nil, fmt.Sprintf("entry %q is not %q, which its place says", a.Entry, d.Ref)
	}
	return a, ""
}

// String says what was dropped, on one line whatever it quotes.
func (d Dropped) String() string {
	var parts []string
	if d.Code != "" {
		parts = append(parts, fmt.Sprintf("%q", firstBytes(d.Code, 100)))
	}
	if d.Pointer != "" {
		parts = append(parts, fmt.Sprintf("at %q", firstBytes(d.Pointer, 100)))
	}
	if d.Quote != "" {
		parts = append(parts, fmt.Sprintf("%q", firstBytes(d.Quote, 200)))
	}
	if len(parts) == 0 {
		return d.Reason
	}
	return strings.Join(parts, " ") + ": " + d.Reason
}
