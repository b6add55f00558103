package dpg

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/dpg-registry/dpg-registry/internal/assess"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/dpga"
	"github.com/dpg-registry/dpg-registry/internal/framework"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	shipped "github.com/dpg-registry/dpg-registry/registry"
)

// maxMapBytes bounds a text, and a line of --jsonl.
const maxMapBytes = 1 << 20

var mapCommand = cli.Command{
	Name:    "map",
	Summary: "rank the framework codes that a text speaks for, with the words",
	Help: `
Reads a text from standard input and prints the codes that it speaks for, best first:
code, score, strength (2 clear, 1 weak) and the words it rests on, with tabs between. The
score only puts codes in order; it is no probability. The engine is that of assess.

With --jsonl each line is an object, and gives one line in the same order:
  {"id": "a", "text": "..."}                        any text; "language" may be given
  {"id": "b", "entry": {...}, "screening": {...}}   an entry as the DPGA kept it until 2024
Pointers lead into the line that was read. The id may be any value. A line that cannot
be used gives {"line", "id", "error"}, the first its number, and the exit code is 1.
Lines are at most 1 MiB. Where there is nothing to read it says so, and the exit code is 0.`,
	Examples: []string{
		`echo "Collect only the data that the service needs." | dpg map`,
		"dpg map --framework dpi-safeguards --json < about.txt",
		"dpg map --jsonl < texts.jsonl > mapped.jsonl",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		dir := flags.String("registry", "registry", "take the frameworks of the registry in `DIR`, if it is there")
		only := flags.String("framework", "", "map to the codes of framework `ID` alone")
		language := flags.String("language", "en", "the `TAG` of the language that texts are in")
		lines := flags.Bool("jsonl", false, "read and write one JSON object a line")
		asJSON := flags.Bool("json", false, "write JSON for one text too")
		jobs := cli.JobsFlag(flags)
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) > 0 {
				return cli.Usagef("map takes no arguments: it reads standard input")
			}
			set, err := frameworks(ctx, *dir, flagGiven(flags, "registry"))
			if err != nil {
				return err
			}
			if set, err = onlyOne(set, *only); err != nil {
				return err
			}
			m := mapper{engine: assess.NewOffline(set), language: *language}
			if *lines {
				var read atomic.Bool
				err := eachLine(ctx, o, *jobs, maxMapBytes, func(line inLine) (any, bool) {
					read.Store(true)
					return m.line(line)
				})
				if err == nil && !read.Load() {
					o.Say("nothing to map: standard input holds no line")
				}
				return err
			}
			return m.text(o, *asJSON)
		}
	},
}

func flagGiven(flags *flag.FlagSet, name string) bool {
	given := false
	flags.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}

// frameworks are those of the registry in a folder; the built-in ones where there is
// none and none was asked for.
func frameworks(ctx context.Context, dir string, asked bool) (framework.Set, error) {
	files := registry.FromFS(shipped.FS)
	var load registry.Options
	if _, err := os.Stat(dir); asked || !errors.Is(err, fs.ErrNotExist) {
		var err error
		if files, err = cli.Open(dir, &load); err != nil {
			return nil, err
		}
	}
	all, err := files.List()
	if err != nil {
		return nil, err
	}
	var governing []registry.Blob
	for _, b := range all {
		if top, _, nested := strings.Cut(b.Path, "/"); !nested || top == "frameworks" {
			governing = append(governing, b)
		}
	}
	reg, err := registry.Load(ctx, registry.Subset(files, governing), load)
	if err != nil {
		return nil, err
	}
	return reg.Frameworks, nil
}

// onlyOne leaves one framework of a set; "" leaves all.
func onlyOne(set framework.Set, id string) (framework.Set, error) {
	var mapped []string
	for _, name := range set.IDs() {
		for _, l := range set[name].Lists {
			if l.Mapped {
				mapped = append(mapped, name)
				break
			}
		}
	}
	if id == "" {
		return set, nil
	}
	for _, name := range mapped {
		if name == id {
			return framework.Set{id: set[id]}, nil
		}
	}
	return nil, cli.Usagef("there is no framework %q that texts are mapped to; there are %s", id, strings.Join(mapped, ", "))
}

type mapper struct {
	engine   *assess.Offline
	language string // of texts that name none
}

// mapIn is a line of --jsonl.
type mapIn struct {
	ID        json.RawMessage `json:"id"`
	Text      *string         `json:"text"`
	Language  string          `json:"language"`
	Entry     json.RawMessage `json:"entry"`
	Screening json.RawMessage `json:"screening"`
}

