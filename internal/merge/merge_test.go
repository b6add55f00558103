package merge

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// notImported are the fields that no import takes over.
var notImported = map[string]bool{"Schema": true, "Stewards": true, "Decisions": true, "Waivers": true, "Language": true}

// fill gives every field of an entry something to say.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d", *n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[entry.Text]() {
			v.Set(reflect.ValueOf(entry.Plain(fmt.Sprintf("text %d", *n))))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	}
}

// A field that is new in entries must not be forgotten here: laid over nothing, an
// import says all that it said; laid over everything, too.
func TestEveryFieldIsMerged(t *testing.T) {
	var imported, local entry.Entry
	n := 0
	fill(reflect.ValueOf(&imported).Elem(), &n)
	fill(reflect.ValueOf(&local).Elem(), &n)
	imported.Language, local.Language = "en", "en"
	for name, start := range map[string]entry.Entry{"nothing": {Language: "en"}, "everything": local} {
		got, conflicts, _ := Entries(start, imported, Options{Overwrite: true})
		g, w, l := reflect.ValueOf(got), reflect.ValueOf(imported), reflect.ValueOf(start)
		for i := range g.NumField() {
			field := g.Type().Field(i).Name
			want := w.Field(i)
			switch {
			case notImported[field]:
				want = l.Field(i)
			case field == "Sources": // none is taken away
				want = reflect.AppendSlice(l.Field(i), want)
			}
			if diff := cmp.Diff(want.Interface(), g.Field(i).Interface(), cmp.AllowUnexported(entry.Text{})); diff != "" {
				t.Errorf("over %s, %s (-want +got)\n%s", name, field, diff)
			}
		}
		if len(conflicts) == 0 {
			t.Errorf("over %s: no conflict is named", name)
		}
		again, left, _ := Entries(got, imported, Options{Overwrite: true})
		if len(left) > 0 || !reflect.DeepEqual(got, again) {
			t.Errorf("over %s, a second time: %+v", name, left)
		}
		// From what the source said last time, all of that is an update.
		if name == "everything" {
			_, conflicts, updates := Entries(start, imported, Options{Base: &start})
			if len(updates) == 0 || len(conflicts) > 0 {
				t.Errorf("%d updates, conflicts %+v", len(updates), conflicts)
			}
		}
	}
}

// Dates of a source that has none of its own are those of the day it was read.
func TestKeepDates(t *testing.T) {
	said := func(day, name string) entry.Entry {
		return entry.Entry{Name: name, Status: entry.Status{Stage: "dpg", AsOf: day}, Sources: []entry.Source{{URL: "https://a.example.org/", AsOf: day}}}
	}
	local := said("2026-01-15", "A")
	if _, conflicts, _ := Entries(local, said("2026-02-03", "A"), Options{KeepDates: true}); len(conflicts) > 0 {
		t.Errorf("another day is a conflict: %+v", conflicts)
	}
	if _, conflicts, _ := Entries(local, said("2026-02-03", "A"), Options{}); len(conflicts) != 2 {
		t.Errorf("a source's own dates: %+v", conflicts)
	}
	got, _, _ := Entries(local, said("2026-02-03", "B"), Options{KeepDates: true, Overwrite: true})
	if got.Sources[0].AsOf != "2026-02-03" {
		t.Errorf("what was taken over is as of %s", got.Sources[0].AsOf)
	}
}
