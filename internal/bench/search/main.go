// Command search sets searches in a catalog beside SQLite's FTS5, in one process
// and one run: the same entries, the same words, the best twenty. Ours forgives
// typing errors and counts facets as well; FTS5 ranks and nothing else. Of each
// search the fastest of five counts. Entries are made up, in the words and lengths of internal/bench/gen. It prints a Markdown table.
//
//	cd internal/bench/search && go run . -n 10000,100000
package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	_ "modernc.org/sqlite"

	"github.com/dpg-registry/dpg-registry/internal/search"
)

func main() {
	sizes := flag.String("n", "10000,100000", "how many entries, with commas between")
	queries := flag.Int("queries", 300, "how many searches of each")
	flag.Parse()
	fmt.Println("| entries | engine | ready after | memory | median | 99th percentile | ratio of p99 |\n|---|---|---|---|---|---|---|")
	for _, text := range strings.Split(*sizes, ",") {
		n, err := strconv.Atoi(text)
		if err == nil {
			err = measure(n, *queries)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "search:", err)
			os.Exit(3)
		}
	}
}

// rounds is how often each search is made.
const rounds = 5

func faster(round int, best, took time.Duration) time.Duration {
	if round == 0 {
		return took
	}
	return min(best, took)
}

type made struct {
	id, name, alias, text, org, sector string
	line                               []byte
}

// vocabulary is the words in common use, and after them longer and rarer ones, as
// in any collection of texts: half of the different words stand in few entries.
func vocabulary(rnd *rand.Rand) []string {
	out := strings.Fields(`the of and to a in for is data health with that are open platform on by software users information
system can it as from public digital services access be tool management government community countries people use this development
education support or which project through their based applications source school learning national patients collect learners analysis maps
farmers monitoring mobile offline records children privacy security encryption standards decisions women workers clinics disease climate water
energy budgets procurement transparency citizens rights languages accessible training quality reports interoperable registry identity payments`)
	syllables := strings.Fields("ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo yu zan ter mon ral tion ment")
	for len(out) < 20_000 {
		var w strings.Builder
		for range 2 + rnd.IntN(3) {
			w.WriteString(syllables[rnd.IntN(len(syllables))])
		}
		out = append(out, w.String())
	}
	return out
}

func entries(n int, words []string, rnd *rand.Rand) ([]made, error) {
	zipf := rand.NewZipf(rnd, 1.1, 8, uint64(len(words)-1))
	some := func(count int) string {
		out := make([]string, count)
		for i := range out {
			out[i] = words[zipf.Uint64()]
		}
		return strings.Join(out, " ")
	}
	countries := strings.Fields("IN KE TZ US BD NG UG RW ET GH MW ZM ZA BR CO MX PE ID PH VN NP PK LK SN ML BF CM MZ")
	sectors := strings.Fields("health education climate agriculture finance government humanitarian energy")
	licenses := strings.Fields("MIT Apache-2.0 BSD-3-Clause MPL-2.0 GPL-3.0-only AGPL-3.0-or-later")
	all := make([]made, n)
	for i := range all {
		m := made{id: fmt.Sprintf("entry-%d", i), name: words[100+rnd.IntN(len(words)-100)] + " " + some(1+rnd.IntN(2)), text: some(12 + rnd.IntN(50)),
			org: "Organisation " + words[rnd.IntN(len(words))], sector: sectors[rnd.IntN(len(sectors))]}
		if rnd.IntN(5) < 2 {
			m.alias = strings.ToUpper(words[rnd.IntN(len(words))])
		}
		deployed := slices.Clone(countries[:rnd.IntN(len(countries))])
		var err error
		m.line, err = json.Marshal(map[string]any{
			"id": m.id, "kind": "dpg", "path": "dpgs/" + m.id + ".json", "name": m.name, "aliases": strings.Fields(m.alias),
			"description": map[string]string{"en": m.text}, "types": []string{"software"}, "sectors": []string{m.sector},
			"licenses": []map[string]string{{"expression": licenses[rnd.IntN(len(licenses))]}}, "sdgs": []map[string]int{{"goal": 1 + rnd.IntN(17)}, {"goal": 1 + rnd.IntN(17)}},
			"organizations": []map[string]string{{"name": m.org}}, "locations": map[string][]string{"deployed_in": deployed}, "status": map[string]string{"stage": "dpg"},
		})
		if err != nil {
			return nil, err
		}
		all[i] = m
	}
	return all, nil
}

