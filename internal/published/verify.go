package published

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/html"
	"golang.org/x/sync/errgroup"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/schema"
	"github.com/dpg-registry/dpg-registry/schemas"
)

// A Problem is one thing that is wrong with a published file.
type Problem struct {
	Path string `json:"path"` // relative to the catalog's root
	What string `json:"what"`
}

// A Verdict is what Verify found.
type Verdict struct {
	Site         string    `json:"site"`
	SourceCommit *string   `json:"source_commit"`
	Files        int       `json:"files"` // with the manifest
	Bytes        int64     `json:"bytes"`
	Links        int       `json:"links"`    // that were followed, within the catalog
	Problems     []Problem `json:"problems"` // by path
}

// maxProblems bounds a verdict: a catalog of a hundred thousand files may have one
// fault in each.
const maxProblems = 1000

// Verify reads every file that the manifest lists, and checks it: that it has the
// bytes the manifest says, that a response has the shape of its schema, the manifest
// too, that all that name a commit name the same, that the pages of a list are that
// list, that digests and counts are those of what they are told of, and that
// links within the catalog lead to a file of it. In a folder it also looks for files
// below api/ that the manifest does not list. progress is told as files are done.
// What is wrong is no error.
func Verify(ctx context.Context, s *Site, jobs int, progress func(done, of int)) (*Verdict, error) {
	m, text, err := s.manifestText(ctx)
	if err != nil {
		return nil, err
	}
	index, noIndex := s.index(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if noIndex != nil { // what is wrong with the rest is told all the same
		index = &catalogIndex{}
	}
	v := &verifier{
		site: s, origin: m.Origin, files: map[string]bool{manifestName: true}, classes: index.classes(), judges: map[string]*schema.Foreign{},
		noted: map[string]bool{}, digests: map[string]promise{}, lists: map[string]*listed{},
		out: Verdict{Site: s.String(), SourceCommit: m.SourceCommit, Files: len(m.Files) + 1, Problems: []Problem{}},
	}
	for _, f := range m.Files {
		v.files[f.Path] = true
	}
	if noIndex != nil {
		v.out.Problems = append(v.out.Problems, Problem{indexName, "it cannot be read, and it tells which file has which schema: no shapes were checked"})
	}
	if err := v.manifest(m, text); err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cmp.Or(jobs, 2*runtime.GOMAXPROCS(0)))
	var mu sync.Mutex
	done := 0
	for _, f := range m.Files {
		group.Go(func() error {
			found, links, err := v.file(ctx, f)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			if progress != nil {
				progress(done, len(m.Files))
			}
			v.out.Bytes += int64(f.Bytes)
			v.out.Links += links
			v.out.Problems = append(v.out.Problems, found...)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	v.pages()
	if s.list != nil {
		names, err := s.list()
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", s, err)
		}
		for _, name := range names {
			if !v.files[name] && !strings.HasPrefix(path.Base(name), ".") {
				v.out.Problems = append(v.out.Problems, Problem{name, "the manifest does not list it; it may be left from another build"})
			}
		}
	}
	slices.SortFunc(v.out.Problems, func(a, b Problem) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.What, b.What)) })
	if n := len(v.out.Problems); n > maxProblems {
		v.out.Problems = append(v.out.Problems[:maxProblems], Problem{"", fmt.Sprintf("and %d more", n-maxProblems)})
	}
	return &v.out, nil
}

const indexName = apiFolder + "index.json"

type catalogIndex struct{ catalog.Index }

func (s *Site) index(ctx context.Context) (*catalogIndex, error) {
	data, err := s.read(ctx, indexName, maxFile)
	var i catalogIndex
	if err == nil {
		err = json.Unmarshal(data, &i.Index)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", indexName, s, err)
	}
	return &i, nil
}

// A class is the files of one sort, by what the index says of them.
type class struct {
	files  *regexp.Regexp
	schema string
}

// classes reads the links of the index: what each leads to, and the schema of that.
// Those that name one file come before those that name many.
func (i *catalogIndex) classes() []class {
	var exact, many []class
	for _, l := range i.Links {
		if l.SchemaPath == nil {
			continue
		}
		var pattern strings.Builder
		for n, part := range regexp.MustCompile(`\{[a-z_]+\}`).Split(l.Path, -1) {
			if n > 0 {
				pattern.WriteString(`[^/]+`)
			}
			pattern.WriteString(regexp.QuoteMeta(part))
		}
		c := class{regexp.MustCompile("^" + pattern.String() + "$"), path.Base(*l.SchemaPath)}
		if strings.Contains(l.Path, "{") {
			many = append(many, c)
		} else {
			exact = append(exact, c)
		}
	}
	return append(exact, many...)
}

type verifier struct {
	site    *Site
	origin  catalog.Origin // that the manifest names
	files   map[string]bool
	classes []class
	out     Verdict

	mu     sync.Mutex
	judges map[string]*schema.Foreign // by the schema's file name; nil where there is none
	// What files say of lists, by their path relative to api/v1/; see note.
	noted    map[string]bool
	promises []promise
	digests  map[string]promise
	lists    map[string]*listed
}

