package catalog

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/framework"
)

// The two frameworks that entries speak of in keys of their own: their views
// come from what the entry claims, not from an engine.
const (
	sdgFramework      = "sdgs"
	standardFramework = "dpg-standard"
)

// A claimed view shows this much of the entry's words; all of them stand in the
// entry's own file.
const (
	maxClaimQuotes = 3
	maxClaimQuote  = 300 // characters
)

// frameworks writes the list of frameworks, each framework and the view of each
// of its codes.
func (b *builder) frameworks() error {
	set := b.in.Registry.Frameworks
	all := Frameworks{Envelope: b.envelope(), Items: []FrameworkSummary{}}
	views := map[string]*supporters{}
	for _, f := range b.all {
		for _, v := range f.views {
			s := views[v.code]
			if s == nil {
				s = &supporters{}
				views[v.code] = s
			}
			s.entries, s.rows = append(s.entries, f), append(s.rows, v.row)
		}
	}
	for _, id := range set.IDs() {
		f := set[id]
		total, err := b.framework(f, views)
		if err != nil {
			return err
		}
		all.Items = append(all.Items, FrameworkSummary{
			ID: f.ID, Path: frameworkFolder + "/" + f.ID + ".json", Title: b.text(f.Name),
			Version: known(f.Version), URL: known(f.Source.URL),
			CodeCount: len(f.Codes), EntryCount: total, Credit: b.credit(f),
		})
	}
	all.Total = len(all.Items)
	b.cat.Index.Frameworks = all.Items
	all.Crosswalks = each(b.in.Registry.Crosswalks, b.crosswalk)
	return b.put(frameworkFolder+".json", all)
}

// supporters are the entries in the view of a code, with their rows there.
type supporters struct {
	entries []*Facts
	rows    []row
}

// framework writes one framework with its views and returns how many entries
// stand in one or more of them.
func (b *builder) framework(f *framework.Framework, views map[string]*supporters) (int, error) {
	out := b.bare(f)
	used := map[*Facts]bool{}
	for _, c := range f.Codes {
		v := View{
			Envelope: b.envelope(), Framework: f.ID, Credit: b.credit(f), Items: []ViewItem{},
			CodeInfo: b.codeInfo(f, c),
		}
		code := f.ID + "/" + c.Code
		from := cmp.Or(views[code], &supporters{})
		for _, f := range from.entries {
			used[f] = true
		}
		path := viewPath(f.ID, c.Code)
		v.Total = len(from.entries)
		var err error
		if v.PagesPath, err = b.pages(listing{path: path}.of(partViews, from.entries, func(i int) row { return from.rows[i] })); err != nil {
			return 0, err
		}
		also, err := encode(v) // crosswalks are in it too
		if err != nil {
			return 0, err
		}
		if err := b.putMade(path, madeOf(partViews, from.entries), string(also), "items", func() (any, []row, error) {
			rows, err := gather(from.rows)
			if err != nil {
				return nil, nil, err
			}
			v.Digest, err = digestOf(rows)
			return v, rows, err
		}); err != nil {
			return 0, err
		}
		out.Codes = append(out.Codes, Code{v.CodeInfo, path, v.PagesPath, v.Total})
	}
	b.cat.Frameworks = append(b.cat.Frameworks, out)
	return len(used), b.put(frameworkFolder+"/"+f.ID+".json", out)
}

// bare is a framework without its codes.
func (b *builder) bare(f *framework.Framework) Framework {
	out := Framework{
		Envelope: b.envelope(), ID: f.ID, Title: b.text(f.Name), Version: known(f.Version), AsOf: known(f.AsOf),
		PublisherName: known(f.Source.Publisher), URL: known(f.Source.URL), Credit: b.credit(f), Codes: []Code{},
	}
	out.Lists = each(f.Lists, func(l framework.List) CodeList { return CodeList{l.ID, b.text(l.Name), l.Mapped} })
	return out
}

func (b *builder) codeInfo(f *framework.Framework, c framework.Code) CodeInfo {
	full := func(code string) string {
		if code == "" {
			return ""
		}
		return f.ID + "/" + code
	}
	info := CodeInfo{
		ID: c.Code, Code: full(c.Code), Printed: known(c.Printed), Title: b.text(c.Name), Description: b.text(c.Description),
		List: c.List, Group: known(c.Group), Parent: known(full(c.Parent)), URL: known(c.URL),
		Relations: map[string][]string{},
		Related:   each(b.related[f.ID+"/"+c.Code], b.relatedCode),
	}
	for to, codes := range c.Relations {
		info.Relations[to] = each(codes, full)
	}
	return info
}

