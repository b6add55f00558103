package spdx

import (
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
		for _, id := range Suggest(s) {
			if _, err := Parse(id); err != nil {
				t.Errorf("Suggest(%q) has %q: %v", s, id, err)
			}
		}
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
