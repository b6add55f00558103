package match

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Source is a licence text with what the matching guidelines let vary, as the
// generator hands it to Pack.
type Source struct {
	IDs  []string // every id that has this text, the most likely first
	Kind Kind     // Text or Header
	Text string
	// Optional are parts that may be absent: titles, preambles, appendices.
	Optional []Span
	// Fill are parts to be filled in: any short text may stand there, or none.
	Fill []Span
}

// A template is a packed Source.
type template struct {
	ids      []string
	kind     Kind
	words    []uint16
	optional []span // of words, sorted
	fill     []span
}

// A span is of words: from is the first, to just past the last.
type span struct{ from, to int }

// spellings are words that the SPDX matching guidelines hold to be the same, and
// a few more of the kind. The first of a line stands for all of it.
const spellings = `acknowledgment acknowledgement
analog analogue
analyze analyse
artifact artefact
authorization authorisation
authorized authorised
caliber calibre
canceled cancelled
capitalizations capitalisations
catalog catalogue
categorize categorise
center centre
emphasized emphasised
favor favour
favorite favourite
fulfill fulfil
fulfillment fulfilment
initialize initialise
judgment judgement
labeling labelling
labor labour
license licence
licenses licences
licensed licenced
maximize maximise
modeled modelled
modeling modelling
offense offence
optimize optimise
organization organisation
organizations organisations
organize organise
practice practise
program programme
realize realise
recognize recognise
signaling signalling
sublicense sublicence
utilization utilisation
while whilst
willful wilful wilfull
percent percentum
http https
acknowledgments acknowledgements
licensing licencing
sublicenses sublicences
sublicensed sublicenced
licensee licencee
licensor licencor
authorize authorise
authorizes authorises
authorizing authorising
behavior behaviour
color colour
defense defence
distributors distributers
unauthorized unauthorised
customize customise
merchantability merchantibility
noninfringement noninfringment
`

// canonical maps every other spelling to the one in use.
func canonical() map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(spellings) {
		f := strings.Fields(line)
		for _, v := range f[1:] {
			m[v] = f[0]
		}
	}
	return m
}

