package bot

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// The people of these tests. Ada (1) is the contributor of every desk.
const peopleYAML = `maria: {id: 7, permission: write}
steve: {id: 8, permission: read}
rita: {id: 9, permission: read}
`

func (d *desk) people() {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, "people.yaml"), []byte(peopleYAML), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

func user(login string) forge.User {
	return forge.User{Login: login, ID: map[string]int64{"ada": 1, "maria": 7, "steve": 8, "rita": 9}[login]}
}

// says writes a comment as somebody.
func (d *desk) says(login string, number int, body string) int64 {
	d.t.Helper()
	c, err := d.local.As(user(login)).Comment(d.t.Context(), number, body)
	if err != nil {
		d.t.Fatal(err)
	}
	return c.ID
}

func (d *desk) respond(number int) *Response {
	d.t.Helper()
	r, err := d.bot.Respond(d.t.Context(), number, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

// answersOn are the bot's comments on a number whose marker begins so.
func (d *desk) answersOn(number int, purpose string) []string {
	d.t.Helper()
	all, err := d.local.Comments(d.t.Context(), number)
	if err != nil {
		d.t.Fatal(err)
	}
	var bodies []string
	for _, c := range all {
		if c.Own && strings.HasPrefix(c.Body, markerStart+purpose) {
			bodies = append(bodies, c.Body)
		}
	}
	return bodies
}

// lastAnswer is what the bot said last to a command.
func (d *desk) lastAnswer(number int) string {
	d.t.Helper()
	all := d.answersOn(number, "answer ")
	if len(all) == 0 {
		d.t.Fatalf("nobody is answered on %d", number)
	}
	return all[len(all)-1]
}

// reacted reports whether the bot reacted so to a comment.
func (d *desk) reacted(number int, id int64, r forge.Reaction) bool {
	d.t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, "pulls", strconv.Itoa(number), "comments", strconv.Itoa(int(id)), "reactions.yaml"))
	return err == nil && strings.Contains(string(text), string(r))
}

// stewarded is an entry that Steve answers for.
func stewarded(id string) string {
	return entryFile(id, "stewards: [{github: steve, id: 8}]\n")
}

func TestRespondRules(t *testing.T) {
	const because = " because the site says otherwise"
	for _, tt := range []struct {
		name, who, comment string
		pull               bool   // a pull request comes of it
		says               string // in the answer
		adds               string // lines of the entry's file that come
	}{
		{"a maintainer rejects", "maria", "/dpg reject clinic needs/N1" + because, true, "proposes it", `decisions:
  - ruling: reject
    code: needs/N1
    by:
      github: maria
      id: 7
    as: registry
    date: "2026-06-30"
    reason: the site says otherwise
`},
		{"a steward accepts", "steve", "/dpg accept dpg/clinic needs/N1 because it does", true, "proposes it", `decisions:
  - ruling: accept
    code: needs/N1
    by:
      github: steve
      id: 8
    as: steward
    date: "2026-06-30"
    reason: it does
`},
		{"the only entry that is touched", "maria", "/dpg reject needs/N1" + because, true, "proposes it", ""},
		{"a maintainer sets a rule aside", "maria", "/dpg waive clinic sdg-evidence until 2026-12-31 because links are being gathered", true, "proposes it", `waivers:
  - rule: sdg-evidence
    reason: links are being gathered
    by:
      github: maria
      id: 7
    until: "2026-12-31"
`},
		{"a steward sets no rule aside", "steve", "/dpg waive clinic sdg-evidence until 2026-12-31 because I say so", false, "this is for people who may write", ""},
		{"a stranger rules", "rita", "/dpg reject clinic needs/N1" + because, false, "stewards of the entry", ""},
		{"who proposed it rules", "ada", "/dpg accept clinic needs/N1" + because, false, "stewards of the entry", ""},
		{"no such entry", "maria", "/dpg reject clinics needs/N1" + because, false, "no entry `clinics`", ""},
		{"no such code", "maria", "/dpg reject clinic needs/N9" + because, false, "no code `needs/N9`", ""},
		{"nothing to accept", "maria", "/dpg accept clinic needs/N2" + because, false, "nothing to accept", ""},
		{"no such rule", "maria", "/dpg waive clinic nothing until 2026-12-31 because x", false, "no rule `nothing`", ""},
		{"an end that has passed", "maria", "/dpg waive clinic sdg-evidence until 2026-06-29 because x", false, "has passed", ""},
		{"words that are not understood", "maria", "/dpg reject clinic needs/N1", false, "write it as", ""},
		{"a reason that is hostile", "maria", "/dpg reject clinic needs/N1 because \": [x]}\\n# @everyone <!-- `", true, "proposes it", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, map[string]string{dpg("clinic"): stewarded("clinic")})
			d.people()
			number := d.open("change", map[string]string{dpg("clinic"): swap(t, stewarded("clinic"), "Nurses in rural", "Nurses in all rural")})
			id := d.says(tt.who, number, tt.comment)
			d.respond(number)

			answer := d.lastAnswer(number)
			if !strings.Contains(answer, tt.says) {
				t.Errorf("the answer is %q, want %q in it", answer, tt.says)
			}
			want := forge.Confused
			if tt.pull {
				want = forge.ThumbsUp
			}
			if !d.reacted(number, id, want) {
				t.Errorf("the bot did not react with %s", want)
			}
			pulls := slices.DeleteFunc(d.pulls(forge.Open), func(pr forge.PullRequest) bool { return !pr.Own })
			if len(pulls) != 0 != tt.pull {
				t.Fatalf("there are %d pull requests of the bot, want one: %t", len(pulls), tt.pull)
			}
			if tt.pull {
				if got := d.proposed(pulls[0].Head); !cmp.Equal(got, []string{"M\t" + dpg("clinic")}) {
					t.Errorf("it changes %q", got)
				}
				file := d.file(pulls[0].Head, dpg("clinic"))
				if tt.adds != "" {
					if diff := cmp.Diff(stewarded("clinic")+tt.adds, file+"\n"); diff != "" {
						t.Errorf("the entry (-want +got):\n%s", diff)
					}
				}
				message := d.git("", "log", "-1", "--format=%B", pulls[0].Head)
				email := strconv.Itoa(int(user(tt.who).ID)) + "+" + tt.who + "@users.noreply.github.com"
				if !strings.Contains(message, "Co-authored-by: "+tt.who+" <"+email+">") {
					t.Errorf("message %q does not credit %s", message, tt.who)
				}
				if c, ok := d.check(pulls[0].HeadSHA); !ok || c.Conclusion != forge.Neutral {
					t.Errorf("the check of the ruling is %v, want one that asks for a person", c.Conclusion)
				}
			}
			d.still("again", func() { d.respond(number) })
		})
	}
}

