package observe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/dpg-registry/dpg-registry/internal/fetch"
)

// maxSilence is how often in a row a host may leave a run without an answer before
// it is left alone for the rest of it: many entries may name one that is down.
const maxSilence = 3

// silence counts how often hosts did not answer.
type silence struct {
	mu    sync.Mutex
	times map[string]int // in a row
}

// of says why a host is left alone; "" where it is not.
func (s *silence) of(address string) string {
	host := hostOf(address)
	s.mu.Lock()
	defer s.mu.Unlock()
	if host == "" || s.times[host] < maxSilence {
		return ""
	}
	return fmt.Sprintf("host %q did not answer %d times in this run", host, maxSilence)
}

// note takes in how an attempt ended.
func (s *silence) note(address string, err error) {
	host := hostOf(address)
	if host == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !unanswered(err) {
		delete(s.times, host)
		return
	}
	if s.times == nil {
		s.times = map[string]int{}
	}
	s.times[host]++
}

// unanswered reports whether nobody was there to answer. A host that refuses, or
// answers too much, is there.
func unanswered(err error) bool {
	var refusal *fetch.Refusal
	var network net.Error
	return err != nil && !errors.As(err, &refusal) && !errors.Is(err, fetch.ErrTooLarge) &&
		(errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network))
}

func hostOf(address string) string {
	u, err := fetch.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}
