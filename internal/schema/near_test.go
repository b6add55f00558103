package schema

import "testing"

func TestNearest(t *testing.T) {
	words := []string{"software", "data", "content", "standard", "ai-system", "licenses", "url"}
	tests := []struct{ word, want string }{
		{"sofware", "software"},
		{"Software", "software"},
		{"licence", "licenses"},
		{"ai system", "ai-system"},
		{"AISystem", "ai-system"},
		{"contnet", "content"},
		{"urls", "url"},
		{"blockchain", ""},
		{"AI", "ai-system"},
		{"dataset", "data"},
		{"s", ""}, // software or standard
		{"x", ""},
		{"", ""},
	}
	for _, tt := range tests {
		if got := nearest(tt.word, words); got != tt.want {
			t.Errorf("nearest(%q) = %q, want %q", tt.word, got, tt.want)
		}
	}
	if got := nearest("cat", []string{"bat", "rat"}); got != "" {
		t.Errorf("nearest of two equals = %q, want none", got)
	}
}

func TestDate(t *testing.T) {
	tests := []struct{ in, want string }{
		{"13/01/2023", "2023-01-13"},
		{"01/13/2023", "2023-01-13"},
		{"02/02/2023", "2023-02-02"},
		{"02/01/2023", ""}, // February or January
		{"31.12.2023", "2023-12-31"},
		{"2023/1/3", "2023-01-03"},
		{"2023-1-3", "2023-01-03"},
		{"20230113", "2023-01-13"},
		{"2023113", ""}, // the 1st or the 11th month
		{"2023-01-13T10:00:00Z", "2023-01-13"},
		{"13 January 2023", "2023-01-13"},
		{"Jan 13, 2023", "2023-01-13"},
		{"30/02/2023", ""},
		{"2023-02-30", ""},
		{"spring", ""},
	}
	for _, tt := range tests {
		if got := date(tt.in); got != tt.want {
			t.Errorf("date(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestKebab(t *testing.T) {
	tests := []struct{ in, want string }{
		{"Open Food Façts", "open-food-facts"},
		{"nmf.earth", "nmf-earth"},
		{"  --A__B-- ", "a-b"},
		{"L'été", "lete"},
		{"Сеть", ""},
		{"!!!", ""},
	}
	for _, tt := range tests {
		if got := kebab(tt.in); got != tt.want {
			t.Errorf("kebab(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
