package bot

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/forge"
)

var hunkHead = regexp.MustCompile(`^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@`)

// gitShows asks the git program which lines a branch adds to main, by file, with so
// many lines around them.
func (d *desk) gitShows(branch string, around int) map[string]map[int]bool {
	d.t.Helper()
	out := d.git("", "-c", "core.quotePath=false", "diff", "-M", fmt.Sprintf("-U%d", around), "refs/heads/"+d.main+"...refs/heads/"+branch)
	shown := map[string]map[int]bool{}
	var file map[int]bool
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "+++ b/"); ok {
			file = map[int]bool{}
			shown[name] = file
		}
		if m := hunkHead.FindStringSubmatch(line); m != nil && file != nil {
			first, _ := strconv.Atoi(m[1])
			count := 1
			if m[2] != "" {
				count, _ = strconv.Atoi(m[2])
			}
			for n := first; n < first+count; n++ {
				file[n] = true
			}
		}
	}
	return shown
}

// annotated holds a check's remarks against what git shows: each is on a line of the
// diff, and none is missing.
func (d *desk) annotated(v *Verdict, check forge.Check, branch string) {
	d.t.Helper()
	shown := d.gitShows(branch, 0)
	want := 0
	for _, f := range v.Findings {
		if f.Start.Line == 0 && len(shown[f.Path]) > 0 || shown[f.Path][f.Start.Line] {
			want++
		}
	}
	if len(check.Annotations) != want {
		d.t.Errorf("there are %d annotations, want %d: %+v", len(check.Annotations), want, check.Annotations)
	}
	for _, a := range check.Annotations {
		if !shown[a.Path][a.StartLine] {
			d.t.Errorf("the annotation on %s:%d is outside the diff: %v", a.Path, a.StartLine, shown[a.Path])
		}
	}
}

// What is taken for a line of the diff is one that git shows, if only beside what
// changed: there are texts that can be aligned in several ways.
func TestShownLinesAreGits(t *testing.T) {
	d := newDesk(t, nil)
	random := rand.New(rand.NewPCG(1, 2))
	words := []string{"a", "b", "  - c", "  - c", "d: e", ""}
	text := func(from []string) []string {
		var lines []string
		for _, line := range from {
			switch random.IntN(8) {
			case 0:
			case 1:
				lines = append(lines, words[random.IntN(len(words))], line)
			case 2:
				lines = append(lines, words[random.IntN(len(words))])
			default:
				lines = append(lines, line)
			}
		}
		return lines
	}
	olds, news := map[string]string{}, map[string]string{}
	for i := range 200 {
		name := fmt.Sprintf("notes/%03d.txt", i)
		base := make([]string, 30)
		for j := range base {
			base[j] = words[random.IntN(len(words))] + strconv.Itoa(random.IntN(4))
		}
		olds[name] = strings.Join(base, "\n") + "\n"
		news[name] = strings.Join(text(base), "\n") + "\n"
	}
	d.push("main", "", olds)
	d.push("topic", "refs/heads/main", news)
	exact, shown := d.gitShows("topic", 0), d.gitShows("topic", 3)
	differ := 0
	for name := range olds {
		ours := shownLines([]byte(olds[name]), []byte(news[name]))
		for n := range ours {
			if !shown[name][n] {
				t.Errorf("%s:%d is not in git's diff of\n%q\nand\n%q", name, n, olds[name], news[name])
			}
		}
		if len(ours) != len(exact[name]) {
			differ++
		}
	}
	t.Logf("of %d pairs of texts, git shows more lines than needed in %d", len(olds), differ)
}

func TestHunks(t *testing.T) {
	for _, tt := range []struct {
		name, a, b string
		want       []hunk
		shown      []int
	}{
		{"nothing", "", "", nil, nil},
		{"the same", "a\nb\n", "a\nb\n", nil, nil},
		{"a new file", "", "a\nb\n", []hunk{{0, 0, 0, 2}}, []int{1, 2}},
		{"all goes", "a\nb\n", "", []hunk{{0, 2, 0, 0}}, nil},
		{"one changed", "a\nb\nc\n", "a\nx\nc\n", []hunk{{1, 2, 1, 2}}, []int{2}},
		{"one more", "a\nc\n", "a\nb\nc\n", []hunk{{1, 1, 1, 2}}, []int{2}},
		{"the last line gets an end", "a", "a\n", nil, nil},
		{"two places", "a\nb\nc\nd\n", "x\nb\nc\ny\n", []hunk{{0, 1, 0, 1}, {3, 4, 3, 4}}, []int{1, 4}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := hunks(splitLines([]byte(tt.a)), splitLines([]byte(tt.b)))
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(hunk{})); diff != "" || !ok {
				t.Errorf("hunks (-want +got):\n%s", diff)
			}
			var lines []int
			for n := range shownLines([]byte(tt.a), []byte(tt.b)) {
				lines = append(lines, n)
			}
			slices.Sort(lines)
			if diff := cmp.Diff(tt.shown, lines); diff != "" {
				t.Errorf("shown (-want +got):\n%s", diff)
			}
		})
	}
	// Too different to be compared: only what was nowhere before is sure to be shown.
	var long, other strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&long, "%d\n", i)
		fmt.Fprintf(&other, "%d\n", 5000-i)
	}
	if shown := shownLines([]byte(long.String()), []byte(other.String())); len(shown) != 1 || !shown[1] {
		t.Errorf("%d lines are sure to be shown, want 1", len(shown))
	}
}
