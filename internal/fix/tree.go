package fix

import (
	"strconv"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/source"
)

// A mark is a place in a tree that may change, or that leads to one.
type mark struct {
	all   bool // whatever is here
	below map[string]*mark
}

// add marks the value at an RFC 6901 pointer.
func (m *mark) add(pointer string) {
	if pointer != "" {
		for token := range strings.SplitSeq(pointer[1:], "/") {
			token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
			next := m.below[token]
			if next == nil {
				next = new(mark)
				if m.below == nil {
					m.below = map[string]*mark{}
				}
				m.below[token] = next
			}
			m = next
		}
	}
	m.all = true
}

func (m *mark) at(token string) *mark {
	if m == nil {
		return nil
	}
	return m.below[token]
}

// free reports whether a value may go: it is marked, or all that it holds is.
func (m *mark) free(n *source.Node) bool {
	if m == nil || m.all {
		return m != nil
	}
	for _, f := range n.Fields {
		if !m.at(f.Key.Text).free(f.Value) {
			return false
		}
	}
	for i, item := range n.Items {
		if !m.at(strconv.Itoa(i)).free(item) {
			return false
		}
	}
	return len(n.Fields)+len(n.Items) > 0
}

// same reports whether two trees are equal but for what is marked in the first.
// The order of keys counts.
func same(a, b *source.Node, m *mark) bool {
	if m != nil && m.all {
		return true
	}
	if a.Kind != b.Kind || a.Text != b.Text {
		return false
	}
	j := 0
	for _, f := range a.Fields {
		below := m.at(f.Key.Text)
		switch {
		case j < len(b.Fields) && b.Fields[j].Key.Text == f.Key.Text && same(f.Value, b.Fields[j].Value, below):
			j++
		case !below.free(f.Value):
			return false
		}
	}
	return j == len(b.Fields) && sameItems(a, b, m)
}

// sameItems finds a way to leave marked items of the first list out so that the
// rest is the second list.
func sameItems(a, b *source.Node, m *mark) bool {
	out := len(a.Items) - len(b.Items)
	if out < 0 {
		return false
	}
	can := make([]bool, out+1) // whether so many of the items so far can be left out
	can[0] = true
	for i, item := range a.Items {
		below := m.at(strconv.Itoa(i))
		free := below.free(item)
		for left := min(out, i+1); left >= 0; left-- {
			at := i - left // where item stands in b if it stays
			stays := can[left] && at >= 0 && at < len(b.Items) && same(item, b.Items[at], below)
			goes := left > 0 && can[left-1] && free
			can[left] = stays || goes
		}
	}
	return can[out]
}
