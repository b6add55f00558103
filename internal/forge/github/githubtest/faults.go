package githubtest

import (
	"cmp"
	"maps"
	"net/http"
)

// A Fault is something that goes wrong.
type Fault struct {
	// Operation is the requests that count, as in Request; "" counts all, Git's too.
	Operation string
	// Nth is which of these fails, from 1, counted from when the fault was made; 0 is 1.
	Nth int
	// Times is how many fail from there; 0 is 1, and -1 all that come.
	Times int

	// Status, with Header and Body, is answered in place of doing what is asked.
	Status int
	Header http.Header
	Body   string
	// Drop does what is asked and breaks the connection off without an answer.
	Drop bool
	// Refuse breaks it off without doing anything.
	Refuse bool
	// Hang never answers, and does nothing.
	Hang bool
	// Then runs before anything else, with the fake unlocked: somebody else is quicker.
	Then func()
}

type fault struct {
	Fault
	seen int
}

// Fail makes requests go wrong.
func (s *Server) Fail(f Fault) {
	f.Nth, f.Times = cmp.Or(f.Nth, 1), cmp.Or(f.Times, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &fault{Fault: f})
}

// fault counts a request and returns what goes wrong with it, nil for nothing.
func (s *Server) fault(op string) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var hit *fault
	for _, f := range s.faults {
		if f.Operation != "" && f.Operation != op {
			continue
		}
		f.seen++
		if hit == nil && f.seen >= f.Nth && (f.Times < 0 || f.seen < f.Nth+f.Times) {
			hit = f
		}
	}
	return hit
}

// strike fails a request before it does anything, and reports whether it did. It
// notes the request first.
func (f *fault) strike(s *Server, w http.ResponseWriter, r *http.Request, note Request) bool {
	if f == nil {
		return false
	}
	if f.Then != nil {
		f.Then()
	}
	if !f.Hang && !f.Refuse && f.Status == 0 {
		return false
	}
	if !f.Hang && !f.Refuse {
		note.Status = f.Status
	}
	s.note(note)
	if f.Hang {
		select {
		case <-s.done:
		case <-r.Context().Done():
		}
	}
	if note.Status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	maps.Copy(w.Header(), f.Header)
	w.WriteHeader(f.Status)
	w.Write([]byte(f.Body))
	return true
}

// drop loses the answer to a request that was done.
func (f *fault) drop() {
	if f != nil && f.Drop {
		panic(http.ErrAbortHandler)
	}
}
