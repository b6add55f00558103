package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// The rule ids of this package.
const (
	ruleRequired = "schema-required"
	ruleUnknown  = "schema-unknown-key"
	ruleType     = "schema-type"
	ruleEnum     = "schema-enum"
	rulePattern  = "schema-pattern"
	ruleLength   = "schema-length"
	ruleRange    = "schema-range"
	ruleCount    = "schema-count"
	ruleOther    = "schema"
)

// Rules are the ids of all findings that this package can make.
func Rules() []string {
	return []string{
		ruleOther, ruleCount, ruleEnum, ruleLength, rulePattern,
		ruleRange, ruleRequired, ruleType, ruleUnknown,
	}
}

// MaxFindings bounds the findings on one file: a hostile one could have a
// hundred thousand, and nobody reads past the first screens.
const MaxFindings = 100

// A finder collects what is wrong with one document.
type finder struct {
	set    *Set
	doc    *source.Document
	found  []found
	fields map[*source.Node]map[string]source.Field // of large mappings, by key
}

// Several findings may speak of one value. The one of lowest rank is the most to
// the point and is the one that is kept.
const (
	rankKey       = iota // the key is not known, or is missing
	rankMisplaced        // the key is known but not allowed beside what stands there
	rankType
	rankValue
	rankPattern
	rankFormat
	rankOther
)

// found is a finding on its way.
type found struct {
	at            []string // where, as the tokens of a pointer
	rank          int
	onKey         bool // the key is meant, not its value
	rule          string
	message, hint string
	edit          string // what the value becomes; "" is no edit
	alone         bool   // with this, nothing else that was found means anything
}

func (f *finder) add(x found) { f.found = append(f.found, x) }

// walk takes an error apart down to its leaves.
func (f *finder) walk(e *jsonschema.ValidationError) {
	switch k := e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf:
		for _, c := range e.Causes {
			f.walk(c)
		}
	case *kind.AnyOf:
		f.choose(e)
	case *kind.OneOf:
		if len(k.Subschemas) == 0 {
			f.choose(e)
			return
		}
		f.add(found{at: e.InstanceLocation, rank: rankOther, rule: ruleOther,
			message: fmt.Sprintf("%s can be read in two ways", subject(e.InstanceLocation))})
	case *kind.Required:
		f.missing(e, k.Missing)
	case *kind.DependentRequired:
		f.missing(e, k.Missing)
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			f.unknown(e, name)
		}
	case *kind.FalseSchema:
		f.misplaced(e)
	case *kind.Type:
		f.wrongType(e.InstanceLocation, e.SchemaURL, k.Want)
	case *kind.Enum:
		f.notListed(e, k)
	case *kind.Const:
		f.notConst(e, k)
	case *kind.Pattern:
		f.mismatch(e, k)
	case *kind.Format:
		f.misformed(e, k)
	case *kind.MinLength:
		f.tooShort(e, k)
	case *kind.MaxLength:
		f.tooLong(e, k)
	case *kind.Minimum, *kind.Maximum, *kind.ExclusiveMinimum, *kind.ExclusiveMaximum:
		f.outOfRange(e)
	case *kind.MinItems:
		f.tooFew(e, k.Got, k.Want, "item")
	case *kind.MaxItems:
		f.tooMany(e, k.Got, k.Want, "item")
	case *kind.MinProperties:
		f.tooFew(e, k.Got, k.Want, "key")
	case *kind.MaxProperties:
		f.tooMany(e, k.Got, k.Want, "key")
	default:
		f.other(e)
	}
}

func (f *finder) other(e *jsonschema.ValidationError) {
	message := fmt.Sprintf("%s does not have the shape that is asked for", subject(e.InstanceLocation))
	if words := e.ErrorKind.KeywordPath(); len(words) > 0 {
		message += fmt.Sprintf(" by %q of the schema", words[0])
	}
	f.add(found{at: e.InstanceLocation, rank: rankOther, rule: ruleOther, message: message})
}

// choose picks, of several shapes none of which fits, the one that was most
// likely meant: a shape of the value's own type, with the least that is wrong.
// If the value has the wrong type for all, that alone is said.
func (f *finder) choose(e *jsonschema.ValidationError) {
	type choice struct {
		cause  *jsonschema.ValidationError
		weight int
	}
	var fitting []choice
	var want []string
	for _, c := range e.Causes {
		leaves := leavesOf(c, nil)
		w, wrong := len(leaves), false
		for _, leaf := range leaves {
			switch k := leaf.ErrorKind.(type) {
			case *kind.Type:
				if len(leaf.InstanceLocation) == len(e.InstanceLocation) {
					wrong = true
					want = append(want, k.Want...)
				}
			case *kind.Const:
				w += 1000 // such a key names the shape; another shape was meant
			}
		}
		if !wrong {
			fitting = append(fitting, choice{c, w})
		}
	}
	if len(fitting) == 0 {
		f.wrongType(e.InstanceLocation, e.SchemaURL, want)
		return
	}
	f.walk(slices.MinFunc(fitting, func(a, b choice) int { return cmp.Compare(a.weight, b.weight) }).cause)
}

func leavesOf(e *jsonschema.ValidationError, into []*jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return append(into, e)
	}
	for _, c := range e.Causes {
		into = leavesOf(c, into)
	}
	return into
}