// questions are as people type: one to three words, of names and of texts, common
// and rare; every fourth has a letter wrong, and every other one breaks off.
func questions(n int, all []made, rnd *rand.Rand) (out []string, wrong []bool) {
	for i := range n {
		m := all[rnd.IntN(len(all))]
		fields := strings.Fields(m.name)
		if i%2 == 0 {
			fields = strings.Fields(m.text)
		}
		at := rnd.IntN(len(fields))
		fields = slices.Clone(fields[at:min(len(fields), at+1+rnd.IntN(3))])
		if i%4 == 3 {
			if w := fields[0]; len(w) > 5 {
				fields[0] = w[:2] + w[3:]
			}
		}
		out, wrong = append(out, strings.Join(fields, " ")), append(wrong, i%4 == 3)
	}
	return out, wrong
}

func measure(n, queries int) error {
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	all, err := entries(n, vocabulary(rnd), rnd)
	if err != nil {
		return err
	}
	asked, _ := questions(queries, all, rnd)
	dir, err := os.MkdirTemp("", "dpg-search-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	api := filepath.Join(dir, "api", "v1")
	if err := os.MkdirAll(api, 0o755); err != nil {
		return err
	}
	var lines bytes.Buffer
	for i := range all {
		lines.Write(all[i].line)
		lines.WriteByte('\n')
		all[i].line = nil
	}
	for name, data := range map[string][]byte{"index.json": []byte(`{"languages":["en"],"kinds":[{"name":"dpg"}]}`), "frameworks.json": []byte(`{"items":[]}`), "full.ndjson": lines.Bytes()} {
		if err := os.WriteFile(filepath.Join(api, name), data, 0o644); err != nil {
			return err
		}
	}
	lines = bytes.Buffer{}

	heap := held()
	began := time.Now()
	ix, err := search.Read(context.Background(), os.DirFS(dir), 0)
	if err != nil {
		return err
	}
	ready := time.Since(began)
	memory := held() - heap

	db, filled, err := fts(filepath.Join(dir, "fts.db"), all)
	if err != nil {
		return err
	}
	defer db.Close()
	find, err := db.Prepare(`SELECT id, name, snippet(e, 3, '', '', '…', 32) FROM e WHERE e MATCH ? ORDER BY bm25(e, 0, 6, 5, 1, 2, 2) LIMIT 20`)
	if err != nil {
		return err
	}
	defer find.Close()
	found, foundToo := 0, 0
	ours, theirs := make([]time.Duration, len(asked)), make([]time.Duration, len(asked))
	// Both in turn, so that a noisy minute meets both; of each search the fastest
	// round counts, which leaves out what other programs on the machine took.
	for round := range rounds {
		found, foundToo = 0, 0
		for i, q := range asked {
			began := time.Now()
			r := ix.Search(search.Query{Text: q})
			if _, err := json.Marshal(r); err != nil {
				return err
			}
			ours[i] = faster(round, ours[i], time.Since(began))
			if r.Total > 0 {
				found++
			}
			began = time.Now()
			got, err := rows(find, match(q))
			if err != nil {
				return err
			}
			theirs[i] = faster(round, theirs[i], time.Since(began))
			if got > 0 {
				foundToo++
			}
		}
	}
	p50, p99 := quantiles(ours)
	q50, q99 := quantiles(theirs)
	fmt.Printf("| %d | ours, with typing errors, facets and JSON; %d of %d found something | %.2f s | %d MB heap | %s | %s | %.3f |\n",
		n, found, len(asked), ready.Seconds(), memory>>20, p50, p99, p99.Seconds()/q99.Seconds())
	fmt.Printf("| %d | SQLite FTS5, bm25, best 20; %d of %d | %.2f s (filled) | not measured | %s | %s | |\n", n, foundToo, len(asked), filled.Seconds(), q50, q99)
	worst, which := hardest(ix, all)
	fmt.Printf("| %d | ours, the hardest of what is made to be hard: %s | | | | %s at most | %.3f |\n", n, which, worst.Round(time.Microsecond), worst.Seconds()/q99.Seconds())
	if rss, err := os.ReadFile("/proc/self/status"); err == nil {
		for line := range strings.Lines(string(rss)) {
			if strings.HasPrefix(line, "VmHWM") {
				fmt.Fprintf(os.Stderr, "%d entries: the whole process, both engines and the made-up texts, at most %s", n, strings.TrimSpace(strings.TrimPrefix(line, "VmHWM:"))+"\n")
			}
		}
	}
	return nil
}

// hardest makes searches that a person would not: each takes the most of one thing.
func hardest(ix *search.Index, all []made) (worst time.Duration, which string) {
	wrong := func(w string) string { return w[:len(w)-2] + "zq" } // two letters, at the end
	var far []string
	for i := 0; len(far) < search.MaxTerms && i < len(all); i++ {
		if w, _, _ := strings.Cut(all[i].name, " "); len(w) >= 8 {
			far = append(far, wrong(w))
		}
	}
	common := "the of and to a in for is data health with that are open platform on"
	for _, q := range []struct {
		name  string
		query search.Query
	}{
		{"a beginning of one letter", search.Query{Text: "a"}},
		{"as many common words as are read", search.Query{Text: common}},
		{"those with filters", search.Query{Text: common, Filters: map[string][]string{"country": {"IN", "KE"}, "sdg": {"3"}, "sector": {"health"}}}},
		{"as many words with two letters wrong", search.Query{Text: strings.Join(far, " ")}},
		{"the last page of everything", search.Query{Page: search.MaxPage, PerPage: search.MaxPerPage}},
		{"the last page of a common word", search.Query{Text: "the ", Page: search.MaxPage, PerPage: search.MaxPerPage}},
		{"a hundred of a common word", search.Query{Text: "the ", PerPage: search.MaxPerPage}},
		{"a word of the greatest length", search.Query{Text: strings.Repeat("abcdefgh", search.MaxText/8)}},
	} {
		var best time.Duration
		for round := range rounds {
			began := time.Now()
			if _, err := json.Marshal(ix.Search(q.query)); err != nil {
				return worst, err.Error()
			}
			best = faster(round, best, time.Since(began))
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", q.name, best.Round(time.Microsecond))
		if best > worst {
			worst, which = best, q.name
		}
	}
	return worst, which
}

// match gives a query as FTS5 has it: every word, the last one as a beginning.
func match(q string) string {
	fields := strings.Fields(q)
	for i, w := range fields {
		fields[i] = `"` + w + `"`
	}
	return strings.Join(fields, " ") + "*"
}

func rows(find *sql.Stmt, q string) (n int, err error) {
	r, err := find.Query(q)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	for r.Next() {
		var id, name, text string
		if err := r.Scan(&id, &name, &text); err != nil {
			return n, err
		}
		n++
	}
	return n, r.Err()
}

func fts(name string, all []made) (*sql.DB, time.Duration, error) {
	began := time.Now()
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, 0, err
	}
	db.SetMaxOpenConns(1)
	for _, s := range []string{"PRAGMA journal_mode=OFF", "PRAGMA cache_size=-262144", "PRAGMA mmap_size=1073741824",
		"CREATE VIRTUAL TABLE e USING fts5(id UNINDEXED, name, alias, text, org, sector, tokenize='unicode61 remove_diacritics 2', prefix='2 3')"} {
		if _, err := db.Exec(s); err != nil {
			return nil, 0, fmt.Errorf("%s: %w", s, err)
		}
	}
	tx, err := db.Begin()
	if err != nil {
		return nil, 0, err
	}
	put, err := tx.Prepare("INSERT INTO e VALUES (?,?,?,?,?,?)")
	if err != nil {
		return nil, 0, err
	}
	for _, m := range all {
		if _, err := put.Exec(m.id, m.name, m.alias, m.text, m.org, m.sector); err != nil {
			return nil, 0, err
		}
	}
	if err := tx.Commit(); err != nil {
		return nil, 0, err
	}
	_, err = db.Exec("INSERT INTO e(e) VALUES ('optimize')")
	return db, time.Since(began), err
}

func held() uint64 {
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func quantiles(ds []time.Duration) (p50, p99 time.Duration) {
	slices.Sort(ds)
	return ds[len(ds)/2].Round(time.Microsecond), ds[len(ds)*99/100].Round(time.Microsecond)
}
