// Package importer reads what others have written about digital public goods, in
// their formats, and lays it over a registry as plain entries that say where they
// come from. Every record that is read becomes an entry, an update, a conflict or
// a refusal with its reason; none is lost in silence.
//
// It never takes over a ruling, a waiver, a steward or an assessment: those are
// for the people of each registry. What it reads is not judged: odd text is
// carried, for the rules to speak of. What cannot stand in an entry at all is left
// out and named.
package importer

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// A Batch is what was read from one source.
type Batch struct {
	Read    int       // records that the source has: those below, and those refused
	Records []Record  // in the order of the source
	Refused []Refusal // records that no entry can be made of
	Notes   []Note    // what was not understood, or left out on purpose

	// OwnIDs says that the ids are those of the registry that is imported into, so
	// that the same id is the same subject.
	OwnIDs bool
	// KeepDates says that dates in the entries are those of reading; see merge.Options.
	KeepDates bool
	// Verbatim carries every text as it is, whatever it holds: its reader has answered
	// for it.
	Verbatim bool
	// License and Credit are what the source says of its data as a whole; "" is nothing.
	License, Credit string
}

// A Record is one subject as the source has it.
type Record struct {
	Label  string      // how to speak of it, such as "row 3"
	Entry  entry.Entry // Status.Stage is "" where the source says nothing of it
	Origin string      // address of this very record, also in Entry.Sources; "" is none
	Keys   []string    // further names to find an entry by, as key makes them
	Here   string      // the id it has here, where the source says that it is from here; "" is not said
	Path   string      // where a new file goes, in the registry; "" is the kind's folder
}

// A Refusal is a record that becomes no entry.
type Refusal struct {
	Label string
	ID    string // as the source has it; may be ""
	Why   string
}

// A Note is about a value or a column that is not taken over.
type Note struct {
	Line    int    `json:"line"`   // in the file, 1-based; 0 is not known
	Column  int    `json:"column"` // in bytes, 1-based; 0 is not known
	At      string `json:"at"`     // in words or as an RFC 6901 pointer; "" is the whole
	Message string `json:"message"`
}

// String is the note with its place.
func (n Note) String() string {
	s := ""
	switch {
	case n.Line > 0 && n.Column > 0:
		s = fmt.Sprintf("%d:%d: ", n.Line, n.Column)
	case n.Line > 0:
		s = fmt.Sprintf("%d: ", n.Line)
	}
	if n.At != "" {
		s += n.At + ": "
	}
	return s + n.Message
}

func (b *Batch) note(at, format string, args ...any) {
	b.Notes = append(b.Notes, Note{At: at, Message: fmt.Sprintf(format, args...)})
}

func (b *Batch) refuse(label, id, format string, args ...any) {
	b.Refused = append(b.Refused, Refusal{label, id, fmt.Sprintf(format, args...)})
}

// ErrFormat marks errors that say that the source is not of the format it was
// named as.
var ErrFormat = errors.New("not of this format")

// A formatError is one about what was read, with ErrFormat inside.
type formatError struct{ text string }

func (e formatError) Error() string        { return e.text }
func (e formatError) Is(target error) bool { return target == ErrFormat }

func formatf(format string, args ...any) error { return formatError{fmt.Sprintf(format, args...)} }

// The bounds of what is read.
const (
	MaxBytes   = 256 << 20 // of one file or answer
	maxRecords = 200_000
	maxValue   = 64 << 10 // bytes of one text
	maxNotes   = 10_000   // more are counted, not kept
)

// unfit says why a text cannot stand in an entry, or "".
func unfit(s string) string {
	if len(s) > maxValue {
		return fmt.Sprintf("it has %d bytes, and at most %d are taken", len(s), maxValue)
	}
	if !utf8.ValidString(s) {
		return "it is not UTF-8"
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' {
			return fmt.Sprintf("it holds the control character %U", r)
		}
	}
	return ""
}

// unfitEntry looks through every text of an entry. It names the first that cannot
// stand in one.
func unfitEntry(e *entry.Entry) string {
	var walk func(v reflect.Value) string
	walk = func(v reflect.Value) string {
		switch v.Kind() {
		case reflect.String:
			if why := unfit(v.String()); why != "" {
				return fmt.Sprintf("of %q: %s", clip(v.String()), why)
			}
		case reflect.Pointer:
			if !v.IsNil() {
				return walk(v.Elem())
			}
		case reflect.Slice:
			for i := range v.Len() {
				if why := walk(v.Index(i)); why != "" {
					return why
				}
			}
		case reflect.Map:
			for it := v.MapRange(); it.Next(); {
				if why := walk(it.Key()); why != "" {
					return why
				}
				if why := walk(it.Value()); why != "" {
					return why
				}
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if why := walk(v.Field(i)); why != "" {
					return why
				}
			}
		}
		return ""
	}
	return walk(reflect.ValueOf(e))
}

// clip keeps what is quoted short.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// textOf makes text from what each language says. What is in main may stand
// plainly.
func textOf(by map[string]string, main string) entry.Text {
	var t entry.Text
	if s := by[main]; s != "" {
		t = entry.Plain(s)
	}
	for tag, s := range by {
		if tag != main && s != "" {
			t = t.With(tag, main, s)
		}
	}
	return t
}

// isAddress reports an address that a reader may follow.
func isAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

// isDate reports a day of the form "2006-01-02".
func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}
