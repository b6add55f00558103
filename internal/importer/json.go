package importer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/dpg-registry/dpg-registry/internal/source"
)

// readJSON reads one document of JSON. The error is an ErrFormat.
func readJSON(name string, data []byte, v any) error {
	if err := mustUTF8(name, data); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		line := 1 + bytes.Count(data[:min(int(d.InputOffset()), len(data))], []byte("\n"))
		return formatf("%s:%d: %v", name, line, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return formatf("%s: more follows after the JSON", name)
	}
	return nil
}

// maxDepth bounds how deep a value is looked into: no source nests deeper.
const maxDepth = 20

// A ledger counts what was met and not taken over, by its place without the
// numbers of items, so that one key that every record has is one note.
type ledger struct {
	places map[string]*tally
}

type tally struct {
	why   string
	count int
	first string // record
}

func (l *ledger) add(record, at, why string) {
	if l.places == nil {
		l.places = map[string]*tally{}
	}
	k := at + "\x00" + why
	if l.places[k] == nil {
		if len(l.places) == maxNotes {
			return
		}
		l.places[k] = &tally{why: why, first: record}
	}
	l.places[k].count++
}

func (l *ledger) notes() []Note {
	var all []Note
	for _, k := range slices.Sorted(maps.Keys(l.places)) {
		t := l.places[k]
		at, _, _ := bytes.Cut([]byte(k), []byte("\x00"))
		message := fmt.Sprintf("%s (%s)", t.why, t.first)
		if t.count > 1 {
			message = fmt.Sprintf("%s (%d times, first in %s)", t.why, t.count, t.first)
		}
		all = append(all, Note{At: string(at), Message: message})
	}
	return all
}

// compare notes what one JSON value has and another, made of what was understood
// of it, has not. What says nothing is not missed.
func (l *ledger) compare(record, at string, has, kept any, depth int) {
	if saysNothing(has) {
		return
	}
	if depth > maxDepth {
		l.add(record, at, "it is nested too deep, and is left out")
		return
	}
	switch has := has.(type) {
	case map[string]any:
		if kept, ok := kept.(map[string]any); ok {
			for _, k := range slices.Sorted(maps.Keys(has)) {
				v, ok := kept[k]
				if !ok {
					if !saysNothing(has[k]) {
						l.add(record, at+source.Pointer(clip(k)), "the key is not known here, and is left out")
					}
					continue
				}
				l.compare(record, at+source.Pointer(clip(k)), has[k], v, depth+1)
			}
			return
		}
	case []any:
		if kept, ok := kept.([]any); ok && len(kept) == len(has) {
			for i := range has {
				l.compare(record, at+"/*", has[i], kept[i], depth+1)
			}
			return
		}
	case string:
		if has == kept {
			return
		}
	case json.Number:
		if n, ok := kept.(json.Number); ok && n == has {
			return
		}
	case bool:
		if has == kept {
			return
		}
	}
	l.add(record, at, "the value is not understood, and is left out")
}

func saysNothing(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, child := range v {
			if child != nil {
				return false
			}
		}
		return true
	}
	return false
}
