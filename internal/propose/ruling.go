package propose

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/fix"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// ErrSaid is that a file says already what was to be put into it.
var ErrSaid = errors.New("the entry says so already")

// errOdd is about a file that nobody but a person should touch.
var errOdd = errors.New("the file is laid out so that only a person can change it; add this by hand")

// Decide adds a decision to the file of an entry and leaves the rest as it is
// written. A ruling of the same person on the same thing that says the opposite
// goes; those of others stay, since they are not this person's to lift. It is
// ErrSaid where the last word on the thing is the same already.
func Decide(file string, text []byte, d entry.Decision) ([]byte, error) {
	doc, old, err := read(file, text)
	if err != nil {
		return nil, err
	}
	for i := len(old.Decisions) - 1; i >= 0; i-- {
		was := old.Decisions[i]
		if !sameThing(was, d) {
			continue
		}
		if was.Ruling == d.Ruling && was.As == d.As && was.Ruling != "own-summary" {
			return nil, ErrSaid
		}
		if !samePerson(was.By, d.By) {
			break
		}
		if edits := doc.Remove(source.Pointer("decisions", strconv.Itoa(i))); edits != nil {
			if text, _, err = fix.Apply(text, edits); err != nil {
				return nil, err
			}
			if doc, old, err = read(file, text); err != nil {
				return nil, err
			}
		}
	}
	return apply(text, doc.Append("decisions", d))
}

// sameThing reports whether two decisions are about the same.
func sameThing(a, b entry.Decision) bool {
	mapping := func(d entry.Decision) bool { return d.Ruling == "accept" || d.Ruling == "reject" }
	return mapping(a) && mapping(b) && a.Code == b.Code || a.Ruling == "own-summary" && b.Ruling == "own-summary"
}

func samePerson(a, b entry.Person) bool {
	if a.ID != 0 && b.ID != 0 {
		return a.ID == b.ID
	}
	return a.ID == b.ID && strings.EqualFold(a.GitHub, b.GitHub)
}

// Waive adds a waiver to the file of an entry, as Decide adds a decision.
func Waive(file string, text []byte, w entry.Waiver) ([]byte, error) {
	doc, old, err := read(file, text)
	if err != nil {
		return nil, err
	}
	for _, was := range old.Waivers {
		if was.Rule == w.Rule && was.Until >= w.Until {
			return nil, ErrSaid
		}
	}
	return apply(text, doc.Append("waivers", w))
}

// Correct puts another text at a key of the file of an entry, one of Corrected.
func Correct(file string, text []byte, key, value string) ([]byte, error) {
	doc, old, err := read(file, text)
	if err != nil {
		return nil, err
	}
	value = oneLine(value)
	if key == "license" {
		if len(old.Licenses) != 1 {
			return nil, fmt.Errorf("the entry has %d licences, and the form cannot say which is meant", len(old.Licenses))
		}
		if old.Licenses[0].Expression == value {
			return nil, ErrSaid
		}
		return apply(text, doc.Rewrite("/licenses/0/expression", value))
	}
	if n := doc.Root.Get(key); n != nil && n.Text == value {
		return nil, ErrSaid
	} else if n != nil && n.Kind != source.String {
		return nil, fmt.Errorf("%q is not one text in this entry but a %s", key, n.Kind)
	}
	return apply(text, doc.Set(key, value))
}

func read(file string, text []byte) (*source.Document, entry.Entry, error) {
	var e entry.Entry
	doc, found := source.Parse(file, text)
	if len(found) > 0 {
		return nil, e, fmt.Errorf("%s:%d: %s", found[0].Path, found[0].Start.Line, found[0].Message)
	}
	if err := doc.Decode(&e); err != nil {
		return nil, e, fmt.Errorf("%s does not have the shape of an entry", file)
	}
	return doc, e, nil
}

func apply(text []byte, edits []diag.Edit) ([]byte, error) {
	if edits == nil {
		return nil, errOdd
	}
	out, skipped, err := fix.Apply(text, edits)
	if err != nil || len(skipped) > 0 {
		return nil, errors.Join(errOdd, err)
	}
	return out, nil
}
