package diag

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A RuleHelp is what a report says of a rule itself.
type RuleHelp struct {
	ID       string
	Severity Severity // of its findings where nothing else is said
	Summary  string   // what is right, in one line
	Help     string   // why, and what to do; plain Markdown
}

// SARIF says what a SARIF report needs beside the findings. The zero value gives a
// report without columns, fingerprints and help.
type SARIF struct {
	Version string // of the program, such as "v1.2.0"; "" leaves it out
	AsOf    string // the day that dated rules judged at; "" leaves it out
	Rules   []RuleHelp
	// Text gives the bytes of a file that findings name, nil where it cannot be
	// read. It is asked once for each file that has a finding with a place.
	Text func(path string) []byte
}

// sarifSchema is where the schema of the format is published.
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// sourceRoot stands for the root of the repository, as code scanning knows it.
const sourceRoot = "%SRCROOT%"

// WriteSARIF writes findings in SARIF 2.1.0, for GitHub code scanning and other
// tools that show findings of many programs.
//
// A Pos counts bytes and SARIF's columns UTF-16 code units, so columns are counted
// anew in the text of the file; without the text there are none, rather than wrong
// ones. A finding on a whole file stands on its first line, since code scanning
// takes no finding without a line. The fingerprint primaryLocationLineHash is the
// one that GitHub's own upload makes of the text from the finding's line on, so it
// moves with the line; "finding/v1" is for other readers and also knows the value.
func WriteSARIF(w io.Writer, ds []Diagnostic, opt SARIF) error {
	s := &sarif{opt: opt, index: map[string]int{}, lines: map[string]*fileLines{}, seen: map[string]int{}}
	run := sarifRun{
		Tool:               sarifTool{sarifDriver{Name: "dpg", InformationURI: "https://github.com/dpg-registry/dpg-registry", Version: opt.Version}},
		ColumnKind:         "utf16CodeUnits",
		OriginalURIBaseIDs: map[string]sarifBase{sourceRoot: {sarifText{Text: "the root of the repository"}}},
		Results:            []sarifResult{},
	}
	if opt.AsOf != "" {
		run.Properties = map[string]string{"asOf": opt.AsOf}
	}
	for _, r := range opt.Rules {
		s.rule(r)
	}
	for _, d := range ds {
		run.Results = append(run.Results, s.result(d))
	}
	run.Tool.Driver.Rules = s.rules
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

type sarif struct {
	opt   SARIF
	rules []sarifRule
	index map[string]int // id to place in rules
	lines map[string]*fileLines
	seen  map[string]int // fingerprint to how many findings have it
}

// rule adds a rule to the table; one that stands there already is left as it is.
func (s *sarif) rule(r RuleHelp) int {
	if i, known := s.index[r.ID]; known {
		return i
	}
	rule := sarifRule{ID: r.ID, Configuration: sarifConfiguration{level(r.Severity)}}
	rule.Properties.ProblemSeverity = [...]string{Info: "recommendation", Warning: "warning", Error: "error"}[r.Severity]
	if summary := sarifMessage(r.Summary); summary != "" {
		rule.Short = &sarifText{Text: summary}
	}
	if r.Help != "" {
		rule.Full = &sarifText{Text: sarifMessage(r.Help)}
		rule.Help = &sarifText{Text: sarifMessage(r.Help), Markdown: r.Help}
	}
	s.index[r.ID] = len(s.rules)
	s.rules = append(s.rules, rule)
	return len(s.rules) - 1
}

func level(s Severity) string {
	return [...]string{Info: "note", Warning: "warning", Error: "error"}[s]
}

func (s *sarif) result(d Diagnostic) sarifResult {
	r := sarifResult{RuleID: d.Rule, RuleIndex: s.rule(RuleHelp{ID: d.Rule, Severity: d.Severity}), Level: level(d.Severity)}
	r.Message.Text = sarifMessage(d.Message)
	if d.Hint != "" {
		r.Message.Text += "\nhint: " + sarifMessage(d.Hint)
	}
	lines := s.file(d.Path, d.Start)
	region := sarifRegion{StartLine: 1}
	if d.Start.Line > 0 {
		region = sarifRegion{StartLine: d.Start.Line, StartColumn: lines.column(d.Start)}
		if end := lines.column(d.End); end > 0 && region.StartColumn > 0 && (d.End.Line > d.Start.Line || end > region.StartColumn) {
			region.EndLine, region.EndColumn = d.End.Line, end
		}
	}
	r.Locations = []sarifLocation{{Physical: sarifPhysical{locate(d.Path), region}}}
	for i, rel := range d.Related {
		text := s.file(rel.Path, rel.Start)
		r.Related = append(r.Related, sarifLocation{
			ID:       i + 1,
			Message:  &sarifText{Text: sarifMessage(rel.Message)},
			Physical: sarifPhysical{locate(rel.Path), sarifRegion{StartLine: max(rel.Start.Line, 1), StartColumn: text.column(rel.Start)}},
		})
	}
	r.Fingerprints = map[string]string{"finding/v1": s.fingerprint(d, lines)}
	if hash := lines.hash(region.StartLine); hash != "" {
		r.Fingerprints["primaryLocationLineHash"] = hash
	}
	return r
}

// fingerprint tells a finding from others without its line or the words of its
// message, which may name a day. Two that are alike are told apart by their order.
func (s *sarif) fingerprint(d Diagnostic, lines *fileLines) string {
	var fields []string
	for t := range strings.SplitSeq(d.Pointer, "/") {
		if _, err := strconv.Atoi(t); err == nil { // an item moves when another is put in front
			t = "*"
		}
		fields = append(fields, t)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q", d.Path, d.Rule, fields, bytes.TrimSpace(lines.line(d.Start.Line)))
	sum := hex.EncodeToString(h.Sum(nil)[:16])
	s.seen[sum]++
	return sum + ":" + strconv.Itoa(s.seen[sum])
}

// locate names a file by a URI, from the root of the repository where its path
// does not begin at the root of the machine.
func locate(path string) sarifArtifact {
	if strings.HasPrefix(path, "/") {
		return sarifArtifact{URI: (&url.URL{Scheme: "file", Path: path}).String()}
	}
	return sarifArtifact{URI: (&url.URL{Path: path}).String(), BaseID: sourceRoot}
}

// sarifMessage writes text as SARIF has it in messages: there, braces hold
// arguments, and brackets before parentheses a link.
func sarifMessage(text string) string {
	var kept []string
	for line := range strings.SplitSeq(text, "\n") {
		kept = append(kept, OneLine(line))
	}
	return sarifEscape.Replace(strings.Join(kept, "\n"))
}

var sarifEscape = strings.NewReplacer("{", "{{", "}", "}}", "](", "] (")

// file gives the lines of a file; those of none where a finding has no place.
func (s *sarif) file(path string, at Pos) *fileLines {
	if s.opt.Text == nil || at == (Pos{}) {
		return nil
	}
	l, known := s.lines[path]
	if !known {
		if text := s.opt.Text(path); text != nil {
			l = newFileLines(text)
		}
		s.lines[path] = l
	}
	return l
}

// fileLines are the lines of one file. A nil one knows nothing.
type fileLines struct {
	lines  [][]byte
	hashes []string // of each line, once they are asked for
}

func newFileLines(text []byte) *fileLines {
	return &fileLines{lines: splitLines(text)}
}

// splitLines cuts text at line feeds, carriage returns, and both together, as
// editors count lines.
func splitLines(text []byte) [][]byte {
	var lines [][]byte
	for start := 0; ; {
		i := bytes.IndexAny(text[start:], "\r\n")
		if i < 0 {
			return append(lines, text[start:])
		}
		lines = append(lines, text[start:start+i])
		start += i + 1
		if text[start-1] == '\r' && start < len(text) && text[start] == '\n' {
			start++
		}
	}
}

// line is a line counted from 1; nil where there is none.
func (l *fileLines) line(n int) []byte {
	if l == nil || n < 1 || n > len(l.lines) {
		return nil
	}
	return l.lines[n-1]
}

// column turns the bytes that a position counts into UTF-16 code units; 0 is not
// known.
func (l *fileLines) column(at Pos) int {
	if l == nil || at.Line < 1 || at.Line > len(l.lines) || at.Col < 1 {
		return 0
	}
	line := l.lines[at.Line-1]
	return len(units(line[:min(at.Col-1, len(line))])) + 1
}

// units gives text as UTF-16 code units. A byte that is no UTF-8 counts as one.
func units(text []byte) []uint16 {
	out := make([]uint16, 0, len(text))
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r >= 0x10000 {
			r -= 0x10000
			out = append(out, uint16(0xd800+r>>10), uint16(0xdc00+r&0x3ff))
		} else {
			out = append(out, uint16(r))
		}
		text = text[n:]
	}
	return out
}

// The numbers of GitHub's fingerprint of a line: how many code units it covers, the
// base of its polynomial, and what stands for the end of the file.
const (
	hashLength = 100
	hashBase   = 37
	hashEnd    = 65535
)

// hash is GitHub's primaryLocationLineHash of a line: a polynomial over the next
// hashLength code units that are neither space nor tab, line ends counted as one
// line feed, with how many lines before gave the same. It is "" for no line.
func (l *fileLines) hash(n int) string {
	if l == nil || n < 1 || n > len(l.lines) {
		return ""
	}
	if l.hashes == nil {
		l.hashes = lineHashes(l.lines)
	}
	return l.hashes[n-1]
}

func lineHashes(lines [][]byte) []string {
	var text []uint64
	starts := make([]int, len(lines))
	for i, line := range lines {
		starts[i] = len(text)
		for _, u := range units(line) {
			if u != ' ' && u != '\t' {
				text = append(text, uint64(u))
			}
		}
		if i < len(lines)-1 {
			text = append(text, '\n')
		}
	}
	text = append(text, hashEnd)
	first := uint64(1) // hashBase to the power of hashLength
	for range hashLength {
		first *= hashBase
	}
	at := func(i int) uint64 {
		if i < len(text) {
			return text[i]
		}
		return 0 // what follows the end
	}
	var sum uint64
	for i := range hashLength {
		sum = sum*hashBase + at(i)
	}
	hashes, count := make([]string, len(lines)), map[uint64]int{}
	for i, pos := 0, 0; i < len(lines); i++ {
		for ; pos < starts[i]; pos++ {
			sum = sum*hashBase + at(pos+hashLength) - first*at(pos)
		}
		count[sum]++
		hashes[i] = strconv.FormatUint(sum, 16) + ":" + strconv.Itoa(count[sum])
	}
	return hashes
}

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool               sarifTool            `json:"tool"`
	ColumnKind         string               `json:"columnKind"`
	OriginalURIBaseIDs map[string]sarifBase `json:"originalUriBaseIds"`
	Results            []sarifResult        `json:"results"`
	Properties         map[string]string    `json:"properties,omitempty"`
}

