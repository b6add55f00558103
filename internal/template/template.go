// Package template makes the files that a new registry begins with, and tells how the
// files of one that exists differ from them. The workflows and forms are those that
// the project's own repository uses.
package template

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"

	dpgregistry "github.com/dpg-registry/dpg-registry"
	builtin "github.com/dpg-registry/dpg-registry/registry"
)

//go:embed files
var own embed.FS

// Schemas is where the JSON Schemas are published; editors fetch them from there.
const Schemas = "https://dpg-registry.github.io/dpg-registry/schemas/"

// SumsFile records what the template wrote, in the form of sha256sum: a file that has
// another sum now was changed by a person.
const SumsFile = ".github/dpg-template.sha256"

// workflows are those of the project that any registry has.
var workflows = []string{"assess.yml", "judge.yml", "rejudge.yml", "respond.yml", "review.yml", "sync.yml"}

// Options are what registries differ in. Name, Publisher, Language and Action are needed.
type Options struct {
	Name      string // what the registry is called
	Publisher string // who answers for it
	Contact   string // a page by which to reach them, or ""
	BaseURL   string // where the catalog will be published, ending in a slash, or ""
	Language  string // BCP 47 tag of plain text
	Action    string // what workflows use, such as OWNER/REPO@COMMIT; see Action
}

var actionRef = regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+@[A-Za-z0-9_./-]+( # [A-Za-z0-9_.+-]+)?$`)

// Check says what of the options cannot be, or nil.
func (o Options) Check() error {
	for _, t := range []struct{ what, text string }{{"the name", o.Name}, {"the publisher", o.Publisher}} {
		switch {
		case strings.TrimSpace(t.text) == "":
			return fmt.Errorf("%s is blank", t.what)
		case len(t.text) > 200:
			return fmt.Errorf("%s has %d bytes; at most 200 fit", t.what, len(t.text))
		case !utf8.ValidString(t.text) || strings.ContainsFunc(t.text, func(r rune) bool { return !unicode.IsPrint(r) }):
			return fmt.Errorf("%s %q holds characters that do not print", t.what, t.text)
		case strings.ContainsAny(t.text, "<>`[]\\{}"):
			return fmt.Errorf("%s %q holds one of <>`[]{}\\, which Markdown takes for more than text", t.what, t.text)
		}
	}
	for _, t := range []struct{ what, text string }{{"the contact", o.Contact}, {"the base address", o.BaseURL}} {
		if t.text == "" {
			continue
		}
		if u, err := url.Parse(t.text); err != nil || u.Scheme != "https" || u.Host == "" || strings.ContainsAny(t.text, " <>\"'`\\") {
			return fmt.Errorf("%s %q is not a web address such as https://example.org/", t.what, t.text)
		}
	}
	if o.BaseURL != "" && !strings.HasSuffix(o.BaseURL, "/") {
		return fmt.Errorf("the base address %q does not end in a slash", o.BaseURL)
	}
	if _, err := language.Parse(o.Language); err != nil {
		return fmt.Errorf("%q is not a language tag such as en or pt-BR", o.Language)
	}
	if !actionRef.MatchString(o.Action) {
		return fmt.Errorf("the Action %q is not written as OWNER/REPO@COMMIT", o.Action)
	}
	return nil
}

// Repository is the project's own, where its Action is.
const Repository = "dpg-registry/dpg-registry"

// Action is what workflows use where the program was built from a commit: the commit,
// which nobody can move, with the release for people to read. Commit is "" where it is
// not known; then a branch or tag must do, and pinned is false.
func Action(commit string) (ref string, pinned bool) {
	data, err := dpgregistry.FS.ReadFile("internal/action/VERSION")
	version := strings.TrimSpace(string(data))
	if commit == "" || err != nil {
		return Repository + "@v1", false
	}
	return Repository + "@" + commit + " # " + version, true
}

// settings is registry.yaml as it begins.
type settings struct {
	Schema      string    `yaml:"schema"`
	Name        string    `yaml:"name"`
	Publisher   publisher `yaml:"publisher"`
	ContactURL  string    `yaml:"contact_url,omitempty"`
	BaseURL     string    `yaml:"base_url,omitempty"`
	Languages   []string  `yaml:"languages,flow"`
	Kinds       []string  `yaml:"kinds,flow"`
	Frameworks  []string  `yaml:"frameworks,flow"`
	License     string    `yaml:"license"`
	Attribution string    `yaml:"attribution"`
}

type publisher struct {
	Name string `yaml:"name"`
}

// Files are those of a new registry by their slash-separated paths, SumsFile with them.
func Files(o Options) (map[string][]byte, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	files := map[string][]byte{"registry/dpgs/.gitkeep": nil, "registry/resources/.gitkeep": nil}
	for _, name := range workflows {
		name = ".github/workflows/" + name
		data, err := dpgregistry.FS.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(data, []byte("uses: ./\n")) {
			return nil, fmt.Errorf("%s does not use the Action of its own repository", name)
		}
		files[name] = bytes.ReplaceAll(data, []byte("uses: ./\n"), []byte("uses: "+o.Action+"\n"))
	}
	forms, err := fs.Glob(dpgregistry.FS, ".github/ISSUE_TEMPLATE/*.yml")
	if err != nil {
		return nil, err
	}
	for _, name := range append(forms, ".github/pull_request_template.md") {
		if files[name], err = dpgregistry.FS.ReadFile(name); err != nil {
			return nil, err
		}
	}

	fill := strings.NewReplacer("{{name}}", o.Name, "{{publisher}}", o.Publisher, "{{schemas}}", Schemas,
		"{{contact}}", around("\n\nFor anything else: ", o.Contact, "."),
		"{{catalog}}", around(" The catalog: ", o.BaseURL, ""))
	for name, to := range map[string]string{
		"README.md": "", "POLICY.md": "", "CONTRIBUTING.md": ".github", "SECURITY.md": ".github", "CODEOWNERS": ".github", "gitignore": ".gitignore",
	} {
		data, err := own.ReadFile("files/" + name)
		if err != nil {
			return nil, err
		}
		if name != "gitignore" { // embed leaves files out that begin with a dot
			to = path.Join(to, name)
		}
		files[to] = []byte(fill.Replace(string(data)))
	}

	policy, err := builtin.FS.ReadFile("policy.yaml")
	if err != nil {
		return nil, err
	}
	files["registry/policy.yaml"] = bytes.Replace(policy, []byte("$schema=../schemas/"), []byte("$schema="+Schemas), 1)
	var y bytes.Buffer
	fmt.Fprintf(&y, "# yaml-language-server: $schema=%sregistry.schema.json\n", Schemas)
	enc := yaml.NewEncoder(&y)
	enc.SetIndent(2)
	if err := enc.Encode(settings{
		Schema: "registry/v1", Name: o.Name, Publisher: publisher{o.Publisher}, ContactURL: o.Contact, BaseURL: o.BaseURL,
		Languages: []string{o.Language}, Kinds: []string{"dpg", "resource"},
		Frameworks: []string{"dpg-charter", "dpi-safeguards", "dpg-standard", "sdgs"},
		License:    "CC0-1.0", Attribution: o.Publisher,
	}); err != nil {
		return nil, err
	}
	files["registry/registry.yaml"] = y.Bytes()
	files[SumsFile] = sums(files)
	return files, nil
}

// around is text between two others, or nothing at all.
func around(before, text, after string) string {
	if text == "" {
		return ""
	}
	return before + text + after
}

// yours reports whether a file is a person's from the first day on, and no later
// template touches it.
func yours(name string) bool { return strings.HasPrefix(name, "registry/") }

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

func sums(files map[string][]byte) []byte {
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !yours(name) && name != SumsFile {
			fmt.Fprintf(&b, "%s  %s\n", sum(files[name]), name)
		}
	}
	return b.Bytes()
}

