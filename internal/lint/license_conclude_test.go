package lint_test

import (
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// text is a licence text of a repository with the expressions that fit it.
func text(path string, expressions ...string) registry.ObservedFile {
	f := registry.ObservedFile{Path: path}
	if len(expressions) > 0 {
		f.Expression = expressions[0]
	}
	if len(expressions) > 1 {
		f.Alternatives = expressions
	}
	return f
}

func TestConcludeLicense(t *testing.T) {
	declare := func(expressions ...string) []entry.License {
		var all []entry.License
		for _, x := range expressions {
			all = append(all, entry.License{Expression: x})
		}
		return all
	}
	present := func(files ...registry.ObservedFile) registry.ObservedRepository {
		return registry.ObservedRepository{State: registry.StatePresent, Files: files}
	}
	unseen := registry.ObservedRepository{}
	const gpl, later = "GPL-3.0-only", "GPL-3.0-or-later"
	for _, tt := range []struct {
		name     string
		licenses []entry.License
		seen     []registry.ObservedRepository
		want     string
		verdict  lint.Verdict
	}{
		{"one text", declare("MIT"), []registry.ObservedRepository{present(text("LICENSE", "MIT"))}, "MIT", lint.VerdictSame},
		{"another text", declare("MIT"), []registry.ObservedRepository{present(text("LICENSE", gpl))}, gpl, lint.VerdictDifferent},
		{"nothing declared", nil, []registry.ObservedRepository{present(text("LICENSE", "MIT"))}, "MIT", lint.VerdictUnknown},
		{"no text", declare("MIT"), []registry.ObservedRepository{present()}, "", lint.VerdictUnknown},
		{"a text that nobody can tell", declare("MIT"), []registry.ObservedRepository{present(text("LICENSE"))}, "", lint.VerdictUnknown},
		{"one of two cannot be told", declare("MIT"), []registry.ObservedRepository{present(text("COPYING"), text("LICENSE", "MIT"))}, "", lint.VerdictSame},
		{"more than were read", declare("MIT"), []registry.ObservedRepository{{State: registry.StatePresent, Files: []registry.ObservedFile{text("LICENSE", "MIT")}, More: 1}}, "", lint.VerdictSame},
		{"the choice that is declared", declare("MIT OR Apache-2.0"), []registry.ObservedRepository{present(text("LICENSE-APACHE", "Apache-2.0"), text("LICENSE-MIT", "MIT"))}, "MIT OR Apache-2.0", lint.VerdictSame},
		{"one of a choice", declare("MIT OR Apache-2.0"), []registry.ObservedRepository{present(text("LICENSE", "MIT"))}, "MIT", lint.VerdictCompatible},
		{"two texts, one declared", declare("MIT"), []registry.ObservedRepository{present(text("COPYING", "ISC"), text("LICENSE", "MIT"))}, "ISC AND MIT", lint.VerdictCompatible},
		{"later versions, as declared", declare(later), []registry.ObservedRepository{present(text("LICENSE", gpl, later))}, later, lint.VerdictCompatible},
		{"later versions, nobody says", declare("MIT"), []registry.ObservedRepository{present(text("LICENSE", gpl, later))}, "", lint.VerdictDifferent},
		{"later versions, an old id", declare("GPL-3.0"), []registry.ObservedRepository{present(text("LICENSE", gpl, later))}, "", lint.VerdictSame},
		{"a text that is a choice itself", declare("MIT"), []registry.ObservedRepository{present(text("LICENSE", "MIT OR Apache-2.0")), present(text("LICENSE", "ISC"))}, "(MIT OR Apache-2.0) AND ISC", lint.VerdictDifferent},
		{"two repositories", declare("MIT", "ISC"), []registry.ObservedRepository{present(text("LICENSE", "MIT")), present(text("LICENSE", "ISC"))}, "MIT AND ISC", lint.VerdictCompatible},
		{"two repositories, each once", declare("MIT"), []registry.ObservedRepository{present(text("LICENSE", "MIT")), present(text("LICENSE", "MIT"))}, "MIT", lint.VerdictSame},
		{"one is not looked at", declare("MIT"), []registry.ObservedRepository{present(text("LICENSE", "MIT")), unseen}, "", lint.VerdictCompatible},
		{"one is gone, one is empty", declare("MIT"), []registry.ObservedRepository{{State: registry.StateGone}, {State: registry.StateEmpty}, present(text("LICENSE", "MIT"))}, "MIT", lint.VerdictSame},
		{"all are gone", declare("MIT"), []registry.ObservedRepository{{State: registry.StateGone}}, "", lint.VerdictUnknown},
		{"a part without a text", []entry.License{{Expression: "MIT", Covers: "software"}, {Expression: "CC-BY-4.0", Covers: "content"}},
			[]registry.ObservedRepository{present(text("LICENSE", "MIT"))}, "", lint.VerdictCompatible},
		{"each part with its text", []entry.License{{Expression: "MIT", Covers: "software"}, {Expression: "CC-BY-4.0", Covers: "content"}},
			[]registry.ObservedRepository{present(text("LICENSE", "MIT"), text("LICENSE-content", "CC-BY-4.0"))}, "MIT AND CC-BY-4.0", lint.VerdictSame},
		{"what is declared cannot be read", declare("Apache 2"), []registry.ObservedRepository{present(text("LICENSE", "Apache-2.0"))}, "Apache-2.0", lint.VerdictUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := &entry.Entry{Licenses: tt.licenses}
			seen := &registry.Observation{}
			for i, o := range tt.seen {
				o.URL = "https://git.example.org/" + string(rune('a'+i))
				e.Repositories = append(e.Repositories, entry.Repository{URL: o.URL})
				if o.State != "" {
					seen.Repositories = append(seen.Repositories, o)
				}
			}
			got := lint.ConcludeLicense(e, seen)
			if want := (lint.LicenseConclusion{Expression: tt.want, Verdict: tt.verdict}); got != want {
				t.Errorf("ConcludeLicense = %+v, want %+v", got, want)
			}
		})
	}
	if got := lint.ConcludeLicense(&entry.Entry{}, nil); got != (lint.LicenseConclusion{Verdict: lint.VerdictUnknown}) {
		t.Errorf("of nothing: %+v", got)
	}
}
