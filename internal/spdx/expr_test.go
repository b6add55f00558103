package spdx

import (
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestClauses holds Parse to annex B of SPDX 3.0.1, clause by clause. A canonical
// text says that the expression is right, "" that it is not.
func TestClauses(t *testing.T) {
	for _, tt := range []struct{ clause, expr, want string }{
		{"B.1 idstring", "LicenseRef-a-Z.09", "LicenseRef-a-Z.09"},
		{"B.1 idstring", "LicenseRef-a_b", ""},
		{"B.1 idstring", "LicenseRef-é", ""},
		{"B.1 idstring", "LicenseRef-", ""},
		{"B.1 license-id", "Apache-2.0", "Apache-2.0"},
		{"B.1 license-id", "Apache", ""},
		{"B.1 license-id", "GPL-2.0", "GPL-2.0"}, // deprecated, and still on the list
		{"B.1 license-exception-id", "LLVM-exception", ""},
		{"B.1 license-exception-id", "MIT WITH Nokia-Qt-exception-1.1", "MIT WITH Nokia-Qt-exception-1.1"}, // deprecated too
		{"B.1 license-ref", "DocumentRef-a:LicenseRef-b", "DocumentRef-a:LicenseRef-b"},
		{"B.1 license-ref", "DocumentRef-:LicenseRef-b", ""},
		{"B.1 license-ref", "DocumentRef-a:MIT", ""},
		{"B.1 license-ref", "DocumentRef-a:AdditionRef-b", ""},
		{"B.1 license-ref", "DocumentRef-a:DocumentRef-b:LicenseRef-c", ""},
		{"B.1 addition-ref", "MIT WITH AdditionRef-a", "MIT WITH AdditionRef-a"},
		{"B.1 addition-ref", "MIT WITH DocumentRef-a:AdditionRef-b", "MIT WITH DocumentRef-a:AdditionRef-b"},
		{"B.1 addition-ref", "AdditionRef-a", ""},
		{"B.1 simple-expression", "CDDL-1.0+", "CDDL-1.0+"},
		{"B.1 simple-expression", "CDDL-1.0++", ""},
		{"B.1 simple-expression", "LicenseRef-a+", ""},
		{"B.1 addition-expression", "MIT WITH ISC", ""},
		{"B.1 addition-expression", "MIT WITH LicenseRef-a", ""},
		{"B.1 addition-expression", "MIT WITH LLVM-exception+", ""},
		{"B.1 compound-expression", "CDDL-1.0+ WITH LLVM-exception", "CDDL-1.0+ WITH LLVM-exception"},
		{"B.1 compound-expression", "LicenseRef-a WITH LLVM-exception", "LicenseRef-a WITH LLVM-exception"},
		{"B.1 compound-expression", "(MIT) WITH LLVM-exception", ""}, // WITH takes a simple-expression
		{"B.1 compound-expression", "MIT WITH (LLVM-exception)", ""},
		{"B.1 compound-expression", "MIT WITH LLVM-exception WITH GCC-exception-3.1", ""},
		{"B.1 compound-expression", "((MIT))", "MIT"},
		{"B.1 compound-expression", "()", ""},
		{"B.1 compound-expression", "(MIT", ""},
		{"B.1 compound-expression", "MIT)", ""},
		{"B.1 compound-expression", "AND", ""},
		{"B.1 compound-expression", "MIT AND", ""},
		{"B.1 compound-expression", "OR MIT", ""},
		{"B.1 compound-expression", "MIT ISC", ""},
		{"B.1 compound-expression", "", ""},
		{"B.1 white space", "CDDL-1.0 +", ""},
		{"B.1 white space", "MIT AND(ISC)", "MIT AND ISC"},
		{"B.1 white space", "(MIT)OR(ISC)", "MIT OR ISC"},
		{"B.1 white space", "MIT WITH(LLVM-exception)", ""},
		{"B.1 white space", "  MIT   AND\tISC ", "MIT AND ISC"},
		{"B.1 white space", "MIT\nAND ISC", "MIT AND ISC"}, // forbidden in tag:value files only
		{"B.1 white space", "MITAND ISC", ""},
		{"B.1 white space", "MIT\u00a0AND ISC", ""}, // no-break space
		{"B.2 operators", "MIT and ISC or 0BSD with LLVM-exception", "MIT AND ISC OR 0BSD WITH LLVM-exception"},
		{"B.2 operators", "MIT And ISC", ""},
		{"B.2 operators", "MIT oR ISC", ""},
		{"B.2 operators", "MIT With LLVM-exception", ""},
		{"B.2 operators", "MIT and ISC AND 0BSD", "MIT AND ISC AND 0BSD"}, // each on its own
		{"B.2 identifiers", "mIt WITH llvm-EXCEPTION", "MIT WITH LLVM-exception"},
		{"B.2 identifiers", "gpl-2.0-OR-LATER", "GPL-2.0-or-later"},
		{"B.2 references", "LicenseRef-NaMe", "LicenseRef-NaMe"},
		{"B.2 references", "licenseref-name", ""},
		{"B.2 references", "documentref-a:LicenseRef-b", ""},
		{"B.2 references", "MIT WITH additionref-a", ""},
		{"B.3", "NONE", ""},
		{"B.3", "NOASSERTION", ""},
		{"B.3", "MIT AND NONE", ""},
		{"B.4.5 precedence", "MIT OR ISC AND 0BSD", "MIT OR ISC AND 0BSD"},
		{"B.4.5 precedence", "(MIT OR ISC) AND 0BSD", "(MIT OR ISC) AND 0BSD"},
		{"B.4.5 precedence", "MIT OR (ISC AND 0BSD)", "MIT OR ISC AND 0BSD"},
		{"B.4.5 precedence", "MIT AND ISC WITH LLVM-exception", "MIT AND ISC WITH LLVM-exception"},
	} {
		got := ""
		if x, err := Parse(tt.expr); err == nil {
			got = x.String()
		}
		if got != tt.want {
			t.Errorf("%s: Parse(%q) gives %q, want %q", tt.clause, tt.expr, got, tt.want)
		}
	}
}

// B.4.2, B.4.3: AND and OR are commutative. B.2: names of references have no case.
func TestEquivalent(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"MIT OR ISC", "isc or mit", true},
		{"(MIT OR ISC) AND 0BSD", "0BSD AND (ISC OR MIT OR ISC)", true},
		{"MIT AND MIT", "MIT", true},
		{"LicenseRef-Name", "LicenseRef-nAME", true},
		{"MIT WITH AdditionRef-A", "MIT WITH AdditionRef-a", true},
		{"MIT OR ISC", "MIT AND ISC", false},
		{"MIT OR ISC AND 0BSD", "(MIT OR ISC) AND 0BSD", false},
		{"GPL-2.0", "GPL-2.0+", false},
		{"GPL-2.0", "GPL-2.0-only", false},
		{"MIT", "MIT WITH LLVM-exception", false},
	} {
		a, b := mustParse(t, tt.a), mustParse(t, tt.b)
		if Equivalent(a, b) != tt.want || Equivalent(b, a) != tt.want {
			t.Errorf("Equivalent(%q, %q) is not %v", tt.a, tt.b, tt.want)
		}
	}
}

