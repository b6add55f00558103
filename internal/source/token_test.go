package source_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/source"
)

// Every scalar, alias and comment has its exact bytes.
func TestTokens(t *testing.T) {
	const in = "\ufeff# top\nk: plain\n  text # side\n'it''s': &x \"a\\\"b\"\nl: [*x , !!str 12] # [\n" +
		"b: | # head\n    one\n\n      two\n  # below\nf: >+\n  three\n\n\nn:\ne: |\n\nlast: |2-\n    four"
	want := []string{
		"6 # top", "0 k", "0 plain\n  text", "6 # side", "1 'it''s'", `2 "a\"b"`, "0 l", "5 *x", "0 12", "6 # [",
		"0 b", "3 | # head\n    one\n\n      two by 4", "6 # below", "0 f", "4 >+\n  three\n\n by 2", "0 n", "0 e", "3 | by 0",
		"0 last", "3 |2-\n    four by 2",
	}
	doc := parse(t, in)
	tokens, err := doc.Tokens()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, tok := range tokens {
		s := fmt.Sprintf("%d %s", tok.Style, in[tok.Start:tok.End])
		if tok.Style.Block() {
			s += fmt.Sprintf(" by %d", tok.Indent)
		}
		got = append(got, s)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Tokens of %q differ (-want +got):\n%s", in, diff)
	}
}

func TestTokensRefuses(t *testing.T) {
	for _, in := range []string{"? a\n: b\n", "a: 1 # b\u2028c: 2\n", "a: |\u2028  b\n", "a: 1\rb: 2\n"} {
		tokens, err := parse(t, in).Tokens()
		if err == nil || !strings.HasPrefix(err.Error(), "f.yaml:1:") {
			t.Errorf("Tokens(%q) = %v, error %v; want an error with its place", in, tokens, err)
		}
	}
	if tokens, err := parse(t, "# c\n").Tokens(); err != nil || len(tokens) != 1 || tokens[0].Style != source.Comment {
		t.Errorf("Tokens of a comment = %v, error %v", tokens, err)
	}
}