// crosswalk is the published form of a crosswalk of codes that are in use.
func (b *builder) crosswalk(w *framework.Crosswalk) Crosswalk {
	return Crosswalk{
		ID: w.ID, Title: b.text(w.Name), Notice: b.text(w.Notice), AsOf: known(w.AsOf),
		Rows: each(w.Rows, func(r framework.Row) CrosswalkRow {
			return CrosswalkRow{r.Code, each(r.Related, func(to framework.Related) Related {
				return b.relatedCode(framework.Relation{Code: to.Code, Why: to.Why, Crosswalk: w.ID})
			})}
		}),
	}
}

func (b *builder) relatedCode(r framework.Relation) Related {
	title, _ := b.code(r.Code)
	id, code, _ := framework.Split(r.Code)
	return Related{Code: r.Code, Path: viewPath(id, code), Title: title, Reason: b.text(r.Why), Crosswalk: r.Crosswalk}
}

// A viewed is an entry in the view of a code.
type viewed struct {
	code string
	item ViewItem
}

// viewItems gives the views that a live entry stands in.
func (b *builder) viewItems(source *entry.Entry, e Entry) []viewed {
	var out []viewed
	// What people and engines ruled on comes first: a claim neither stands
	// beside a mapping of the same code nor outlives its rejection.
	ruled := map[string]bool{}
	add := func(code, state string, quotes []Quote) {
		out = append(out, viewed{code, ViewItem{e.ID, e.Kind, e.Path, e.Name, state, quotes}})
		ruled[code] = true
	}
	if a := e.Assessment; a != nil {
		for _, m := range a.Mappings {
			if m.inView() && !ruled[m.Code] {
				add(m.Code, m.State, m.Quotes)
			}
			ruled[m.Code] = ruled[m.Code] || m.State == stateRejected
		}
	}
	for _, c := range b.claims(source) {
		if b.hasView(c.code) && !ruled[c.code] {
			add(c.code, stateClaimed, c.quotes)
		}
	}
	return out
}

// A claim is a code that an entry itself says it has to do with.
type claim struct {
	code   string
	quotes []Quote
}

// claims collects an entry's claims of goals and its answers to the DPG
// Standard, one claim a code.
func (b *builder) claims(e *entry.Entry) []claim {
	var (
		order []string
		words = map[string][]Quote{}
	)
	say := func(code, pointer, quote string) {
		if quote = excerpt(quote); quote == "" {
			return
		}
		if words[code] == nil {
			order = append(order, code)
		}
		if len(words[code]) < maxClaimQuotes {
			words[code] = append(words[code], Quote{pointer, quote})
		}
	}
	main := b.language(e)
	for i, s := range e.SDGs {
		code, at := sdgFramework+"/"+strconv.Itoa(s.Goal), "/sdgs/"+strconv.Itoa(i)
		say(code, at+"/text", s.Text.Best(main, main))
		for j, link := range s.Evidence {
			say(code, at+"/evidence/"+strconv.Itoa(j), link)
		}
		if words[code] == nil {
			say(code, at+"/goal", strconv.Itoa(s.Goal))
		}
	}
	for _, q := range e.Standard.Questions() {
		if q.Answer.Answer != "yes" || circumstance(q.Key) {
			continue
		}
		code, at := standardFramework+"/"+q.Indicator, "/standard/"+q.Key
		say(code, at+"/text", q.Answer.Text.Best(main, main))
		for j, item := range q.Answer.Items {
			say(code, at+"/items/"+strconv.Itoa(j), item)
		}
		for j, link := range q.Answer.Evidence {
			say(code, at+"/evidence/"+strconv.Itoa(j), link)
		}
	}
	out := make([]claim, 0, len(order))
	for _, code := range order {
		out = append(out, claim{code, words[code]})
	}
	return out
}

// circumstance reports whether a question of the DPG Standard asks how things
// are, such as whether any personal data is held. A yes to it opens further
// questions; it does not speak for the indicator.
func circumstance(question string) bool {
	return slices.Contains([]string{
		"restrictive_dependency", "non_personal_data", "personal_data", "data_sharing", "user_content", "user_interaction",
	}, question)
}

// excerpt is the beginning of a text, verbatim, cut between words where it is
// long.
func excerpt(s string) string {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) <= maxClaimQuote {
		return s
	}
	n, end := 0, 0
	for i, r := range s {
		if n == maxClaimQuote {
			if end == 0 { // one endless word
				end = i
			}
			break
		}
		if r == ' ' || r == '\n' || r == '\t' {
			end = i
		}
		n++
	}
	return strings.TrimSpace(s[:end])
}
