package entry

import "testing"

func TestCountry(t *testing.T) {
	tests := []struct{ code, want string }{
		{"NO", "Norway"}, {"CI", "Côte d’Ivoire"}, {"TR", "Türkiye"}, {"LC", "Saint Lucia"}, {"BA", "Bosnia and Herzegovina"},
		{"GW", "Guinea-Bissau"}, {"CD", "Democratic Republic of the Congo"}, {"SZ", "Eswatini"},
		{"no", ""}, {"UK", ""}, {"XX", ""}, {"YU", ""}, {"EU", ""}, {"", ""}, {"NOR", ""}, {"\xff\xff", ""},
	}
	for _, tt := range tests {
		if got := Country(tt.code); got != tt.want {
			t.Errorf("Country(%q) = %q, want %q", tt.code, got, tt.want)
		}
	}
}