// Pack writes the data that Load reads. Of sources with the same words the first
// one's ids come first.
func Pack(w io.Writer, sources []Source) error {
	canon := canonical()
	ids := map[string]uint16{}
	names := []string{""} // 0 is no word
	var stream []uint16
	var head bytes.Buffer
	put := func(n int) { head.Write(binary.AppendUvarint(nil, uint64(n))) }
	text := func(s string) { put(len(s)); head.WriteString(s) }
	sources = slices.Clone(sources)
	all := make([][]word, 0, len(sources))
	byWords := map[string]int{}
	kept := sources[:0]
	for _, s := range sources {
		words := split(nil, []byte(s.Text), func(lower []byte, _ uint32) uint16 {
			name := string(lower)
			if c, ok := canon[name]; ok {
				name = c
			}
			id, ok := ids[name]
			if !ok {
				id = uint16(len(names))
				ids[name], names = id, append(names, name)
			}
			return id
		})
		// Who holds the copyright is no part of the licence.
		owners := ownerLines([]byte(s.Text))
		words = slices.DeleteFunc(words, func(w word) bool {
			return slices.ContainsFunc(owners, func(o Span) bool { return int(w.start) >= o.Start && int(w.end) <= o.End })
		})
		if len(words) > 1<<16-1 || len(names) > 1<<16-1 {
			return fmt.Errorf("%s: more words than the format holds", s.IDs[0])
		}
		key := []byte(s.Kind)
		for _, w := range words {
			key = binary.LittleEndian.AppendUint16(key, w.id)
		}
		if at, ok := byWords[string(key)]; ok { // the same but for what is left out
			for _, id := range s.IDs {
				if !slices.Contains(kept[at].IDs, id) {
					kept[at].IDs = append(slices.Clip(kept[at].IDs), id)
				}
			}
			continue
		}
		byWords[string(key)] = len(kept)
		kept, all = append(kept, s), append(all, words)
	}
	put(len(kept))
	for i, s := range kept {
		words := all[i]
		text(strings.Join(s.IDs, " "))
		text(string(s.Kind))
		for _, part := range [][]Span{s.Optional, s.Fill} {
			spans := wordSpans(words, part)
			put(len(spans))
			for _, p := range spans {
				put(p.from)
				put(p.to)
			}
		}
		put(len(words))
		for _, w := range words {
			stream = append(stream, w.id)
		}
	}
	put(len(names))
	for _, n := range names {
		text(n)
	}
	z, err := flate.NewWriter(w, flate.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(binary.AppendUvarint(nil, uint64(head.Len()))); err != nil {
		return err
	}
	if _, err := z.Write(head.Bytes()); err != nil {
		return err
	}
	if _, err := z.Write(binary.AppendUvarint(nil, uint64(len(stream)))); err != nil {
		return err
	}
	if _, err := z.Write(shorten(stream)); err != nil {
		return err
	}
	return z.Close()
}

// wordSpans turns spans of bytes into spans of the words in them, sorted and
// without empty or overlapping ones.
func wordSpans(words []word, parts []Span) []span {
	var out []span
	for _, p := range parts {
		from, _ := slices.BinarySearchFunc(words, p.Start, func(w word, at int) int { return cmp.Compare(int(w.start), at) })
		to, _ := slices.BinarySearchFunc(words, p.End, func(w word, at int) int { return cmp.Compare(int(w.start), at) })
		if from < to {
			out = append(out, span{from, to})
		}
	}
	slices.SortFunc(out, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	merged := out[:0]
	for _, s := range out {
		if n := len(merged); n > 0 && s.from < merged[n-1].to {
			merged[n-1].to = max(merged[n-1].to, s.to)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// minCopy is the fewest words that are worth a reference to an earlier place.
const minCopy = 6

// shorten writes the words of all licences with references to earlier places
// for what was said before. Licences quote each other over distances that flate
// does not look back. The form is a run: how many words follow as they are, those
// words, how many are copied, and from how far back.
func shorten(stream []uint16) []byte {
	type key [minCopy]uint16
	seen := map[key]int{}
	var out []byte
	literal := 0
	flush := func(to, n, back int) {
		out = binary.AppendUvarint(out, uint64(to-literal))
		for _, w := range stream[literal:to] {
			out = binary.LittleEndian.AppendUint16(out, w)
		}
		out = binary.AppendUvarint(out, uint64(n))
		out = binary.AppendUvarint(out, uint64(back))
		literal = to + n
	}
	for i := 0; i < len(stream); {
		if i+minCopy > len(stream) {
			break
		}
		k := key(stream[i : i+minCopy])
		if at, ok := seen[k]; ok {
			n := 0
			for i+n < len(stream) && stream[at+n] == stream[i+n] {
				n++
			}
			flush(i, n, i-at)
			i += n
			continue
		}
		seen[k] = i
		i++
	}
	flush(len(stream), 0, 0)
	return out
}

var errPacked = errors.New("the licence texts that are built in are damaged")

// unpack reads what Pack wrote: the templates and the vocabulary.
func unpack(packed []byte) (templates []template, names []string, err error) {
	raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errPacked, err)
	}
	r := reader{rest: raw}
	head := reader{rest: r.take(r.count(1))}
	templates = make([]template, head.count(4))
	lengths := make([]int, len(templates))
	total := 0
	for i := range templates {
		t := &templates[i]
		t.ids = strings.Fields(head.text())
		t.kind = Kind(head.text())
		for _, part := range []*[]span{&t.optional, &t.fill} {
			*part = make([]span, head.count(2))
			for j := range *part {
				(*part)[j] = span{head.number(), head.number()}
			}
		}
		lengths[i] = head.number()
		total += lengths[i]
	}
	names = make([]string, head.count(1))
	for i := range names {
		names[i] = head.text()
	}
	if n := r.number(); n != total || total > 1<<22 || head.bad {
		return nil, nil, errPacked
	}
	stream := make([]uint16, 0, total)
	for len(r.rest) > 0 && !r.bad {
		for b := r.take(2 * r.count(2)); len(b) > 0; b = b[2:] {
			stream = append(stream, binary.LittleEndian.Uint16(b))
		}
		n, back := r.number(), r.number()
		if n > total-len(stream) || n > 0 && (back < 1 || back > len(stream)) {
			return nil, nil, errPacked
		}
		for range n { // a copy may overlap itself
			stream = append(stream, stream[len(stream)-back])
		}
	}
	if r.bad || len(stream) != total {
		return nil, nil, errPacked
	}
	for i := range templates {
		t := &templates[i]
		n := lengths[i]
		t.words, stream = stream[:n:n], stream[n:]
		if len(t.ids) == 0 || n == 0 {
			return nil, nil, errPacked
		}
		for _, s := range slices.Concat(t.optional, t.fill) {
			if s.from >= s.to || s.to > n {
				return nil, nil, errPacked
			}
		}
		for _, w := range t.words {
			if int(w) >= len(names) {
				return nil, nil, errPacked
			}
		}
	}
	return templates, names, nil
}

// A reader takes numbers and texts from the start of rest. Past the end it is
// bad and gives zeros.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) number() int {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > 1<<30 {
		r.rest, r.bad = nil, true
		return 0
	}
	r.rest = r.rest[size:]
	return int(n)
}

// count is a number of things of at least size bytes each.
func (r *reader) count(size int) int {
	n := r.number()
	if n > len(r.rest)/size {
		r.rest, r.bad = nil, true
		return 0
	}
	return n
}

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.rest, r.bad = nil, true
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) text() string { return string(r.take(r.count(1))) }
