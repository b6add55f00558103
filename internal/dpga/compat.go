package dpga

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A StopError says why the predecessor's generator would have ended without
// publishing: it needs a file that is not there, or one that is no JSON.
type StopError struct {
	Path string // of the file, in the source
	What string // what is wrong, and what would be right
}

func (e *StopError) Error() string { return e.Path + ": " + e.What }

// unscreened are the entries that the predecessor's generator lists as DPGs
// without looking for a screening file: the material for early readers that it
// took in before there was screening.
var unscreened = []string{
	"african-storybook", "antura-and-the-letters", "book-dash", "feed-the-monster", "gdl-radio", "global-digital-library", "h5p", "storyweaver",
}

// Compat gives the files that the predecessor's own generator makes of its raw
// folders, byte for byte, by path: dpgs/index.json, dpg/<id>/index.json and the
// same for nominees. It stands beside the views of the catalog, which come from
// entries, as the measure of what readers of the old addresses are used to.
//
// The error is a *StopError where the predecessor would have stopped.
func Compat(fsys fs.FS) (map[string][]byte, error) { return generate(fsys, readObject) }

// generate is Compat with a way to read a file, the values of which stay as they are.
func generate(fsys fs.FS, read func(fs.FS, string) (*node, error)) (map[string][]byte, error) {
	ids, err := nominated(fsys)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	lists := map[bool]*node{true: {kind: list}, false: {kind: list}}
	for _, id := range ids {
		entry, err := read(fsys, path.Join(nominees, id+".json"))
		if err != nil {
			return nil, err
		}
		stage := entry.get("stage")
		isDPG := stage != nil && stage.kind == text && stage.text == "DPG"
		view := &node{kind: object}
		view.set("id", &node{kind: text, text: id})
		for _, f := range entry.fields {
			view.set(f.key, f.value)
		}
		lists[isDPG].items = append(lists[isDPG].items, view.clone())
		one := "nominee"
		if isDPG {
			one = "dpg"
			if err := view.screen(id, func(name string) (*node, error) { return read(fsys, name) }); err != nil {
				return nil, err
			}
		}
		if out[path.Join(one, id, indexName)], err = stringify(view); err != nil {
			return nil, &StopError{path.Join(nominees, id+".json"), err.Error()}
		}
	}
	for isDPG, many := range map[bool]string{true: "dpgs", false: "nominees"} {
		// What cannot be written was met above already.
		if out[path.Join(many, indexName)], err = stringify(lists[isDPG]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

const indexName = "index.json"

// nominated lists the ids of the entries in the predecessor's order.
func nominated(fsys fs.FS) ([]string, error) {
	files, err := fs.ReadDir(fsys, nominees)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no folder %s", ErrNone, nominees)
	}
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, f := range files {
		if id, ok := strings.CutSuffix(f.Name(), ".json"); ok && !strings.HasPrefix(id, ".") && id != "" {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, CompareIDs)
	return ids, nil
}

// screen adds what the screening file says, but for the name.
func (n *node) screen(id string, read func(name string) (*node, error)) error {
	if slices.Contains(unscreened, id) {
		return nil
	}
	screening, err := read(path.Join(screened, id+".json"))
	if err != nil {
		return err
	}
	for _, f := range screening.fields {
		if f.key != "name" {
			n.set(f.key, f.value)
		}
	}
	return nil
}

// set gives a key a value, as an assignment in JavaScript does: a key that is there
// keeps its place.
func (n *node) set(key string, value *node) {
	for i := range n.fields {
		if n.fields[i].key == key {
			n.fields[i].value = value
			return
		}
	}
	n.fields = append(n.fields, field{key, value})
}

// readObject reads a file with one object in it.
func readObject(fsys fs.FS, name string) (*node, error) {
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &StopError{name, "it is not there; an entry whose stage is \"DPG\" needs its screening file"}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &StopError{name, "it is no file; JSON is wanted here"}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxBytes {
		return nil, &StopError{name, fmt.Sprintf("it has more than %d bytes, which no entry needs", maxBytes)}
	}
	n, err := parseJSON(data)
	if err != nil {
		return nil, &StopError{name, "it is not JSON: " + err.Error()}
	}
	if n.kind != object {
		return nil, &StopError{name, fmt.Sprintf("it holds %s; an object is wanted", n.kind)}
	}
	return n, nil
}

// stringify writes a value as JSON.stringify(value, null, 2) does, and ends the
// line. The error is about text that has no bytes of its own.
func stringify(n *node) ([]byte, error) {
	b, err := appendValue(nil, n, "\n")
	return append(b, '\n'), err
}

func appendValue(b []byte, n *node, line string) (_ []byte, err error) {
	switch n.kind {
	case null:
		return append(b, "null"...), nil
	case boolean:
		return append(b, n.text...), nil
	case number:
		return appendNumber(b, n.text)
	case text:
		if n.halved {
			return nil, errors.New("it has half of a surrogate pair in a text")
		}
		return appendText(b, n.text), nil
	case list:
		if len(n.items) == 0 {
			return append(b, "[]"...), nil
		}
		b = append(b, '[')
		for i, item := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(b, line...), "  "...)
			if b, err = appendValue(b, item, line+"  "); err != nil {
				return nil, err
			}
		}
		return append(append(b, line...), ']'), nil
	}
	fields := scriptOrder(n.fields)
	if len(fields) == 0 {
		return append(b, "{}"...), nil
	}
	b = append(b, '{')
	for i, f := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, line...), "  "...)
		b = append(appendText(b, f.key), ": "...)
		if b, err = appendValue(b, f.value, line+"  "); err != nil {
			return nil, err
		}
	}
	return append(append(b, line...), '}'), nil
}

// scriptOrder is the order in which JavaScript keeps keys: those that are array
// indexes first, by number, then the others as they came. A key given twice has
// the first place and the last value.
func scriptOrder(fields []field) []field {
	once := &node{kind: object}
	for _, f := range fields {
		once.set(f.key, f.value)
	}
	index := func(f field) (uint64, bool) {
		i, err := strconv.ParseUint(f.key, 10, 32)
		return i, err == nil && i < math.MaxUint32 && strconv.FormatUint(i, 10) == f.key
	}
	slices.SortStableFunc(once.fields, func(a, b field) int {
		x, isX := index(a)
		y, isY := index(b)
		switch {
		case isX && isY && x != y:
			if x < y {
				return -1
			}
			return 1
		case isX && !isY:
			return -1
		case isY && !isX:
			return 1
		}
		return 0
	})
	return once.fields
}

// appendNumber writes a number as JavaScript does, where all are of 64 bits.
func appendNumber(b []byte, s string) ([]byte, error) {
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case math.IsInf(f, 0):
		return append(b, "null"...), nil
	case err != nil:
		return nil, fmt.Errorf("number %q: %w", s, err)
	case f == 0:
		return append(b, '0'), nil // minus nothing, too
	}
	digits, err := json.Marshal(f) // which keeps to the same rules
	return append(b, digits...), err
}

// appendText writes a text with no more escapes than JSON must have.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			b = append(b, '\\', byte(r))
		case '\b':
			b = append(b, `\b`...)
		case '\f':
			b = append(b, `\f`...)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			if r < ' ' {
				b = fmt.Appendf(b, `\u%04x`, r)
			} else {
				b = utf8.AppendRune(b, r)
			}
		}
	}
	return append(b, '"')
}