// State is how a file of a registry stands to the template.
type State int

// Of these, only New and Outdated can be written without losing what a person did.
const (
	New      State = iota // the template has it since, and the registry does not
	Outdated              // as an earlier template wrote it
	Changed               // a person changed it, and the template is different
	Deleted               // a person deleted it
)

// A Difference is a file that is not as the template has it.
type Difference struct {
	Path  string // slash-separated
	State State
	Diff  []byte // in the unified format, from the file to the template
}

// Compare tells how the files of a registry differ from the template's, sorted by path.
// Those below registry/ are a person's, and are not looked at.
func Compare(dir fs.FS, files map[string][]byte) ([]Difference, error) {
	recorded := map[string]string{}
	record, err := fs.ReadFile(dir, SumsFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for line := range strings.Lines(string(record)) {
		if digest, name, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "  "); ok {
			recorded[name] = digest
		}
	}
	var out []Difference
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if yours(name) || name == SumsFile {
			continue
		}
		now, err := fs.ReadFile(dir, name)
		missing := errors.Is(err, fs.ErrNotExist)
		if err != nil && !missing {
			return nil, err
		}
		if !missing && bytes.Equal(now, files[name]) {
			continue
		}
		d := Difference{Path: name, Diff: diff.Diff(name, now, name+" (template)", files[name])}
		switch _, known := recorded[name]; {
		case missing && known:
			d.State, d.Diff = Deleted, nil
		case missing:
			d.State = New
		case cmp.Or(recorded[name], "none") == sum(now):
			d.State = Outdated
		default:
			d.State = Changed
		}
		out = append(out, d)
	}
	return out, nil
}

// Record is SumsFile after the differences that take names were written: what a
// person changed or deleted keeps the sum it had, so that it goes on being known as such.
func Record(before []byte, files map[string][]byte, left []Difference) []byte {
	kept := map[string]string{}
	for line := range strings.Lines(string(before)) {
		if _, name, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "  "); ok {
			kept[name] = strings.TrimRight(line, "\r\n") + "\n"
		}
	}
	skip := map[string]bool{}
	for _, d := range left {
		skip[d.Path] = true
	}
	var b bytes.Buffer
	for line := range strings.Lines(string(sums(files))) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if skip[name] {
			line = kept[name] // "" where it was never recorded
		}
		b.WriteString(line)
	}
	return b.Bytes()
}