// mapOut is the answer to one.
type mapOut struct {
	ID       json.RawMessage `json:"id,omitempty"`
	Mappings []mapFound      `json:"mappings"`
	Unknown  string          `json:"unknown,omitempty"` // why nothing could be said
}

type mapFound struct {
	Code     string        `json:"code"`
	Score    float64       `json:"score"`
	Strength int           `json:"strength"`
	Evidence []mapEvidence `json:"evidence"`
}

type mapEvidence struct {
	Pointer string `json:"pointer"`
	Quote   string `json:"quote"`
}

func (m mapper) text(o *cli.IO, asJSON bool) error {
	data, err := io.ReadAll(io.LimitReader(o.In, maxMapBytes+1))
	if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	if len(data) > maxMapBytes {
		return fmt.Errorf("the text is over %d KiB", maxMapBytes>>10)
	}
	if !utf8.Valid(data) {
		return errors.New("the text is not UTF-8")
	}
	if strings.TrimSpace(string(data)) == "" {
		o.Say("nothing to map: standard input holds no text")
	}
	found, unknown := m.found(string(data), m.language, "")
	if asJSON {
		_, err = o.Out.Write(encodeLine(mapOut{Mappings: found, Unknown: unknown}))
		return err
	}
	if unknown != "" {
		o.Say("unknown: %s", unknown)
	}
	for _, f := range found {
		quote := ""
		if len(f.Evidence) > 0 {
			quote = f.Evidence[0].Quote
		}
		fmt.Fprintf(o.Out, "%s\t%.3f\t%d\t%s\n", f.Code, f.Score, f.Strength, seen(quote))
	}
	return nil
}

// found maps a text; pointer is where it stands.
func (m mapper) found(text, language, pointer string) ([]mapFound, string) {
	if !m.engine.Speaks(language) {
		return []mapFound{}, noSignals(language)
	}
	return output(m.engine.Map(text, language), func(string) string { return pointer }), ""
}

// output rounds scores and says where the evidence stands in what was read.
func output(ranked []assess.Ranked, pointer func(string) string) []mapFound {
	all := []mapFound{}
	for _, r := range ranked {
		f := mapFound{r.Code, math.Round(r.Score*1000) / 1000, r.Strength, []mapEvidence{}}
		for _, ev := range r.Evidence {
			f.Evidence = append(f.Evidence, mapEvidence{pointer(ev.Pointer), ev.Quote})
		}
		all = append(all, f)
	}
	return all
}

// line answers one line of --jsonl.
func (m mapper) line(line inLine) (any, bool) {
	var in mapIn
	if fault := line.decode(&in, &in.ID); fault != nil {
		return fault, false
	}
	out := mapOut{ID: in.ID}
	fail := func(format string, args ...any) (any, bool) { return line.fail(in.ID, format, args...), false }
	entry, screening := given(in.Entry), given(in.Screening)
	switch {
	case in.Text != nil && (entry != nil || screening != nil):
		return fail(`"text" stands beside "entry" or "screening": give one or the other`)
	case in.Text != nil:
		language := in.Language
		if language == "" {
			language = m.language
		}
		out.Mappings, out.Unknown = m.found(*in.Text, language, "/text")
	case entry != nil:
		e, from, err := dpga.Subject(entry, screening)
		if err != nil {
			return fail("%v", err)
		}
		e.Language = in.Language
		if e.Language == "" {
			e.Language = m.language
		}
		out.Mappings = output(m.engine.MapEntry(e, nil), func(p string) string { return from[p] })
		if !m.engine.Speaks(e.Language) {
			out.Unknown = noSignals(e.Language)
		}
	default:
		return fail(`it has neither "text" nor "entry"`)
	}
	return out, true
}

// noSignals says why a text in a language has no answer.
func noSignals(language string) string {
	if strings.ContainsFunc(language, func(r rune) bool { return r <= ' ' || r > '~' }) {
		language = strconv.Quote(language)
	}
	return "language: no signals for " + language
}

// seen is a quote for a person: on one line, and without the characters inside its
// words that nobody sees. Joiners stay where a script needs them.
func seen(quote string) string {
	last := ' '
	return strings.Map(func(r rune) rune {
		before := last
		last = r
		joiner := (r == '\u200c' || r == '\u200d') && before >= utf8.RuneSelf && unicode.IsOneOf([]*unicode.RangeTable{unicode.L, unicode.M}, before)
		if hiddenRune(r) && !joiner {
			return -1
		}
		return r
	}, diag.OneLine(quote))
}

// given is a JSON value that is there and not null.
func given(v json.RawMessage) []byte {
	if len(v) == 0 || string(v) == "null" {
		return nil
	}
	return v
}
