package spdx

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLookup(t *testing.T) {
	tests := []struct {
		id   string
		want License
	}{
		{"MIT", License{"MIT", "MIT License", true, false, "https://opensource.org/license/mit/"}},
		{"mit", License{"MIT", "MIT License", true, false, "https://opensource.org/license/mit/"}},
		{"odc-BY-1.0", License{"ODC-By-1.0", "Open Data Commons Attribution License v1.0", false, false, "https://opendatacommons.org/licenses/by/1.0/"}},
		{"GPL-3.0", License{"GPL-3.0", "GNU General Public License v3.0 only", true, true, "https://www.gnu.org/licenses/gpl-3.0-standalone.html"}},
		{"CC-BY-NC-3.0-IGO", License{"CC-BY-NC-3.0-IGO", "", false, false, ""}},
		{" MIT", License{}},
		{"MIT+", License{}},
		{"", License{}},
		{"LLVM-exception", License{}},
		{strings.Repeat("MIT", 1<<16), License{}},
	}
	for _, tt := range tests {
		got, ok := Lookup(tt.id)
		if got != tt.want || ok != (tt.want.ID != "") {
			t.Errorf("Lookup(%.20q) = %+v, %v, want %+v", tt.id, got, ok, tt.want)
		}
	}
	if x, ok := Exception("llvm-EXCEPTION"); !ok || x.ID != "LLVM-exception" || x.Deprecated {
		t.Errorf("Exception(llvm-EXCEPTION) = %+v, %v", x, ok)
	}
	if _, ok := Exception("MIT"); ok {
		t.Error("MIT is taken for an exception")
	}
	if ListVersion() != "3.28.0" {
		t.Errorf("ListVersion() = %q", ListVersion())
	}
}

// TestList holds the embedded file to the form that loading expects.
func TestList(t *testing.T) {
	head, rows, _ := strings.Cut(idsText, "\n")
	if !strings.HasPrefix(head, "SPDX License List ") {
		t.Errorf("the first line does not name the list: %q", head)
	}
	n := 0
	for row := range strings.Lines(rows) {
		n++
		f := strings.Split(strings.TrimSuffix(row, "\n"), "\t")
		if len(f) != 4 || !isIDString(f[0]) || len(f[0]) > maxID || strings.Trim(f[1], "lxodn") != "" {
			t.Errorf("line %q is not id, flags, name, address", row)
		}
	}
	l := loaded()
	if got := len(l.byID) + len(l.exceptions); got != n || len(l.byID) != len(l.licenses) {
		t.Errorf("%d lines gave %d ids: some differ in case only", n, got)
	}
	if len(l.licenses) < 700 || len(l.exceptions) < 60 {
		t.Errorf("the list is short: %d licences, %d exceptions", len(l.licenses), len(l.exceptions))
	}
}

func TestSuccessors(t *testing.T) {
	tests := []struct {
		id   string
		want []string
	}{
		{"GPL-3.0", []string{"GPL-3.0-only", "GPL-3.0-or-later"}},
		{"gpl-3.0+", []string{"GPL-3.0-or-later"}},
		{"GFDL-1.3", []string{"GFDL-1.3-only", "GFDL-1.3-or-later"}},
		{"GPL-2.0-with-classpath-exception", []string{"GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-or-later WITH Classpath-exception-2.0"}},
		{"wxWindows", []string{"LGPL-2.0-or-later WITH WxWindows-exception-3.1"}},
		{"Nokia-Qt-exception-1.1", []string{"Qt-LGPL-exception-1.1"}},
		{"Net-SNMP", nil},
		{"MIT", nil},
		{"MIT+", nil},
		{"no such thing", nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, Successors(tt.id)); diff != "" {
			t.Errorf("Successors(%q): (-want +got)\n%s", tt.id, diff)
		}
	}
	for _, l := range Licenses() {
		to := Successors(l.ID)
		if (to != nil) != (l.Deprecated && l.ID != "Net-SNMP") {
			t.Errorf("Successors(%q) = %q, deprecated %v", l.ID, to, l.Deprecated)
		}
		for _, s := range to {
			x, err := Parse(s)
			if err != nil {
				t.Errorf("Successors(%q) has %q: %v", l.ID, s, err)
			} else if x.String() != s {
				t.Errorf("Successors(%q) has %q, whose canonical form is %q", l.ID, s, x)
			} else if next := Successors(x.License); next != nil {
				t.Errorf("Successors(%q) has %q, itself deprecated", l.ID, s)
			}
		}
	}
}

