package bot

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/fetch"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/observe"
	"github.com/dpg-registry/dpg-registry/internal/spdx/match"
	"github.com/dpg-registry/dpg-registry/internal/testgit"
)

const seenBranch = "dpg-bot/observe"

func observation(id string) string { return "registry/observations/dpgs/" + id + ".yaml" }

// A world is a Git server with the repositories that entries name.
type world struct {
	t    *testing.T
	root string
	url  string
	sbom string // what is at /app.spdx
	look observe.Options
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, root: t.TempDir()}
	backend := &cgi.Handler{
		Path: filepath.Join(w.git("--exec-path"), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + w.root, "GIT_HTTP_EXPORT_ALL=1"}, Stderr: io.Discard,
	}
	mux := http.NewServeMux()
	mux.Handle("/", backend)
	mux.HandleFunc("/app.spdx", func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, w.sbom) })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	d, err := match.Load()
	if err != nil {
		t.Fatal(err)
	}
	w.url = s.URL
	w.look = observe.Options{Detector: d, AsOf: asOf, Client: fetch.New(fetch.Options{
		Exception: func(at netip.AddrPort) bool { return at.String() == s.Listener.Addr().String() },
	})}
	return w
}

func (w *world) git(args ...string) string {
	w.t.Helper()
	return (&testgit.Work{Dir: w.root}).Git(w.t, args...)
}

// license makes a repository hold a licence text, in a commit of its own.
func (w *world) license(name, expression string) {
	w.t.Helper()
	bare := filepath.Join(w.root, name)
	if _, err := os.Stat(bare); err != nil {
		w.git("init", "-q", "--bare", "-b", "main", name)
	}
	cmd := exec.CommandContext(w.t.Context(), "git", "fast-import", "--quiet", "--force")
	cmd.Dir = bare
	text := "SPDX-License-Identifier: " + expression + "\n"
	cmd.Stdin = strings.NewReader(fmt.Sprintf("commit refs/heads/main\ncommitter A <a@example.org> 1767225600 +0000\ndata 1\nc\nM 100644 inline LICENSE\ndata %d\n%s\n", len(text), text))
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("git fast-import: %v\n%s", err, out)
	}
}

func (d *desk) observe(w *world, only ...string) *Observed {
	d.t.Helper()
	o, err := d.bot.Observe(d.t.Context(), Observing{Options: w.look, Only: only})
	if err != nil {
		d.t.Fatal(err)
	}
	return o
}

// entry is an entry with these repositories of the world.
func (w *world) entry(id string, repositories ...string) string {
	more := ""
	for _, r := range repositories {
		more += "\n  - {url: " + w.url + "/" + r + "}"
	}
	own := `repositories: [{url: "https://git.example.org/` + id + `/` + id + `"}]`
	if more == "" {
		return swap(w.t, entryFile(id, ""), own+"\n", "")
	}
	return swap(w.t, entryFile(id, ""), own, "repositories:"+more)
}

// What a project is built from is looked at with its repositories, and said in the
// same pull request, those with restrictions first.
func TestObserveProposesSBOM(t *testing.T) {
	w := newWorld(t)
	w.license("good", "MIT")
	w.sbom = "SPDXVersion: SPDX-2.3\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: app\nPackageName: lib\nSPDXID: SPDXRef-1\nPackageLicenseDeclared: MIT\n" +
		"PackageName: `driver`\nSPDXID: SPDXRef-2\nPackageLicenseDeclared: BUSL-1.1\n"
	d := newDesk(t, map[string]string{
		dpg("aid"): w.entry("aid", "good"),
		dpg("bid"): w.entry("bid", "good") + "sbom: {url: '" + w.url + "/app.spdx'}\n",
	})
	if o := d.observe(w); len(o.Proposed) != 2 || len(o.Report.Missed) != 0 {
		t.Fatalf("Observe: %+v", o)
	}
	pr := d.onlyPull()
	want := "⚠️ dependencies: `` the document \"" + w.url + "/app.spdx\" lists 2 dependencies, 1 of them under licences that are not accepted, as seen on " + asOf + ": \"BUSL-1.1\" (\"`driver`\") ``"
	if at := strings.Index(pr.Body, "**`dpg/bid`**"); !strings.Contains(pr.Body, want) || at < 0 || at > strings.Index(pr.Body, "**`dpg/aid`**") {
		t.Errorf("body does not say, or not first: %s\n%s", want, pr.Body)
	}
	if c, _ := d.check(pr.HeadSHA); c.Conclusion != forge.Success || !strings.Contains(c.Summary, "sbom-observed") {
		t.Errorf("the check is %q: %s", c.Conclusion, c.Summary)
	}
	d.still("a second look", func() { d.observe(w) })
	w.look.AsOf = "2026-07-31"
	w.sbom += "PackageName: more\nSPDXID: SPDXRef-3\nPackageLicenseDeclared: MIT\n"
	d.still("one more that is accepted", func() { d.observe(w) })
}