// Comments on different pull requests may have the same number at a forge; rulings
// asked for in them must not take each other's place.
func TestRespondKeepsRulingsApart(t *testing.T) {
	d := newDesk(t, map[string]string{dpg("clinic"): stewarded("clinic"), dpg("aid"): entryFile("aid", "")})
	d.people()
	one := d.open("one", map[string]string{dpg("clinic"): swap(t, stewarded("clinic"), "Nurses in rural", "Nurses in all rural")})
	two := d.open("two", map[string]string{dpg("aid"): swap(t, entryFile("aid", ""), "Nurses in rural", "Nurses in all rural")})
	for _, number := range []int{one, two} {
		d.says("maria", number, "/dpg reject needs/N1 because the site says otherwise")
		d.respond(number)
	}
	var changed []string
	for _, pr := range d.pulls(forge.Open) {
		if pr.Own {
			changed = append(changed, d.proposed(pr.Head)...)
		}
	}
	slices.Sort(changed)
	if diff := cmp.Diff([]string{"M\t" + dpg("aid"), "M\t" + dpg("clinic")}, changed); diff != "" {
		t.Errorf("proposed (-want +got):\n%s", diff)
	}
}

// Who the stewards are is read from the default branch.
func TestRespondTakesNoStewardFromThePullRequest(t *testing.T) {
	d := newDesk(t, map[string]string{dpg("clinic"): stewarded("clinic")})
	d.people()
	number := d.open("change", map[string]string{dpg("clinic"): swap(t, stewarded("clinic"), "steve, id: 8", "rita, id: 9")})
	d.says("rita", number, "/dpg accept needs/N1 because it does")
	if r := d.respond(number); r.Taken != 0 || r.Refused != 1 {
		t.Errorf("Respond = %+v, want one refused", r)
	}
	d.onlyPull()
}