// settle orders what was found, keeps the most telling finding of each value,
// and gives each its place.
func (f *finder) settle() []diag.Diagnostic {
	if i := slices.IndexFunc(f.found, func(x found) bool { return x.alone }); i >= 0 {
		return []diag.Diagnostic{f.place(f.found[i])}
	}
	slices.SortFunc(f.found, func(a, b found) int {
		return cmp.Or(
			slices.Compare(a.at, b.at),
			cmp.Compare(a.rank, b.rank),
			cmp.Compare(a.message, b.message),
			cmp.Compare(a.hint, b.hint),
		)
	})
	// A key that should not be there says enough; what stands under it does not
	// matter. Sorting put a key right before what is under it.
	var kept []found
	var skip []string
	for _, x := range f.found {
		if n := len(kept); n > 0 && slices.Equal(kept[n-1].at, x.at) {
			continue
		}
		if skip != nil && len(x.at) >= len(skip) && slices.Equal(x.at[:len(skip)], skip) {
			continue
		}
		if x.rule == ruleUnknown {
			skip = x.at
		}
		kept = append(kept, x)
	}
	starts := make(map[*found]diag.Pos, len(kept))
	order := make([]*found, len(kept))
	for i := range kept {
		order[i] = &kept[i]
		start, _ := f.span(kept[i])
		starts[order[i]] = start
	}
	slices.SortStableFunc(order, func(a, b *found) int {
		return cmp.Or(cmp.Compare(starts[a].Line, starts[b].Line), cmp.Compare(starts[a].Col, starts[b].Col))
	})
	shown := order[:min(len(order), MaxFindings)]
	ds := make([]diag.Diagnostic, len(shown))
	for i, x := range shown {
		ds[i] = f.place(*x)
	}
	ds = diag.Sort(ds)
	if n := len(order) - len(shown); n > 0 {
		ds = append(ds, diag.Diagnostic{
			Path: f.doc.Path, Start: starts[order[len(shown)]], Rule: ruleOther, Severity: diag.Error,
			Message: fmt.Sprintf("%s more findings of the schema from here on are not shown", count(n)),
			Hint:    "mend the ones above first",
		})
	}
	return ds
}

func (f *finder) place(x found) diag.Diagnostic {
	start, end := f.span(x)
	d := diag.Diagnostic{
		Path: f.doc.Path, Start: start, End: end, Pointer: source.Pointer(x.at...),
		Rule: x.rule, Severity: diag.Error, Message: x.message, Hint: x.hint,
	}
	if x.edit != "" && end != start {
		d.Edits = []diag.Edit{{Start: start, End: end, Text: x.edit}}
	}
	return d
}

// span is where a finding stands: its value, the key of a value that is not
// wanted or not given, or the mapping that lacks the key.
func (f *finder) span(x found) (start, end diag.Pos) {
	n, key, exact := f.locate(x.at)
	if key != nil && (x.onKey || exact && n.Kind == source.Null) {
		n = key
	}
	return n.Start(), n.End()
}

// locate is source's Locate and KeyAt in one, for documents where many keys of
// one large mapping are wrong.
func (f *finder) locate(at []string) (n, key *source.Node, exact bool) {
	n = f.doc.Root
	for _, token := range at {
		if n.Kind == source.Map && len(n.Fields) > 32 {
			field, ok := f.index(n)[token]
			if !ok {
				return n, nil, false
			}
			n, key = field.Value, field.Key
			continue
		}
		var next *source.Node
		key = nil
		switch n.Kind {
		case source.Map:
			for _, field := range n.Fields {
				if field.Key.Text == token {
					next, key = field.Value, field.Key
					break
				}
			}
		case source.List:
			if j, ok := itemNumber(token); ok && j < len(n.Items) {
				next = n.Items[j]
			}
		}
		if next == nil {
			return n, nil, false
		}
		n = next
	}
	return n, key, true
}

func (f *finder) index(n *source.Node) map[string]source.Field {
	m := f.fields[n]
	if m == nil {
		m = make(map[string]source.Field, len(n.Fields))
		for _, field := range n.Fields {
			m[field.Key.Text] = field
		}
		f.fields[n] = m
	}
	return m
}

func itemNumber(token string) (int, bool) {
	n := 0
	for _, r := range token {
		if r < '0' || r > '9' || n > 1e9 {
			return 0, false
		}
		n = n*10 + int(r-'0')
	}
	return n, token != ""
}

// subject names the value that a finding is about, as "status.stage" or
// "item 2 of types".
func subject(at []string) string {
	if len(at) == 0 {
		return "the file"
	}
	last := at[len(at)-1]
	if i, ok := itemNumber(last); ok {
		if len(at) == 1 {
			return fmt.Sprintf("item %d", i+1)
		}
		return fmt.Sprintf("item %d of %s", i+1, subject(at[:len(at)-1]))
	}
	start := len(at) - 1
	for start > 0 {
		if _, ok := itemNumber(at[start-1]); ok {
			break
		}
		start--
	}
	parts := slices.Clone(at[start:])
	for i, p := range parts {
		if !isPlain(p) {
			parts[i] = quote(p)
		}
	}
	return strings.Join(parts, ".")
}

func isPlain(s string) bool {
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-', r == '/', r == '~':
		default:
			return false
		}
	}
	return s != "" && len(s) <= maxQuoted
}