func mustParse(t *testing.T, s string) Expr {
	t.Helper()
	x, err := Parse(s)
	if err != nil {
		t.Fatalf("Parse(%q): %v", s, err)
	}
	return x
}

// What prints is read back as it was, whatever the tree; and whatever parentheses,
// white space and case are put into the text on the way.
func TestRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 0))
	sizes := 0
	for range 2_000 {
		want := randomExpr(rnd, 5)
		text := want.String()
		sizes += len(text)
		got, err := Parse(text)
		if err != nil {
			t.Fatalf("%q, which an expression prints, does not parse: %v", text, err)
		}
		if !reflect.DeepEqual(want, got) { // cmp takes a second for a thousand of these
			t.Fatalf("%q reads as another: (-want +got)\n%s", text, cmp.Diff(want, got))
		}
		dressed := dress(rnd, want)
		if got, err = Parse(dressed); err != nil {
			t.Fatalf("%q does not parse: %v", dressed, err)
		}
		if !reflect.DeepEqual(want, got) {
			t.Fatalf("%q reads as another than %q: (-want +got)\n%s", dressed, text, cmp.Diff(want, got))
		}
	}
	if sizes < 2_000*20 {
		t.Errorf("the trees are small: %d bytes in all", sizes)
	}
}

// randomExpr makes a tree of the form that Parse gives.
func randomExpr(rnd *rand.Rand, depth int) Expr {
	op := Op(rnd.IntN(3))
	if depth == 0 || op == Single {
		return randomSingle(rnd)
	}
	return randomJoin(rnd, op, depth)
}

