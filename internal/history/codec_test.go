package history

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

func someLog() *Log {
	at := func(second int64) time.Time { return time.Unix(second, 0).UTC() }
	return &Log{Head: "c3", Changes: []Change{
		{Seq: 1, Action: Added, Ref: entry.Ref{Kind: "dpg", ID: "a"}, Stage: "nominee", Commit: "c1", At: at(0), Blob: "b1"},
		{Seq: 2, Action: Added, Ref: entry.Ref{Kind: "dpg", ID: "b"}, Stage: "nominee", Commit: "c1", At: at(0), Blob: "b2"},
		{Seq: 3, Action: Changed, Ref: entry.Ref{Kind: "dpg", ID: "a"}, Fields: []string{"/aliases", "/name"}, Commit: "c2", At: at(-1 << 62), Blob: "b3"},
		{Seq: 4, Action: Renamed, Ref: entry.Ref{Kind: "dpg", ID: "a"}, Stage: "renamed", MovedTo: "b", Reason: map[string]string{"": "x", "fr": "é"}, Commit: "c3", At: at(1 << 40)},
		{Seq: 5, Action: Removed, Ref: entry.Ref{Kind: "resource", ID: "r"}, Commit: "c3", At: at(1 << 40)},
	}}
}

func someStamps() *stamps {
	one, two := registry.Stamp{Commit: "c1", At: time.Unix(1, 0).UTC()}, registry.Stamp{Commit: "c2", At: time.Unix(2, 0).UTC()}
	return &stamps{"c2", map[string]registry.Stamp{"dpgs/a.yaml": two, "dpgs/b.yaml": one, "dpgs/c.yaml": two, "registry.yaml": one}}
}

func TestCodec(t *testing.T) {
	w := &codec{writing: true}
	someLog().code(w)
	var log Log
	r := &codec{text: string(w.data)}
	if log.code(r); r.bad || r.text != "" {
		t.Errorf("reading a log: bad %t, %d bytes are left", r.bad, len(r.text))
	}
	if diff := cmp.Diff(someLog(), &log); diff != "" {
		t.Errorf("log (-written +read):\n%s", diff)
	}
	w = &codec{writing: true}
	someStamps().code(w)
	var s stamps
	r = &codec{text: string(w.data)}
	if s.code(r); r.bad || r.text != "" {
		t.Errorf("reading stamps: bad %t, %d bytes are left", r.bad, len(r.text))
	}
	if diff := cmp.Diff(someStamps(), &s, cmp.AllowUnexported(stamps{})); diff != "" {
		t.Errorf("stamps (-written +read):\n%s", diff)
	}
}

// What is read may be anything; what is taken for whole is written the same way again.
func FuzzCodec(f *testing.F) {
	for _, code := range []func(*codec){someLog().code, someStamps().code} {
		w := &codec{writing: true}
		code(w)
		f.Add(string(w.data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		var log Log
		r := &codec{text: text}
		if log.code(r); !r.bad && r.text == "" {
			w := &codec{writing: true}
			log.code(w)
			var again Log
			if again.code(&codec{text: string(w.data)}); !cmp.Equal(log, again) {
				t.Errorf("a log that was read is another when it was written and read: %s", cmp.Diff(log, again))
			}
		}
		var s, again stamps
		r = &codec{text: text}
		if s.code(r); !r.bad && r.text == "" {
			w := &codec{writing: true}
			s.code(w)
			if again.code(&codec{text: string(w.data)}); !cmp.Equal(s, again, cmp.AllowUnexported(stamps{})) {
				t.Errorf("stamps that were read are others when they were written and read: %v and %v", s, again)
			}
		}
	})
}
