package bot

import (
	"slices"
	"strings"
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// outdated asks which reviews are, after the rules had.
func (d *desk) outdated(had string) ([]int, string) {
	d.t.Helper()
	open, err := d.local.PullRequests(d.t.Context(), forge.Filter{State: forge.Open})
	if err != nil {
		d.t.Fatal(err)
	}
	numbers, rules, err := d.bot.Outdated(d.t.Context(), open, had)
	if err != nil {
		d.t.Fatal(err)
	}
	return numbers, rules
}

func TestOutdated(t *testing.T) {
	moved := strings.Replace(entryFile("new", ""), "Nurses", "Doctors", 1)
	for _, tt := range []struct {
		name string
		base map[string]string // pushed to main after both were reviewed
		want []int             // of 1, which brings new, and 2, which brings odd
	}{
		{"nothing", nil, nil},
		{"another entry", map[string]string{dpg("other"): entryFile("other", "")}, nil},
		{"a file that is no entry", map[string]string{"README.md": "Another.\n"}, nil},
		{"the policy", map[string]string{"registry/policy.yaml": policyFile("# another\n")}, []int{1, 2}},
		{"the settings", map[string]string{"registry/registry.yaml": settingsFile("bot: {silent_label: hush}\n")}, []int{1, 2}},
		{"a framework", map[string]string{"registry/frameworks/needs.yaml": needsFile + "# another\n"}, []int{1, 2}},
		{"the same entry", map[string]string{dpg("new"): moved}, []int{1}},
		{"the same entry, word for word", map[string]string{dpg("new"): entryFile("new", "")}, nil},
		{"the same id in a sub-folder", map[string]string{"registry/dpgs/n/new.yaml": moved}, []int{1}},
		{"the same entry as one that fails", map[string]string{dpg("odd"): entryFile("odd", "")}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, nil)
			one := d.open("new", map[string]string{dpg("new"): entryFile("new", "")})
			two := d.open("odd", map[string]string{dpg("odd"): faulty(t, "odd")})
			if got, _ := d.outdated(""); len(got) > 0 {
				t.Errorf("before any review %v are outdated; they lack one", got)
			}
			d.review(one)
			d.review(two)
			got, had := d.outdated("")
			if len(got) > 0 || had == "" {
				t.Errorf("after the reviews %v are outdated, by the rules %q", got, had)
			}
			if tt.base != nil {
				d.push("main", "", tt.base)
			}
			// Whether the rules of before are known makes no difference.
			for _, had := range []string{had, ""} {
				if got, _ := d.outdated(had); !slices.Equal(got, tt.want) {
					t.Errorf("knowing %q, %v are outdated, want %v", had, got, tt.want)
				}
			}
			done, err := d.bot.ReviewOutdated(t.Context())
			if err != nil || !slices.Equal(done, tt.want) {
				t.Errorf("ReviewOutdated reviewed %v, %v, want %v", done, err, tt.want)
			}
			d.still("another time", func() {
				if done, err := d.bot.ReviewOutdated(t.Context()); err != nil || len(done) > 0 {
					t.Errorf("another time it reviewed %v, %v", done, err)
				}
			})
		})
	}
}

// Words that a stranger gets into a check do not say by which rules it was made.
func TestMarkOf(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"words\n" + marker("rules", "aa") + "\n", "aa"},
		{"words\n" + marker("rules", "aa"), "aa"},
		{marker("rules", "bb") + "\nwords\n", ""},
		{marker("rules", "bb") + "\n" + marker("rules", "aa") + "\n", "aa"},
		{"words " + marker("rules", "bb"), ""},
		{marker("other", "bb") + "\n", ""},
		{marker("rules", "") + "\n", ""},
	} {
		if got := markOf(tt.text, "rules"); got != tt.want {
			t.Errorf("markOf(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}
