package typo

import (
	"slices"
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	long := strings.Repeat("long", 20)
	tests := []struct {
		a, b  string
		limit int
		want  int
	}{
		{"health", "health", 2, 0}, {"helth", "health", 1, 1}, {"haelth", "health", 1, 1}, {"healthy", "health", 1, 1},
		{"wealthy", "health", 2, 2}, {"wealthy", "health", 1, 2}, {"abcdef", "ghijkl", 2, 3}, {"", "ab", 2, 2}, {"ß", "é", 2, 1},
		{"", "", 0, 0}, {long, long + "er", 5, 2}, {long + "x", "x" + long, 5, 2},
	}
	for _, tt := range tests {
		for _, pair := range [][2]string{{tt.a, tt.b}, {tt.b, tt.a}} {
			if got := Distance([]rune(pair[0]), []rune(pair[1]), tt.limit); got != tt.want {
				t.Errorf("Distance(%q, %q, %d) = %d, want %d", pair[0], pair[1], tt.limit, got, tt.want)
			}
		}
	}
}

func TestNear(t *testing.T) {
	known := []string{"O1", "O2", "products", "process", "mosip", "mojaloop", ""}
	tests := []struct {
		in   string
		want []string
	}{
		{"o1", []string{"O1"}}, {"O3", nil}, {"prodcuts", []string{"products"}}, {"mosipp", []string{"mosip"}}, {"unlike", nil}, {"", nil},
		{strings.Repeat("products", 20), nil},
	}
	for _, tt := range tests {
		if got := Near(tt.in, known); !slices.Equal(got, tt.want) {
			t.Errorf("Near(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
	if got, want := Near("xaaaa", []string{"daaaa", "caaaa", "baaaa", "aaaaa"}), []string{"aaaaa", "baaaa", "caaaa"}; !slices.Equal(got, want) {
		t.Errorf("Near of four equals = %q, want three by name, %q", got, want)
	}
}