// file checks one file. The error is of the run: a file that cannot be read is a
// problem, and one more when the server is gone altogether.
func (v *verifier) file(ctx context.Context, f catalog.ManifestFile) (found []Problem, links int, err error) {
	report := func(format string, args ...any) {
		found = append(found, Problem{f.Path, fmt.Sprintf(format, args...)})
	}
	data, err := v.site.read(ctx, f.Path, int64(f.Bytes))
	switch {
	case ctx.Err() != nil:
		return nil, 0, ctx.Err()
	case errors.Is(err, fs.ErrNotExist):
		report("it is missing; the manifest lists it")
		return found, 0, nil
	case errors.Is(err, errLong):
		report("it has more than the %d bytes that the manifest says", f.Bytes)
		return found, 0, nil
	case err != nil:
		var in *fs.PathError // whose own words name the file once more, and a system call
		if errors.As(err, &in) {
			err = in.Err
		}
		report("it cannot be read: %v", err)
		return found, 0, nil
	case len(data) != f.Bytes:
		report("it has %d bytes; the manifest says %d", len(data), f.Bytes)
		return found, 0, nil
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != f.SHA256 {
		report("its SHA-256 is %s; the manifest says %q", hex.EncodeToString(sum[:]), f.SHA256)
		return found, 0, nil
	}
	switch path.Ext(f.Path) {
	case ".json":
		rest, api := strings.CutPrefix(f.Path, apiFolder)
		if !api {
			break // the predecessor's views have shapes of their own
		}
		value, err := decode(data)
		if err != nil {
			report("it is not JSON: %v", err)
			break
		}
		if err := v.shape(rest, value, report); err != nil {
			return nil, 0, err
		}
		switch rest {
		case "index.json", "status.json", "full.json":
			v.sameOrigin(value, report)
		}
		if !strings.HasPrefix(rest, "schemas/") && rest != openAPIName {
			v.note(rest, data, value, report)
		}
		// The examples in openapi.json are shown, not followed.
		if !strings.HasPrefix(rest, "schemas/") && rest != openAPIName && !strings.HasPrefix(rest, "manifest") {
			links = v.paths(value, report)
		}
	case ".html":
		links = v.hrefs(f.Path, data, report)
	}
	return found, links, nil
}

// sameOrigin holds a response that names the commit of the whole catalog against the
// manifest. A key that is missing is a matter of its shape.
func (v *verifier) sameOrigin(value any, report func(string, ...any)) {
	m, _ := value.(map[string]any)
	for key, want := range map[string]*string{"source_commit": v.origin.SourceCommit, "generated_at": v.origin.GeneratedAt} {
		is, there := m[key]
		if said, isText := is.(string); there && (is == nil) != (want == nil) || isText && want != nil && said != *want {
			report("its %s is %s, and the manifest's %s; the files are of two builds", key, text(is), text(want))
		}
	}
}

// maxShape bounds what is said of the shape of one file.
const maxShape = 5

// shape judges a response by this program's schema for it.
func (v *verifier) shape(name string, value any, report func(string, ...any)) error {
	i := slices.IndexFunc(v.classes, func(c class) bool { return c.files.MatchString(name) })
	if i < 0 {
		return nil
	}
	judge, err := v.judge(v.classes[i].schema)
	if err != nil || judge == nil {
		return err
	}
	problems, err := judge.Judge(value)
	if err != nil {
		return err
	}
	for n, p := range problems {
		if n == maxShape {
			report("and %d more things that %s does not allow", len(problems)-n, v.classes[i].schema)
			break
		}
		report("%s: %q of %s is broken", cmp.Or(p.Pointer, "the whole of it"), p.Keyword, v.classes[i].schema)
	}
	return nil
}

func (v *verifier) judge(name string) (*schema.Foreign, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if j, known := v.judges[name]; known {
		return j, nil
	}
	text, err := fs.ReadFile(schemas.FS, name)
	if errors.Is(err, fs.ErrNotExist) { // of a later version than this program
		v.judges[name] = nil
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	j, err := schema.CompileForeign(text)
	if err != nil {
		return nil, fmt.Errorf("schema %s: %w", name, err)
	}
	v.judges[name] = j
	return j, nil
}

// paths follows every key that says where something is published.
func (v *verifier) paths(value any, report func(string, ...any)) (n int) {
	switch value := value.(type) {
	case map[string]any:
		for key, x := range value {
			to, isText := x.(string)
			if isText && (key == "path" || strings.HasSuffix(key, "_path") && key != "source_path") && !strings.Contains(to, "{") {
				n++
				if full := path.Join(apiFolder, to); !v.files[full] {
					report("its %q leads to %q, which is no file of the catalog", key, to)
				}
				continue
			}
			n += v.paths(x, report)
		}
	case []any:
		for _, x := range value {
			n += v.paths(x, report)
		}
	}
	return n
}

// hrefs follows the links of a page to files of the catalog.
func (v *verifier) hrefs(name string, data []byte, report func(string, ...any)) (n int) {
	page := &url.URL{Path: "/" + name}
	doc, err := html.Parse(strings.NewReader(string(data)))
	if err != nil {
		report("it is not HTML: %v", err)
		return 0
	}
	for node := range doc.Descendants() {
		for _, a := range node.Attr {
			if a.Key != "href" && a.Key != "src" {
				continue
			}
			u, err := url.Parse(a.Val)
			if err != nil {
				report("its link %q is none", a.Val)
				continue
			}
			if u.IsAbs() || u.Host != "" || u.Path == "" || strings.HasPrefix(u.Path, "/") {
				continue
			}
			n++
			to := strings.TrimPrefix(page.ResolveReference(u).Path, "/")
			if to == "" || strings.HasSuffix(to, "/") {
				to += "index.html"
			}
			if !v.files[to] && !v.files[strings.TrimSuffix(to, ".html")+".json"] {
				report("its link %q leads to %q, which is no file of the catalog", a.Val, to)
			}
		}
	}
	return n
}