func randomJoin(rnd *rand.Rand, op Op, depth int) Expr {
	x := Expr{Op: op}
	for range 2 + rnd.IntN(3) {
		arg := randomSingle(rnd)
		if depth > 1 && rnd.IntN(2) == 0 {
			arg = randomJoin(rnd, And+Or-op, depth-1)
		}
		x.Args = append(x.Args, arg)
	}
	return x
}

func randomSingle(rnd *rand.Rand) Expr {
	name := func() string {
		const letters = "abzABZ019-."
		b := make([]byte, 1+rnd.IntN(6))
		for i := range b {
			b[i] = letters[rnd.IntN(len(letters))]
		}
		return string(b)
	}
	ref := func(prefix string) string {
		s := prefix + name()
		if rnd.IntN(2) == 0 {
			s = "DocumentRef-" + name() + ":" + s
		}
		return s
	}
	l := loaded()
	x := Expr{License: ref("LicenseRef-")}
	if rnd.IntN(4) > 0 {
		x.License, x.Plus = l.licenses[rnd.IntN(len(l.licenses))].ID, rnd.IntN(3) == 0
	}
	switch rnd.IntN(6) {
	case 0:
		x.Exception = ref("AdditionRef-")
	case 1, 2:
		x.Exception = exceptionIDs()[rnd.IntN(len(l.exceptions))]
	}
	return x
}

var exceptionIDs = sync.OnceValue(func() []string {
	var ids []string
	for _, e := range loaded().exceptions {
		ids = append(ids, e.ID)
	}
	slices.Sort(ids)
	return ids
})

// dress writes an expression in one of the many other ways that mean the same.
func dress(rnd *rand.Rand, x Expr) string {
	space := func() string { return strings.Repeat([]string{" ", "\t", "\n"}[rnd.IntN(3)], 1+rnd.IntN(2)) }
	fold := func(id string) string {
		if strings.Contains(id, "Ref-") {
			return id
		}
		return []string{id, strings.ToUpper(id), strings.ToLower(id)}[rnd.IntN(3)]
	}
	word := func(s string) string { return []string{s, strings.ToLower(s)}[rnd.IntN(2)] }
	var s string
	if x.Op == Single {
		s = fold(x.License)
		if x.Plus {
			s += "+"
		}
		if x.Exception != "" {
			s += space() + word("WITH") + space() + fold(x.Exception)
		}
	} else {
		for i, arg := range x.Args {
			if i > 0 {
				s += space() + word([]string{And: "AND", Or: "OR"}[x.Op]) + space()
			}
			part := dress(rnd, arg)
			if x.Op == And && arg.Op == Or {
				part = "(" + part + space() + ")"
			}
			s += part
		}
	}
	for rnd.IntN(4) == 0 {
		s = "(" + s + ")"
	}
	return s
}

// Large and deep input is answered at once, and takes memory in proportion.
func TestParseBounds(t *testing.T) {
	for _, tt := range []struct{ name, expr, want string }{
		{"100 kB", strings.Repeat("MIT AND ", 100<<10/8) + "MIT", "the expression is longer than 65536 bytes"},
		{"100 kB of one word", strings.Repeat("x", 100<<10), "the expression is longer than 65536 bytes"},
		{"60 kB", strings.Repeat("MIT AND ", 60<<10/8) + "MIT", ""},
		{"60 kB of unknown words", strings.Repeat("x AND ", 10<<10) + "x", `"x" is not an identifier`},
		{"10,000 parentheses", strings.Repeat("(", 10_000) + "MIT" + strings.Repeat(")", 10_000), "parentheses are nested more than 200 deep"},
		{"10,000 parentheses, none closed", strings.Repeat("(", 10_000), "parentheses are nested more than 200 deep"},
		{"10,000 groups", strings.Repeat("(MIT)OR", 9_000) + "(ISC)", ""},
		{"a million parentheses", strings.Repeat("(", 1_000_000), "the expression is longer than 65536 bytes"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		x, err := Parse(tt.expr)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 32<<20 {
			t.Errorf("%s: %d bytes were allocated", tt.name, used)
		}
		switch {
		case err == nil && tt.want != "":
			t.Errorf("%s: no error, want %q", tt.name, tt.want)
		case err != nil && (tt.want == "" || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: error %q, want %q", tt.name, err, tt.want)
		case err == nil:
			if again := mustParse(t, x.String()); !cmp.Equal(x, again) {
				t.Errorf("%s: what prints reads as another", tt.name)
			}
		}
	}
}
