package lint

import (
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/schema"
	"github.com/dpg-registry/dpg-registry/internal/spdx"
)

// What has one right answer comes with the edits that make it so. Where two
// answers are possible, or a person could have meant something else, there are none.

// maxRemovals is how many findings on one entry ask its schema whether a key may
// go, which takes as long as validating the entry.
const maxRemovals = 20

// removal takes out what says nothing, together with the list or mapping around
// it if that is all it holds; nil where the schema wants it there.
func removal(p *Pass, pointer string) []diag.Edit {
	schemas, err := schema.Builtin()
	if err != nil {
		return nil
	}
	doc := p.Doc.Source
	for {
		up := pointer[:strings.LastIndexByte(pointer, '/')]
		around, _ := doc.Locate(up)
		if len(around.Fields)+len(around.Items) > 1 {
			break
		}
		if pointer = up; pointer == "" {
			return nil
		}
	}
	if !schemas.Removable(p.Doc.Kind.Schema, doc, pointer) {
		return nil
	}
	return doc.Remove(pointer)
}

// A countryRepair corrects the countries of one entry, and takes out those that
// their list would then hold twice.
type countryRepair struct {
	p      *Pass
	listed map[[2]string]bool // list and code; nil until it is asked for
}

// edits make c the country of that code. A former country with several
// successors is a person's to put right.
func (r *countryRepair) edits(c listedCountry, code string) []diag.Edit {
	text, _ := trim(c.code)
	if code == "" || len(text) == 2 && strings.Contains(formerCodes, strings.ToUpper(text)) {
		return nil
	}
	if r.listed == nil {
		r.listed = map[[2]string]bool{}
		for _, c := range countries(r.p) {
			if isCountry(c.code) {
				r.listed[[2]string{c.list, c.code}] = true
			}
		}
	}
	k := [2]string{c.list, code}
	if r.listed[k] {
		return r.p.Doc.Source.Remove(c.pointer)
	}
	r.listed[k] = true
	return r.p.Doc.Source.Rewrite(c.pointer, code)
}

// repairLicense writes what was meant instead of the bytes from start up to end of
// an expression, if the whole is right with that. What was meant by a slip of the
// pen is for a person to say.
func repairLicense(p *Pass, pointer, text string, start, end int, meant spdx.Repaired) []diag.Edit {
	if meant.Expression == "" || meant.Slip {
		return nil
	}
	right := meant.Expression
	if start > 0 || end < len(text) {
		if x, err := spdx.Parse(right); err != nil || x.Op != spdx.Single {
			return nil
		}
		right = text[:start] + right + text[end:]
	}
	if _, err := spdx.Parse(right); err != nil {
		return nil
	}
	return p.Doc.Source.Rewrite(pointer, right)
}

// repairLink corrects what nobody can have meant: full-width signs, a scheme
// twice, a slip between "https" and the host. It is "" where that leaves no link.
func repairLink(s string) string {
	fixed := strings.NewReplacer("：", ":", "／", "/", "．", ".").Replace(s)
	fixed = doubled.ReplaceAllString(fixed, "$1")
	if m := slips.FindStringSubmatch(fixed); m != nil {
		fixed = strings.ToLower(m[1]) + "://" + strings.TrimLeft(m[2], "/")
	}
	if fixed == s || rewrite(fixed) == "" {
		return ""
	}
	return fixed
}
