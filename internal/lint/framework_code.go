package lint

import (
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/framework"
)

var frameworkCode = &Rule{
	ID:       "framework-code",
	Severity: diag.Error,
	Summary:  "every framework code is there",
	Doc: `A code is written with its framework, such as ` + "`dpi-safeguards/O3`" + `, and has to stand in one of the frameworks that
this registry uses. A decision on a code that is not there rules on nothing.`,
	Check: func(p *Pass) {
		for i, s := range p.Entry.About {
			kind, _, _ := strings.Cut(s, "/")
			if _, isKind := p.Registry.Kind(kind); !isKind { // else rule "reference" looks at it
				checkCode(p, item("/about", i), s)
			}
		}
		for i, d := range p.Entry.Decisions {
			if d.Code != "" {
				checkCode(p, item("/decisions", i, "code"), d.Code)
			}
		}
	},
}

func checkCode(p *Pass, pointer, full string) {
	if text, _ := trim(full); text == "" {
		return
	}
	set := p.Registry.Frameworks
	id, code, ok := framework.Split(full)
	if !ok {
		p.Reportf(pointer, "write the id of the framework, a slash and the code, such as dpi-safeguards/O3", "%s is not written as framework/code", quote(full))
		return
	}
	f := set[id]
	if f == nil {
		hint := didYouMean(withSuffix(p.near(id, set.IDs), "/"+code))
		if hint == "" {
			hint = "the frameworks are " + quoteAll(set.IDs(), "and")
		}
		p.Reportf(pointer, hint, "%s names framework %s, which is not in use here", quote(full), quote(id))
		return
	}
	if f.Code(code) != nil {
		return
	}
	hint := didYouMean(withPrefix(id+"/", nearCodes(p, f, code)))
	if hint == "" && len(f.Codes) <= 20 {
		hint = "its codes are " + quoteAll(codes(f), "and")
	}
	p.ReportWithinf(pointer, len(id)+1, len(code), hint, "framework %q has no code %s", id, quote(code))
}

// nearCodes finds what the source prints as that code, then slips of the pen.
func nearCodes(p *Pass, f *framework.Framework, code string) []string {
	var out []string
	for _, c := range f.Codes {
		if strings.EqualFold(c.Printed, code) {
			out = append(out, c.Code)
		}
	}
	if len(out) > 0 {
		return out
	}
	return p.near(code, func() []string { return codes(f) })
}

func codes(f *framework.Framework) []string {
	var all []string
	for _, c := range f.Codes {
		all = append(all, c.Code)
	}
	slices.Sort(all)
	return all
}

func withPrefix(prefix string, words []string) []string {
	for i := range words {
		words[i] = prefix + words[i]
	}
	return words
}

func withSuffix(words []string, suffix string) []string {
	for i := range words {
		words[i] += suffix
	}
	return words
}