func TestObserveProposes(t *testing.T) {
	w := newWorld(t)
	w.license("good", "MIT")
	w.license("bad", "GPL-3.0-only")
	d := newDesk(t, map[string]string{
		dpg("aid"): w.entry("aid", "good"),
		dpg("bid"): w.entry("bid", "bad"),
		dpg("cid"): w.entry("cid", "nowhere", "good"),
		dpg("did"): w.entry("did"),
	})
	main := d.head("main")
	o := d.observe(w)
	if len(o.Proposed) != 3 || o.Waiting != 0 || len(o.Report.Missed) != 0 {
		t.Errorf("Observe: %+v", o)
	}
	pr := d.onlyPull()
	if pr.Title != "Note what was seen of 3 entries" || pr.Head != seenBranch || !pr.Own {
		t.Errorf("pull request is %+v", pr)
	}
	if diff := cmp.Diff([]string{"A\t" + observation("aid"), "A\t" + observation("bid"), "A\t" + observation("cid")}, d.proposed(seenBranch)); diff != "" {
		t.Errorf("proposed (-want +got):\n%s", diff)
	}
	at := strings.Index(pr.Body, "**`dpg/bid`**")
	if at < 0 || at > strings.Index(pr.Body, "**`dpg/aid`**") {
		t.Error("what is different does not come first")
	}
	for _, want := range []string{
		"⚠️ different: `licence \"MIT\" is given, but repository \"" + w.url + "/bad\" (commit ",
		"holds the text of \"GPL-3.0-only\" in \"LICENSE\"`. To do: `if the repository is right, write \"GPL-3.0-only\"",
		"✅ the same", "/nowhere` is gone, or not for the public",
	} {
		if !strings.Contains(pr.Body, want) {
			t.Errorf("body does not say %q:\n%s", want, pr.Body)
		}
	}
	// The check tells what the facts mean for the entries, and needs nobody's ruling.
	c, _ := d.check(pr.HeadSHA)
	if c.Conclusion != forge.Success || !strings.Contains(c.Summary, "license-observed") || !strings.Contains(c.Summary, "repository-observed") {
		t.Errorf("the check is %q: %s", c.Conclusion, c.Summary)
	}
	if d.head("main") != main {
		t.Error("the bot wrote to main")
	}
	d.still("a second look", func() { d.observe(w) })
	w.look.AsOf = "2026-07-31"
	d.still("a look another day", func() { d.observe(w) })
	d.still("a look at one", func() { d.observe(w, "aid") })

	// A fact changes: the same pull request is brought up to date.
	w.license("good", "ISC")
	d.observe(w, "aid")
	if got := d.onlyPull(); got.Number != pr.Number || strings.Count(got.Body, "⚠️ different") != 2 {
		t.Errorf("pull request is %+v", got)
	}
	w.license("good", "MIT")
	d.observe(w)

	// Merged: there is nothing left, another day neither.
	d.merge(seenBranch)
	if o := d.observe(w); len(o.Proposed) != 0 {
		t.Errorf("once merged: %+v", o.Proposed)
	}
	w.look.AsOf = "2026-08-31"
	d.still("a look after the merge", func() { d.observe(w) })

	// The entry goes; what was seen of it goes too.
	d.push("main", "", map[string]string{dpg("bid"): w.entry("bid")})
	d.observe(w)
	if diff := cmp.Diff([]string{"D\t" + observation("bid")}, d.proposed(seenBranch)); diff != "" {
		t.Errorf("proposed (-want +got):\n%s", diff)
	}
}