func TestParse(t *testing.T) {
	one := func(id string) Expr { return Expr{License: id} }
	tests := []struct {
		expr string
		want Expr
		text string // canonical; "" is the same as expr
	}{
		{"MIT", one("MIT"), ""},
		{"\tapache-2.0\n", one("Apache-2.0"), "Apache-2.0"},
		{"GPL-2.0+", Expr{License: "GPL-2.0", Plus: true}, ""},
		{"GPL-2.0-or-later WITH Classpath-exception-2.0", Expr{License: "GPL-2.0-or-later", Exception: "Classpath-exception-2.0"}, ""},
		{"epl-1.0+ with llvm-exception", Expr{License: "EPL-1.0", Plus: true, Exception: "LLVM-exception"}, "EPL-1.0+ WITH LLVM-exception"},
		{"LicenseRef-a.b-1", one("LicenseRef-a.b-1"), ""},
		{"DocumentRef-x.1:LicenseRef-Own", one("DocumentRef-x.1:LicenseRef-Own"), ""},
		{"MIT WITH AdditionRef-y", Expr{License: "MIT", Exception: "AdditionRef-y"}, ""},
		{"MIT WITH DocumentRef-x:AdditionRef-y", Expr{License: "MIT", Exception: "DocumentRef-x:AdditionRef-y"}, ""},
		{"MIT or ISC and 0BSD", Expr{Op: Or, Args: []Expr{one("MIT"), {Op: And, Args: []Expr{one("ISC"), one("0BSD")}}}}, "MIT OR ISC AND 0BSD"},
		{"(MIT OR ISC)AND(0BSD)", Expr{Op: And, Args: []Expr{{Op: Or, Args: []Expr{one("MIT"), one("ISC")}}, one("0BSD")}}, "(MIT OR ISC) AND 0BSD"},
		{"((MIT AND ISC) AND (0BSD AND Zlib))", Expr{Op: And, Args: []Expr{one("MIT"), one("ISC"), one("0BSD"), one("Zlib")}}, "MIT AND ISC AND 0BSD AND Zlib"},
		{"(MIT AND ISC) OR (0BSD OR Zlib)", Expr{Op: Or, Args: []Expr{{Op: And, Args: []Expr{one("MIT"), one("ISC")}}, one("0BSD"), one("Zlib")}}, "MIT AND ISC OR 0BSD OR Zlib"},
		{strings.Repeat("(", MaxNesting) + "MIT" + strings.Repeat(")", MaxNesting), one("MIT"), "MIT"},
	}
	for _, tt := range tests {
		got, err := Parse(tt.expr)
		if err != nil {
			t.Errorf("Parse(%.60q): %v", tt.expr, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("Parse(%.60q): (-want +got)\n%s", tt.expr, diff)
		}
		want := tt.text
		if want == "" {
			want = tt.expr
		}
		if got.String() != want {
			t.Errorf("Parse(%.60q) prints %q, want %q", tt.expr, got, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		expr   string
		kind   ErrorKind
		offset int
		token  string
		msg    string
	}{
		{"", Syntax, 0, "", "no licence is given"},
		{"  ", Syntax, 2, "", "no licence is given"},
		{"GPLv3", UnknownLicense, 0, "GPLv3", `"GPLv3" is not an identifier of the SPDX licence list`},
		{"MIT AND é", UnknownLicense, 8, "é", `"é" is not an identifier of the SPDX licence list`},
		{"MIT AND", Syntax, 7, "", `the expression ends after "AND", where a licence should follow`},
		{"MIT And ISC", Syntax, 4, "And", `operator "And" must be written AND or and`},
		{"MIT ISC", Syntax, 4, "ISC", `"ISC" stands where AND, OR or the end of the expression should`},
		{"MIT, ISC", Syntax, 3, ",", `"," is not an operator: write AND where all the licences apply, OR where one may be chosen`},
		{"MIT / ISC", Syntax, 4, "/", `"/" is not an operator: write AND where all the licences apply, OR where one may be chosen`},
		{"GPL-2.0 +", Syntax, 8, "+", `"+" stands where AND, OR or the end of the expression should`},
		{"(MIT", Syntax, 0, "(", `"(" is never closed by ")"`},
		{"MIT)", Syntax, 3, ")", `")" stands where AND, OR or the end of the expression should`},
		{"()", Syntax, 1, ")", `")" stands where a licence should`},
		{"(MIT OR ISC) WITH LLVM-exception", Syntax, 13, "WITH", `"WITH" must follow one licence, not a group in parentheses`},
		{"MIT WITH", Syntax, 8, "", `the expression ends after "WITH", where an exception should follow`},
		{"MIT WITH ISC", UnknownException, 9, "ISC", `"ISC" is a licence; behind WITH stands an exception`},
		{"MIT WITH Foo", UnknownException, 9, "Foo", `"Foo" is not an identifier of the SPDX list of licence exceptions`},
		{"MIT WITH LLVM-exception WITH LLVM-exception", Syntax, 24, "WITH", `"WITH" stands where AND, OR or the end of the expression should`},
		{"LLVM-exception", UnknownLicense, 0, "LLVM-exception", `"LLVM-exception" is an exception, which stands behind a licence and WITH`},
		{"LicenseRef-", UnknownLicense, 0, "LicenseRef-", `"LicenseRef-" needs a name of letters, digits, "-" and "." behind its prefix`},
		{"LicenseRef-a+", UnknownLicense, 0, "LicenseRef-a+", `"+" may follow an identifier of the SPDX licence list only, and "LicenseRef-a" is none`},
		{"DocumentRef-x", UnknownLicense, 0, "DocumentRef-x", `"DocumentRef-x" names a document only: write DocumentRef-NAME:LicenseRef-NAME`},
		{"MIT OR documentref-x:LicenseRef-y", UnknownLicense, 7, "documentref-x:LicenseRef-y", `"documentref-x:LicenseRef-y" must be spelt "DocumentRef-x:LicenseRef-y": capitals matter in the prefix`},
		{"MIT WITH additionref-y", UnknownException, 9, "additionref-y", `"additionref-y" must be spelt "AdditionRef-y": capitals matter in the prefix`},
		{"MIT WITH LicenseRef-y", UnknownException, 9, "LicenseRef-y", `"LicenseRef-y" stands for a licence; behind WITH stands an exception, or AdditionRef- and a name`},
		{"LicenseRef-a_b", UnknownLicense, 0, "LicenseRef-a_b", `"LicenseRef-a_b" needs a name of letters, digits, "-" and "." behind its prefix`},
		{"(MIT OR ISC)+", Syntax, 12, "+", `"+" must follow the identifier of one licence, not a group in parentheses`},
		{"NONE", UnknownLicense, 0, "NONE", `"NONE" is a value of fields in SPDX documents, not a licence`},
		{"MIT AND NOASSERTION", UnknownLicense, 8, "NOASSERTION", `"NOASSERTION" is a value of fields in SPDX documents, not a licence`},
		{strings.Repeat("(", MaxNesting+1) + "MIT", Syntax, MaxNesting, "(", "parentheses are nested more than 200 deep"},
		{strings.Repeat("x", MaxExpression+1), Syntax, MaxExpression, "", "the expression is longer than 65536 bytes"},
		{strings.Repeat("x", 300), UnknownLicense, 0, strings.Repeat("x", 100), `"` + strings.Repeat("x", 100) + `" is not an identifier of the SPDX licence list`},
	}
	for _, tt := range tests {
		_, err := Parse(tt.expr)
		e, ok := err.(*Error)
		if !ok {
			t.Errorf("Parse(%.60q) = %v, want an *Error", tt.expr, err)
			continue
		}
		want := Error{Kind: tt.kind, Offset: tt.offset, Token: tt.token, Msg: tt.msg}
		got := *e
		got.Others = nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Parse(%.60q): (-want +got)\n%s", tt.expr, diff)
		}
	}
}

// TestParseAll holds Parse to reporting all unknown identifiers at once.
func TestParseAll(t *testing.T) {
	_, err := Parse("GPLv3 OR MIT AND (BSD OR ISC WITH nothing) foo")
	e, ok := err.(*Error)
	if !ok {
		t.Fatalf("got %v", err)
	}
	got := []string{e.Error()}
	for _, o := range e.Others {
		got = append(got, o.Error())
	}
	want := []string{
		`at byte 0: "GPLv3" is not an identifier of the SPDX licence list`,
		`at byte 18: "BSD" is not an identifier of the SPDX licence list`,
		`at byte 34: "nothing" is not an identifier of the SPDX list of licence exceptions`,
		`at byte 43: "foo" stands where AND, OR or the end of the expression should`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestLicenses(t *testing.T) {
	x, err := Parse("(mit OR GPL-2.0+ WITH LLVM-exception) AND (MIT OR LicenseRef-x)")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"MIT", "GPL-2.0", "LicenseRef-x"}, x.Licenses()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