func TestRespondOnPullRequest(t *testing.T) {
	mistake := swap(t, entryFile("wells", ""), "MIT", "Apache 2.0")
	for _, tt := range []struct {
		name, who, comment, says string
		changes                  []string // on the branch, against main
	}{
		{"validate", "maria", "/dpg validate", "Judged again: 1 thing to mend", []string{"A\t" + dpg("wells")}},
		{"fix", "maria", "/dpg fix", "Done, on the branch", []string{"A\t" + dpg("wells")}},
		{"fix by who proposed it", "ada", "/dpg fix", "Done, on the branch", []string{"A\t" + dpg("wells")}},
		{"fix by a stranger", "rita", "/dpg fix", "Nothing was done: this is for", []string{"A\t" + dpg("wells")}},
		{"assess", "maria", "/dpg assess", "1 assessment stands", []string{"A\t" + assessment("wells"), "A\t" + dpg("wells")}},
		{"fix, then assess", "maria", "/dpg fix\n/dpg assess", "1 assessment stands", []string{"A\t" + assessment("wells"), "A\t" + dpg("wells")}},
		{"a ruling on an entry that is new", "maria", "/dpg reject needs/N1 because no", "stands on the branch", []string{"A\t" + dpg("wells")}},
		{"help", "maria", "/dpg help", "sets a rule aside", []string{"A\t" + dpg("wells")}},
		{"unknown", "rita", "/dpg explode", "`validate`, `fix`, `assess`, `accept`, `reject`, `waive` and `help`", []string{"A\t" + dpg("wells")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, nil)
			d.people()
			number := d.open("add", map[string]string{dpg("wells"): mistake})
			d.says(tt.who, number, tt.comment)
			d.respond(number)
			if answer := d.lastAnswer(number); !strings.Contains(answer, tt.says) {
				t.Errorf("the answer is %q, want %q in it", answer, tt.says)
			}
			if diff := cmp.Diff(tt.changes, d.proposed("add")); diff != "" {
				t.Errorf("the branch (-want +got):\n%s", diff)
			}
			pushed := strings.Contains(tt.comment, "fix") && tt.who != "rita"
			file := d.file("add", dpg("wells"))
			if got := strings.Contains(file, "Apache-2.0"); got != pushed {
				t.Errorf("mended is %t, want %t:\n%s", got, pushed, file)
			}
			if c, ok := d.check(d.pull(number).HeadSHA); pushed && (!ok || c.Conclusion == forge.Failure) {
				t.Errorf("the check of what was pushed is %v", c.Conclusion)
			}
			d.still("again", func() { d.respond(number) })
		})
	}
}

// Those who may do nothing cannot make the bot talk without end.
func TestRespondSaysNoOnce(t *testing.T) {
	d := newDesk(t, map[string]string{dpg("clinic"): stewarded("clinic")})
	d.people()
	number := d.open("change", map[string]string{dpg("clinic"): swap(t, stewarded("clinic"), "Nurses in rural", "Nurses in all rural")})
	for range 3 {
		d.says("rita", number, "/dpg explode")
		d.says("rita", number, "/dpg fix")
		d.respond(number)
	}
	if got := d.answersOn(number, "answer "); len(got) != 2 {
		t.Errorf("the bot answered %d times, want once to what is unknown and once to what is refused: %q", len(got), got)
	}
	d.still("again", func() { d.respond(number) })
	// Nor does an old comment count once its author may.
	if err := os.WriteFile(filepath.Join(d.dir, "people.yaml"), []byte("rita: {id: 9, permission: write}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	d.still("with more rights", func() { d.respond(number) })
}

// Killed at any write, the next run ends where an undisturbed one does.
func TestRespondKilled(t *testing.T) {
	start := func() (*desk, int) {
		d := newDesk(t, map[string]string{dpg("clinic"): stewarded("clinic")})
		d.people()
		number := d.open("change", map[string]string{dpg("wells"): swap(t, entryFile("wells", ""), "MIT", "Apache 2.0")})
		d.says("maria", number, "/dpg reject clinic needs/N1 because no\n/dpg fix")
		return d, number
	}
	whole, number := start()
	whole.respond(number)
	writes := len(whole.writes.done)
	if writes < 5 {
		t.Fatalf("only %d writes", writes)
	}
	t.Logf("killed before each of %d writes", writes)
	for k := 1; k <= writes; k++ {
		d, number := start()
		d.writes.failFrom = k
		if _, err := d.bot.Respond(t.Context(), number, 0); err == nil {
			t.Errorf("killed before write %d: no error", k)
		}
		d.writes.failFrom = 0
		d.respond(number)
		if got := d.answersOn(number, "answer "); len(got) != 1 {
			t.Errorf("killed before write %d: %d answers", k, len(got))
		}
		if got, want := len(d.pulls(forge.Open)), len(whole.pulls(forge.Open)); got != want {
			t.Errorf("killed before write %d: %d pull requests, want %d", k, got, want)
		}
		if got, want := d.file("change", dpg("wells")), whole.file("change", dpg("wells")); got != want {
			t.Errorf("killed before write %d: the file is %q, want %q", k, got, want)
		}
		d.still("a third time", func() { d.respond(number) })
	}
}
