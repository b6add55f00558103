package history

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// A codec writes values one after the other, or reads them back into the same
// places. What it reads may be anything: it never reads past its end. Texts that it
// reads are parts of one, so that a long log is not ten thousand small things in memory.
type codec struct {
	writing, bad bool
	data         []byte // written so far
	text         string // left to read
}

func (c *codec) fail() { c.bad, c.text = true, "" }

func (c *codec) number(n *int64) {
	if c.writing {
		c.data = binary.AppendVarint(c.data, *n)
		return
	}
	// The last of ten bytes has one bit, see encoding/binary.
	var u uint64
	for i := range min(len(c.text), binary.MaxVarintLen64) {
		b := c.text[i]
		if i == binary.MaxVarintLen64-1 && b > 1 {
			break
		}
		u |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			*n, c.text = int64(u>>1)^-int64(u&1), c.text[i+1:]
			return
		}
	}
	c.fail()
}

// count is the number of things that follow; each takes a byte at least.
func (c *codec) count(n int) int {
	v := int64(n)
	c.number(&v)
	if !c.writing && (v < 0 || v > int64(len(c.text))) {
		c.fail()
		return 0
	}
	return int(v)
}

func (c *codec) string(s *string) {
	n := c.count(len(*s))
	switch {
	case c.writing:
		c.data = append(c.data, *s...)
	default:
		*s, c.text = c.text[:n], c.text[n:]
	}
}

func (c *codec) strings(l *[]string) {
	n := c.count(len(*l))
	if !c.writing && n > 0 {
		*l = make([]string, n)
	}
	for i := range n {
		c.string(&(*l)[i])
	}
}

func (c *codec) stamp(s *registry.Stamp) {
	c.string(&s.Commit)
	seconds := s.At.Unix() // Git knows no parts of them
	c.number(&seconds)
	if !c.writing {
		s.At = time.Unix(seconds, 0).UTC()
	}
}

func (l *Log) code(c *codec) {
	c.string(&l.Head)
	n := c.count(len(l.Changes))
	if !c.writing && n > 0 {
		l.Changes = make([]Change, n)
	}
	var last registry.Stamp
	for i := range n {
		x := &l.Changes[i]
		if c.bad {
			return
		}
		// Many changes in a row are of one commit.
		stamp := registry.Stamp{Commit: x.Commit, At: x.At}
		same := int64(0)
		if c.writing && i > 0 && stamp == last {
			same = 1
		}
		if c.number(&same); same == 0 {
			c.stamp(&stamp)
			last = stamp
		}
		x.Seq, x.Commit, x.At = i+1, last.Commit, last.At
		for _, s := range []*string{&x.Action, &x.Ref.Kind, &x.Ref.ID, &x.Stage, &x.MovedTo, &x.Blob} {
			c.string(s)
		}
		c.strings(&x.Fields)
		languages := slices.Sorted(maps.Keys(x.Reason))
		c.strings(&languages)
		if !c.writing && len(languages) > 0 {
			x.Reason = make(map[string]string, len(languages))
		}
		for _, language := range languages {
			reason := x.Reason[language]
			c.string(&reason)
			if !c.writing {
				x.Reason[language] = reason
			}
		}
	}
}

// stamps is what LastChanges keeps.
type stamps struct {
	head string
	last map[string]registry.Stamp
}

func (s *stamps) code(c *codec) {
	c.string(&s.head)
	// Each commit once: a few of them changed many files.
	var commits []registry.Stamp
	places := map[registry.Stamp]int64{}
	paths := slices.Sorted(maps.Keys(s.last))
	for _, path := range paths {
		at := s.last[path]
		if _, there := places[at]; !there {
			places[at] = int64(len(commits))
			commits = append(commits, at)
		}
	}
	n := c.count(len(commits))
	if !c.writing {
		commits = make([]registry.Stamp, n)
	}
	for i := range n {
		c.stamp(&commits[i])
	}
	n = c.count(len(paths))
	if !c.writing {
		s.last = make(map[string]registry.Stamp, n)
	}
	for i := range n {
		var path string
		var place int64
		if c.writing {
			path, place = paths[i], places[s.last[paths[i]]]
		}
		c.string(&path)
		if c.number(&place); c.bad {
			return
		}
		if c.writing {
			continue
		}
		if place < 0 || place >= int64(len(commits)) {
			c.fail()
			return
		}
		s.last[path] = commits[place]
	}
}
