package propose

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// maxID is the longest id that the schemas take.
const maxID = 100

// ID makes an id of a name: lower-case letters and digits of ASCII, in groups
// joined by hyphens. It is "" for a name that has none.
func ID(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(name) {
		r = unicode.ToLower(r)
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’': // accents, and "people's"
		default:
			gap = true
		}
		if b.Len() >= maxID-1 {
			break
		}
	}
	return b.String()
}

var (
	idPattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	goalLine  = regexp.MustCompile(`^(?:[-*] *)?(?:(?i:SDG|Goal) *)?([0-9]{1,2})(?:[:.,)] *| +[-–—] *| +|$)(.*)$`)
)

// reserved are names that Windows gives to devices, whatever follows a dot: a file
// of such a name cannot be checked out there.
var reserved = regexp.MustCompile(`^(con|prn|aux|nul|com[0-9]|lpt[0-9])$`)

// CheckID says why an id is none, or "".
func CheckID(id string) string {
	if reserved.MatchString(id) {
		return fmt.Sprintf("%q is a name that Windows keeps for itself; choose another, such as %s-project", id, id)
	}
	if len(id) > maxID || !idPattern.MatchString(id) {
		return fmt.Sprintf("%q is not an id: lower-case letters and digits in groups joined by single hyphens, at most %d characters, such as open-map", id, maxID)
	}
	return ""
}

// Entry makes an entry of a form that proposes one. Problems are what its author
// has to change before there can be one; what else is wrong with it is for the
// rules to say.
func (s Sheet) Entry() (*entry.Entry, []Problem) {
	var problems []Problem
	problem := func(id, message string) {
		label := id
		for _, f := range s.Form.Fields {
			if f.ID == id {
				label = f.Label
			}
		}
		problems = append(problems, Problem{id, label, message})
	}
	stage := entry.StageNominee
	if s.Form.Kind == "resource" {
		stage = entry.StageListed
	}
	e := &entry.Entry{
		Schema: s.Form.Kind + "/v1", ID: s.Line("id"), Name: s.Line("name"),
		Website: s.Line("website"), URL: s.Line("url"), Format: s.Line("format"), Published: s.Line("published"),
		Types: list(s.Value("types")), Status: entry.Status{Stage: stage},
	}
	if text := s.Line("description"); text != "" {
		e.Description = entry.Plain(text)
	}
	at := "id"
	if e.ID == "" {
		if e.ID = ID(e.Name); !reserved.MatchString(e.ID) { // the name is right then, and the id is to be given
			at = "name"
		}
	}
	switch why := CheckID(e.ID); {
	case e.ID == "":
		problem("id", fmt.Sprintf("no id can be made of the name %q; give one, such as open-map", e.Name))
	case why != "":
		problem(at, why)
	}
	if l := s.Line("license"); l != "" {
		e.Licenses = []entry.License{{Expression: l, URL: s.Line("license-url")}}
	} else if s.Line("license-url") != "" {
		problem("license", "name the licence that can be read there, such as Apache-2.0")
	}
	for line := range strings.Lines(s.Value("repositories")) {
		if url := strings.TrimLeft(oneLine(line), "-* "); url != "" {
			e.Repositories = append(e.Repositories, entry.Repository{URL: strings.Trim(url, "<>")})
		}
	}
	for line := range strings.Lines(s.Value("sdgs")) {
		line = oneLine(line)
		if line == "" {
			continue
		}
		m := goalLine.FindStringSubmatch(line)
		n := 0
		if m != nil {
			n, _ = strconv.Atoi(m[1])
		}
		if n < 1 || n > 17 {
			problem("sdgs", fmt.Sprintf("%q does not begin with the number of a goal, 1 to 17, such as 3: Nurses use it.", clip(line, 100)))
			continue
		}
		g := entry.SDG{Goal: n}
		if m[2] != "" {
			g.Text = entry.Plain(m[2])
		}
		e.SDGs = append(e.SDGs, g)
	}
	if name := s.Line("owner"); name != "" {
		role := "owner"
		if s.Form.Kind == "resource" {
			role = "publisher"
		}
		e.Organizations = []entry.Organization{{Name: name, Role: role}}
	}
	return e, problems
}

func clip(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + " …"
	}
	return s
}

// File is where an entry belongs, relative to the registry's folder, and what its
// file holds.
func File(e *entry.Entry) (name string, data []byte, err error) {
	kind, ok := entry.KindNamed(strings.TrimSuffix(e.Schema, "/v1"))
	if !ok {
		return "", nil, fmt.Errorf("schema %q is of no kind of entry", e.Schema)
	}
	if why := CheckID(e.ID); why != "" {
		return "", nil, fmt.Errorf("%s", why)
	}
	name = kind.Folder + "/" + e.ID + ".yaml"
	data, err = entry.Encode(e, entry.SchemaPath("registry/"+name, kind.Schema))
	return name, data, err
}
