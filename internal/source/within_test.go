package source

import (
	"strings"
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/diag"
)

func TestWithin(t *testing.T) {
	const word = "WORD"
	tests := []struct {
		name, file string
		want       diag.Pos
		ok         bool
	}{
		{"plain", "k: a WORD here\n", diag.Pos{Line: 1, Col: 6}, true},
		{"bytes, not letters", "k: é WORD\n", diag.Pos{Line: 1, Col: 7}, true},
		{"plain, folded", "k: a\n   b\n   WORD\n", diag.Pos{Line: 3, Col: 4}, true},
		{"single quotes", "k: 'it''s a WORD'\n", diag.Pos{Line: 1, Col: 13}, true},
		{"double quotes", `k: "say \"a\" \\ WORD"` + "\n", diag.Pos{Line: 1, Col: 18}, true},
		{"escaped line feed", `k: "a\nWORD"` + "\n", diag.Pos{Line: 1, Col: 8}, true},
		{"literal block", "k: |\n  a\n\n    b\n  WORD\n", diag.Pos{Line: 5, Col: 3}, true},
		{"folded block", "k: >-\n  a\n  b\n\n  c WORD\n", diag.Pos{Line: 5, Col: 5}, true},
		{"anchor", "k: &x a WORD\n", diag.Pos{Line: 1, Col: 9}, true},
		{"alias", "x: &x a WORD\nk: *x\n", diag.Pos{Line: 2, Col: 4}, false},
		{"rare escape", `k: "\x61 WORD"` + "\n", diag.Pos{Line: 1, Col: 4}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc, found := Parse("x.yaml", []byte(tt.file))
			if len(found) > 0 {
				t.Fatalf("Parse(%q) found %v", tt.file, found)
			}
			n := doc.Root.Get("k")
			got, ok := n.Within(strings.Index(n.Text, word))
			if got != tt.want || ok != tt.ok {
				t.Errorf("Within(%q) = %v, %v, want %v, %v", tt.file, got, ok, tt.want, tt.ok)
			}
		})
	}
}
