package propose

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/schemas"
)

const templates = "../../.github/ISSUE_TEMPLATE"

// A template is an issue form as GitHub reads it: other keys make it refuse the file.
type template struct {
	Name        string     `yaml:"name"`
	Description string     `yaml:"description"`
	Title       string     `yaml:"title"`
	Body        []question `yaml:"body"`
}

type question struct {
	Type       string `yaml:"type"`
	ID         string `yaml:"id"`
	Attributes struct {
		Label       string   `yaml:"label"`
		Description string   `yaml:"description"`
		Placeholder string   `yaml:"placeholder"`
		Multiple    bool     `yaml:"multiple"`
		Options     []string `yaml:"options"`
	} `yaml:"attributes"`
	Validations struct {
		Required bool `yaml:"required"`
	} `yaml:"validations"`
}

func strictly(t *testing.T, name string, v any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(templates, name))
	if err != nil {
		t.Fatal(err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// The forms that people fill in and those that the bot reads are the same, and
// follow GitHub's rules for issue forms.
func TestFormsAgree(t *testing.T) {
	files, err := os.ReadDir(templates)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"config.yml"}
	for _, f := range Forms {
		want = append(want, f.Name+".yml")
	}
	slices.Sort(want)
	var got []string
	for _, f := range files {
		got = append(got, f.Name())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files in .github/ISSUE_TEMPLATE (-want +got):\n%s", diff)
	}
	firsts := map[string]bool{}
	for _, form := range Forms {
		t.Run(form.Name, func(t *testing.T) {
			var file template
			strictly(t, form.Name+".yml", &file)
			if file.Name == "" || file.Description == "" || len(file.Description) > 200 {
				t.Errorf("the form needs a name and a description of at most 200 characters")
			}
			first := form.Fields[0].Label
			if firsts[first] {
				t.Errorf("the first question %q is that of another form too", first)
			}
			firsts[first] = true
			if len(file.Body) != len(form.Fields) {
				t.Fatalf("the file has %d questions, Forms %d", len(file.Body), len(form.Fields))
			}
			id, ids, labels := regexp.MustCompile(`^[A-Za-z0-9_-]+$`), map[string]bool{}, map[string]bool{}
			for i, q := range file.Body {
				f, a := form.Fields[i], q.Attributes
				got := Field{q.ID, a.Label, q.Validations.Required, f.Max, a.Options, a.Multiple}
				if diff := cmp.Diff(f, got); diff != "" {
					t.Errorf("question %d (-Forms +file):\n%s", i+1, diff)
				}
				if !id.MatchString(q.ID) || ids[q.ID] || labels[a.Label] || a.Label == "" {
					t.Errorf("question %d: id %q or label %q is there twice, or is none", i+1, q.ID, a.Label)
				}
				ids[q.ID], labels[a.Label] = true, true
				if dropdown := q.Type == "dropdown"; dropdown != (len(a.Options) > 0) || !dropdown && q.Type != "input" && q.Type != "textarea" {
					t.Errorf("question %q has the type %q with %d options", q.ID, q.Type, len(a.Options))
				}
				if strings.ContainsAny(strings.Join(a.Options, ""), ",") || slices.Contains(a.Options, "None") {
					t.Errorf("question %q: an option with a comma, or called None, cannot be told apart in the issue", q.ID)
				}
				if f.Max <= 0 {
					t.Errorf("question %q has no bound", q.ID)
				}
			}
		})
	}
}

func TestConfig(t *testing.T) {
	var config struct {
		Blank *bool `yaml:"blank_issues_enabled"`
		Links []struct {
			Name  string `yaml:"name"`
			URL   string `yaml:"url"`
			About string `yaml:"about"`
		} `yaml:"contact_links"`
	}
	strictly(t, "config.yml", &config)
	if config.Blank == nil {
		t.Error("blank_issues_enabled is not said")
	}
	for _, l := range config.Links {
		if l.Name == "" || l.About == "" || !strings.HasPrefix(l.URL, "https://") {
			t.Errorf("link %+v lacks something", l)
		}
	}
}

// What may be chosen is what the schemas allow.
func TestOptionsAgreeWithSchemas(t *testing.T) {
	var dpg, resource struct {
		Properties struct {
			Types struct {
				Items struct{ Enum []string }
			}
			Format struct{ Enum []string }
		}
	}
	for name, v := range map[string]any{"dpg.schema.json": &dpg, "resource.schema.json": &resource} {
		data, err := schemas.FS.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, v); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(dpg.Properties.Types.Items.Enum, Types); diff != "" {
		t.Errorf("types (-schema +Types):\n%s", diff)
	}
	if diff := cmp.Diff(resource.Properties.Format.Enum, Formats); diff != "" {
		t.Errorf("formats (-schema +Formats):\n%s", diff)
	}
}

// filled writes an issue as GitHub does from the answers to a form.
func filled(form Form, answers map[string]string) string {
	var b strings.Builder
	for _, f := range form.Fields {
		answer := answers[f.ID]
		if answer == "" {
			answer = noResponse
		}
		b.WriteString(heading + f.Label + "\n\n" + answer + "\n\n")
	}
	return strings.TrimSuffix(b.String(), "\n\n")
}

func form(name string) Form {
	return Forms[slices.IndexFunc(Forms, func(f Form) bool { return f.Name == name })]
}

func TestRead(t *testing.T) {
	good := map[string]string{"name": "Open Map", "types": "data, software", "description": "A map.\n\nOf wells.", "license": "ODbL-1.0"}
	with := func(id, value string) map[string]string {
		m := map[string]string{}
		for k, v := range good {
			m[k] = v
		}
		m[id] = value
		return m
	}
	for _, tt := range []struct {
		name, body string
		ok         bool
		want       map[string]string // some values
		problems   []string
	}{
		{"filled in", filled(form("dpg"), good), true, good, nil},
		{"line ends of Windows", strings.ReplaceAll(filled(form("dpg"), good), "\n", "\r\n"), true, good, nil},
		{"a heading of one's own", filled(form("dpg"), with("description", "### History\nOld.")), true, map[string]string{"description": "### History\nOld."}, nil},
		{"a question that is quoted", filled(form("dpg"), with("description", "> ### Website\nx")), true, map[string]string{"description": "> ### Website\nx"}, nil},
		{"no form", "Please add Open Map.", false, nil, nil},
		{"a form below other text", "Hello\n\n" + filled(form("dpg"), good), false, nil, nil},
		{"empty", "", false, nil, nil},
		{"an answer that is needed", filled(form("dpg"), with("name", "")), true, nil, []string{"Name of the digital public good: an answer is needed"}},
		{"a question in an answer", filled(form("dpg"), with("description", "x\n\n### Licence\n\nMIT")), true, nil,
			[]string{"Types: this question stands out of its place; put the questions into the order of the form"}},
		{"a question twice", filled(form("dpg"), with("id", "x\n### Id\ny")), true, nil,
			[]string{"Id: this question stands in the issue twice; take the one out that belongs to an answer"}},
		{"no such type", filled(form("dpg"), with("types", "software, magic")), true, nil,
			[]string{`Types: "magic" is not one of software, data, content, standard, ai-system`}},
		{"too long", filled(form("dpg"), with("name", strings.Repeat("é", 201))), true, nil,
			[]string{"Name of the digital public good: the answer has 201 characters; at most 200 fit"}},
		{"not UTF-8", filled(form("dpg"), with("name", "\xff")), true, nil, []string{"Name of the digital public good: the text is not UTF-8"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, problems, ok := Read(tt.body)
			if ok != tt.ok {
				t.Fatalf("ok = %t, want %t", ok, tt.ok)
			}
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(tt.problems, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			for id, want := range tt.want {
				if got := s.Value(id); got != want {
					t.Errorf("%s = %q, want %q", id, got, want)
				}
			}
		})
	}
}
