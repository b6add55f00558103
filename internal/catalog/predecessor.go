package catalog

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/dpga"
	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// predecessorKind is the one kind that the predecessor had.
const predecessorKind = "dpg"

// predecessor writes the lists that the predecessor served, for those who still
// read them: bare lists at the catalog's root. The object of each entry is among the
// entry's own files.
func (b *builder) predecessor() error {
	if _, used := b.in.Registry.Kind(predecessorKind); !used {
		return nil
	}
	lists := map[string][]*Facts{"dpgs": nil, "nominees": nil}
	for _, f := range b.kinds[predecessorKind] {
		switch {
		case f.Stage == entry.StageDPG:
			lists["dpgs"] = append(lists["dpgs"], f)
		case f.Live():
			lists["nominees"] = append(lists["nominees"], f)
		}
	}
	for _, name := range []string{"dpgs", "nominees"} {
		fs := lists[name]
		slices.SortStableFunc(fs, func(x, y *Facts) int { return dpga.CompareIDs(x.OldID, y.OldID) })
		rows := each(fs, func(f *Facts) row { return f.oldRow })
		if err := b.addMade(name+"/index.json", madeOf(partOld, fs), nil, func(w io.Writer) error { return writeRows(w, rows, "") }); err != nil {
			return err
		}
	}
	return nil
}

// oldID is the id that an entry had there if no other claims it: same_as.dpga, or
// else its own. "" is that it stands in no view of that time.
func (b *builder) oldID(f *Facts) string {
	switch {
	case f.Ref.Kind != predecessorKind || !f.Live():
		return ""
	case plainSegment(f.OldClaim):
		return f.OldClaim
	}
	return f.Ref.ID
}

// settleOldIDs gives each entry the id that it had there. A claim to an id that
// another entry has or claims too, or that cannot be a folder's name, is not heard;
// the entry's own id stands.
func (b *builder) settleOldIDs() error {
	claims := map[string]int{} // in lower case, as some disks compare names
	for _, f := range b.kinds[predecessorKind] {
		if f.Live() {
			own, old := strings.ToLower(f.Ref.ID), strings.ToLower(f.OldClaim)
			claims[own]++
			if old != own {
				claims[old]++
			}
		}
	}
	for _, f := range b.kinds[predecessorKind] {
		id := b.oldID(f)
		if id != "" && id != f.Ref.ID && claims[strings.ToLower(id)] != 1 {
			id = f.Ref.ID
		}
		if id == f.OldID {
			continue
		}
		e, err := b.again(f.Ref)
		if err != nil {
			return err
		}
		f.files = slices.DeleteFunc(f.files, func(o ownFile) bool { return o.path == oldPath(f) })
		f.OldID, f.oldRow, f.altered = id, row{}, true
		f.identify(partOld)
		if id == "" {
			continue
		}
		rows := &block{}
		if err := b.oldFacts(f, e, rows); err != nil {
			return err
		}
		if err := b.in.Spool.hold(rows); err != nil {
			return err
		}
	}
	return nil
}

// again reads an entry whose facts are there once more.
func (b *builder) again(ref entry.Ref) (*entry.Entry, error) {
	d := b.in.Registry.Place(ref)
	if d == nil {
		return nil, fmt.Errorf("entry %s is gone", ref)
	}
	if d.Entry != nil {
		return d.Entry, nil
	}
	doc, err := b.in.Registry.Reopen(d)
	if err != nil {
		return nil, err
	}
	e := new(entry.Entry)
	return e, doc.Decode(e)
}
