package spdx

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "MIT", "MIT AND (ISC OR 0BSD+) WITH LLVM-exception", "((((", "a\x00b\xff", "MIT, ISC",
		"DocumentRef-a:LicenseRef-b with DocumentRef-c:AdditionRef-d", "GPL 2+, EUPL 1.1", "CC BY–NC–ND 4.0",
		"mit and isc or(zlib and (x11))", "Creative Commons Attribution-ShareAlike",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x, err := Parse(s)
		if err != nil {
			e := err.(*Error)
			for _, e := range append(e.Others, e) {
				if e.Offset < 0 || e.Offset > len(s) || e.Msg == "" {
					t.Errorf("Parse(%q): %+v", s, e)
				}
			}
			return
		}
		again, err := Parse(x.String())
		if err != nil {
			t.Fatalf("Parse(%q) prints %q: %v", s, x, err)
		}
		if diff := cmp.Diff(x, again); diff != "" {
			t.Errorf("Parse(%q) prints %q, which reads as another: (-first +second)\n%s", s, x, diff)
		}
		if !Equivalent(x, again) {
			t.Errorf("Parse(%q) is not equivalent to itself", s)
		}
		if len(x.Licenses()) == 0 {
			t.Errorf("Parse(%q) names no licence", s)
		}
	})
}

func FuzzRepair(f *testing.F) {
	for _, s := range []string{
		"", "MIT", "GPL-2.0", "MIT, CC0", "Apahce 2", "GPLv2 with classpath exception", "https://creativecommons.org/licenses/by/4.0/deed.fr",
		"Apache-2.0 (https://www.apache.org/licenses/LICENSE-2.0)", "CC BY–NC–ND 4.0", "GPL (>= 2) | MIT + file LICENSE", "BSD-style", "gnu.org/licenses/\xff",
		"(((MIT)))", "MIT/X11/ISC/a/b/c/d/e/f", "with with with", "Public Domain (CC0)",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := Repair(s)
		if (r.Expression == "") == (r.Question == "") || r.Expression != "" && r.Candidates != nil || len(r.Candidates) > maxCandidates {
			t.Fatalf("Repair(%q) = %+v: not one of an expression and a question", s, r)
		}
		for _, o := range r.options() {
			x, err := Parse(o)
			if err != nil || x.String() != o {
				t.Fatalf("Repair(%q) has %q, which is read as %q: %v", s, o, x, err)
			}
			for _, id := range x.Licenses() {
				if l, ok := Lookup(id); ok && l.Deprecated {
					t.Fatalf("Repair(%q) has %q, which is deprecated", s, o)
				}
			}
		}
		if r.Expression != "" {
			if again := Repair(r.Expression); again.Expression != r.Expression {
				t.Fatalf("Repair(%q) = %q, and that becomes %+v", s, r.Expression, again)
			}
		}
		if x, err := Parse(s); err == nil && r.Expression != "" && !slices.ContainsFunc(x.Licenses(), func(id string) bool { return Successors(id) != nil || Successors(id+"+") != nil }) &&
			!strings.Contains(s, "xception") && r.Expression != x.String() {
			t.Fatalf("Repair(%q) = %q, though it is right as it is", s, r.Expression)
		}
	})
}