type sarifBase struct {
	Description sarifText `json:"description"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	InformationURI string      `json:"informationUri"`
	Version        string      `json:"version,omitempty"`
	Rules          []sarifRule `json:"rules,omitempty"`
}

type sarifRule struct {
	ID            string             `json:"id"`
	Short         *sarifText         `json:"shortDescription,omitempty"`
	Full          *sarifText         `json:"fullDescription,omitempty"`
	Help          *sarifText         `json:"help,omitempty"`
	Configuration sarifConfiguration `json:"defaultConfiguration"`
	Properties    struct {
		ProblemSeverity string `json:"problem.severity"` // how code scanning ranks it
	} `json:"properties"`
}

type sarifConfiguration struct {
	Level string `json:"level"`
}

type sarifText struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Related      []sarifLocation   `json:"relatedLocations,omitempty"`
	Fingerprints map[string]string `json:"partialFingerprints"`
}

type sarifLocation struct {
	ID       int           `json:"id,omitempty"`
	Message  *sarifText    `json:"message,omitempty"`
	Physical sarifPhysical `json:"physicalLocation"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   sarifRegion   `json:"region"`
}

type sarifArtifact struct {
	URI    string `json:"uri"`
	BaseID string `json:"uriBaseId,omitempty"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
	EndLine     int `json:"endLine,omitempty"`
	EndColumn   int `json:"endColumn,omitempty"`
}