// What a person declined is not proposed again for being seen on another day, or
// at another commit.
func TestObserveDeclined(t *testing.T) {
	w := newWorld(t)
	w.license("bad", "ISC")
	d := newDesk(t, map[string]string{dpg("aid"): w.entry("aid", "bad")})
	d.observe(w)
	pr := d.onlyPull()
	if err := d.ada.ClosePullRequest(t.Context(), pr.Number, "no"); err != nil {
		t.Fatal(err)
	}
	d.git("", "update-ref", "-d", "refs/heads/"+seenBranch) // and its branch, as forges offer
	w.look.AsOf = "2026-07-31"
	w.license("bad", "ISC")
	d.still("the same on another day", func() { d.observe(w) })
	w.license("bad", "Zlib")
	d.observe(w)
	if got := d.onlyPull(); got.Number == pr.Number {
		t.Errorf("pull request is %+v", got)
	}
}

// A person's commit on the bot's branch is left alone, and what it says is not
// taken for seen.
func TestObserveAndPeople(t *testing.T) {
	w := newWorld(t)
	w.license("bad", "ISC")
	d := newDesk(t, map[string]string{dpg("aid"): w.entry("aid", "bad")})
	d.observe(w)
	pr := d.onlyPull()
	file := d.git("", "show", seenBranch+":"+observation("aid"))
	d.push(seenBranch, "", map[string]string{observation("aid"): strings.ReplaceAll(file, "ISC", "MIT") + "\n"})
	pushed := d.head(seenBranch)
	d.observe(w) // says once that it leaves the branch alone
	d.still("after a person's push", func() { d.observe(w) })
	if d.head(seenBranch) != pushed {
		t.Error("the bot wrote over what a person pushed")
	}
	d.review(pr.Number)
	if c, _ := d.check(d.head(seenBranch)); c.Conclusion != forge.Neutral || !strings.Contains(c.Summary, "files that the bot writes") {
		t.Errorf("the check of what a person wrote is %q: %s", c.Conclusion, c.Summary)
	}
	// Nor is a contributor's own.
	n := d.open("mine", map[string]string{observation("aid"): file + "\n"})
	if v := d.review(n); v.Conclusion != forge.Neutral {
		t.Errorf("a contributor's observation is %q", v.Conclusion)
	}
}

func TestObserveSettings(t *testing.T) {
	w := newWorld(t)
	w.license("good", "MIT")
	files := map[string]string{"registry/registry.yaml": settingsFile("bot: {entries_per_pull_request: 2}\n")}
	for i := range 3 {
		id := fmt.Sprintf("e%03d", i)
		files[dpg(id)] = w.entry(id, "good")
	}
	d := newDesk(t, files)
	d.still("a dry run", func() {
		if _, err := d.bot.Observe(t.Context(), Observing{Options: w.look, DryRun: true}); err != nil {
			t.Fatal(err)
		}
	})
	if o := d.observe(w, "e001", "e002"); len(o.Proposed) != 2 || o.Waiting != 0 {
		t.Errorf("two: %+v", o)
	}
	// The third waits, though its name comes first: the pull request stays what it is.
	before := d.head(seenBranch)
	if o := d.observe(w, "e000"); len(o.Proposed) != 3 || o.Waiting != 1 || d.head(seenBranch) != before {
		t.Errorf("the third: %+v", o)
	}
	if pr := d.onlyPull(); !strings.Contains(pr.Body, "1 more entry waits until this is merged") {
		t.Errorf("body:\n%s", pr.Body)
	}
	d.push("main", "", map[string]string{"registry/registry.yaml": settingsFile("bot: {behaviours: [review, assess]}\n")})
	if o := d.observe(w); o.Report != nil {
		t.Errorf("switched off: %+v", o)
	}
	if len(d.pulls(forge.Open)) != 0 || d.head(seenBranch) != "" {
		t.Error("what was proposed stays though it is switched off")
	}
	d.push("main", "", map[string]string{"registry/registry.yaml": "schema: [\n"})
	if o := d.observe(w); o.Report != nil {
		t.Errorf("on a broken main: %+v", o)
	}
	if _, err := d.bot.Observe(t.Context(), Observing{Options: w.look, Only: []string{"nobody"}}); err != nil {
		t.Errorf("a broken main comes first: %v", err)
	}
}
