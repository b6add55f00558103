// Command gen writes a registry of made-up entries to measure with. Sizes and the
// share of entries that have a field follow the predecessor's 394 live and
// screened files of 2023 (median description 163 characters, nine in ten below
// 453; a screening record with four in ten). The same seed gives the same bytes.
package main

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

func main() {
	n := flag.Int("n", 1000, "how many entries")
	seed := flag.Uint64("seed", 1, "seed of the random numbers")
	out := flag.String("out", "", "folder of the repository to write into")
	flag.Parse()
	if *out == "" {
		fmt.Fprintln(os.Stderr, "gen: name a folder with -out")
		os.Exit(2)
	}
	if err := write(*out, *n, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(3)
	}
}

const settings = `schema: registry/v1
name: Made-up registry
publisher: {name: Nobody}
languages: [en]
license: CC0-1.0
attribution: Nobody
`

func write(dir string, n int, seed uint64) error {
	g := &generator{rnd: rand.New(rand.NewPCG(seed, 0))}
	registry := filepath.Join(dir, "registry")
	if err := os.MkdirAll(registry, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(registry, "registry.yaml"), []byte(settings), 0o644); err != nil {
		return err
	}
	for i := range n {
		e := g.entry(i)
		name := fmt.Sprintf("registry/dpgs/%02x/%s.yaml", i%256, e.ID) // sharded, as a large registry is
		data, err := entry.Encode(e, entry.SchemaPath(name, "dpg.schema.json"))
		if err != nil {
			return err
		}
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(full, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

type generator struct{ rnd *rand.Rand }

// words stand in a rough order of use: the first come most often.
var words = strings.Fields(`the of and to a in for is data health with that are open platform on by software users information
system can it as from public digital services access be tool management government community countries people use this development
education support or which project through their based applications source school learning national patients collect learners analysis maps
farmers monitoring mobile offline records children privacy security encryption standards decisions women workers clinics disease climate water
energy budgets procurement transparency citizens rights languages accessible training quality reports interoperable registry identity payments
exchange vaccination logistics humanitarian refugees biodiversity satellite images models forecasts agriculture nutrition schools teachers`)

func (g *generator) text(characters int) string {
	var b strings.Builder
	for b.Len() < characters {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		at := int(math.Pow(g.rnd.Float64(), 2) * float64(len(words))) // the low ones more often
		b.WriteString(words[at])
		if g.rnd.IntN(14) == 0 {
			b.WriteByte('.')
		}
	}
	s := strings.TrimSuffix(b.String(), ".")
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

// length is log-normal: median and the ninth tenth as given.
func (g *generator) length(median, ninth float64) int {
	return max(20, int(median*math.Exp(g.rnd.NormFloat64()*math.Log(ninth/median)/1.2816)))
}

func (g *generator) chance(p float64) bool { return g.rnd.Float64() < p }

func pick[T any](g *generator, of []T) T { return of[g.rnd.IntN(len(of))] }

var (
	licenses  = strings.Fields("MIT MIT MIT Apache-2.0 Apache-2.0 BSD-3-Clause MPL-2.0 GPL-3.0-only AGPL-3.0-or-later")
	sectors   = strings.Fields("health education climate agriculture finance government humanitarian energy")
	countries = strings.Fields("IN KE TZ US BD NG UG RW ET GH MW ZM ZA BR CO MX PE ID PH VN NP PK LK SN ML BF CM MZ")
)

func (g *generator) entry(i int) entry.Entry {
	id := fmt.Sprintf("%s-%s-%d", pick(g, words[20:]), pick(g, words[20:]), i)
	site := "https://" + id + ".example.org/"
	e := entry.Entry{
		Schema: "dpg/v1", ID: id,
		Name:        fmt.Sprintf("%s %s %d", pick(g, words[20:]), pick(g, words[20:]), i),
		Description: entry.Plain(g.text(g.length(163, 453))),
		Website:     site,
		Types:       []string{"software"},
		Licenses:    []entry.License{{Expression: pick(g, licenses), URL: site + "license"}},
		Status:      entry.Status{Stage: entry.StageNominee, AsOf: "2023-01-13"},
		Sources:     []entry.Source{{URL: site, AsOf: "2023-01-13"}},
	}
	if g.chance(0.95) {
		e.Repositories = []entry.Repository{{Name: "main", URL: "https://github.com/made-up/" + id}}
	}
	for goal := 1 + g.rnd.IntN(17); goal <= 17 && len(e.SDGs) < 6; goal += 1 + g.rnd.IntN(12) {
		e.SDGs = append(e.SDGs, entry.SDG{Goal: goal, Text: entry.Plain(g.text(g.length(190, 600))), Evidence: []string{site + "impact"}})
	}
	if g.chance(0.5) {
		e.Sectors = []string{pick(g, sectors)}
	}
	if g.chance(0.4) {
		e.Aliases = []string{fmt.Sprintf("%s %d", strings.ToUpper(pick(g, words[20:])), i)}
	}
	e.Organizations = []entry.Organization{{Name: "Organisation " + id, Role: "owner", Website: site}}
	if g.chance(0.4) {
		e.Standard = g.answers(site)
		e.Locations = &entry.Locations{DevelopedIn: []string{pick(g, countries)}}
		for range g.rnd.IntN(30) {
			c := pick(g, countries)
			if !slices.Contains(e.Locations.DeployedIn, c) {
				e.Locations.DeployedIn = append(e.Locations.DeployedIn, c)
			}
		}
	}
	return e
}

func (g *generator) answers(site string) *entry.Answers {
	prose := func() entry.Text { return entry.Plain(g.text(g.length(260, 900))) }
	items := func(n int) (list []string) {
		for range 1 + g.rnd.IntN(n) {
			list = append(list, g.text(g.length(60, 200)))
		}
		return list
	}
	return &entry.Answers{
		Ownership:             &entry.Answer{Answer: "yes", Evidence: []string{site + "license"}},
		RestrictiveDependency: &entry.Answer{Answer: "no"},
		Documentation:         &entry.Answer{Answer: "yes", Evidence: []string{site + "docs"}},
		NonPersonalData:       &entry.Answer{Answer: "yes"},
		DataExport:            &entry.Answer{Answer: "yes", Text: prose()},
		Privacy:               &entry.Answer{Answer: "yes", Items: items(3)},
		PrivacySteps:          &entry.Answer{Items: items(3)},
		Standards:             &entry.Answer{Answer: "yes", Items: items(6), Evidence: []string{site + "standards"}},
		BestPractices:         &entry.Answer{Answer: "yes", Items: items(5)},
		HarmPrevention:        &entry.Answer{Answer: "yes", Text: prose()},
		PersonalData:          &entry.Answer{Answer: "yes", Items: items(3)},
		DataSharing:           &entry.Answer{Answer: "no"},
		DataSecurity:          &entry.Answer{Answer: "yes", Text: prose()},
		UserContent:           &entry.Answer{Answer: "no"},
		UserInteraction:       &entry.Answer{Answer: "no"},
	}
}
