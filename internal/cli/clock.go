package cli

import "time"

// Today is the only look at the clock in this project; a test holds that. What
// is built never depends on it: it is where --as-of starts from in commands that
// judge dates, and the time in a heartbeat.
func Today() string { return Now().Format(time.DateOnly) }

// Now is the present time in UTC, to the second.
func Now() time.Time { return time.Now().UTC().Truncate(time.Second) }
