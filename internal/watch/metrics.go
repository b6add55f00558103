package watch

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// families are all that is counted, with what Prometheus is told of each.
var families = map[string]struct{ kind, help string }{
	"dpgbot_deliveries_total":               {"counter", "Web hook deliveries, by what became of them."},
	"dpgbot_queued_total":                   {"counter", "Work that was to be queued, by whether it was."},
	"dpgbot_queue_length":                   {"gauge", "Work that waits."},
	"dpgbot_work_total":                     {"counter", "Work that was tried, by how it went."},
	"dpgbot_work_seconds_total":             {"counter", "Time that work took."},
	"dpgbot_last_success_timestamp_seconds": {"gauge", "When work last succeeded."},
}

// metrics are few enough to need no library. Labels have values that the program
// chose or was started with, so there are never many.
type metrics struct {
	mu     sync.Mutex
	values map[string]map[string]float64 // by family, by labels as they are written
}

func newMetrics() *metrics { return &metrics{values: map[string]map[string]float64{}} }

func (m *metrics) add(family string, by float64, labels ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.family(family)[series(labels)] += by
}

func (m *metrics) set(family string, to float64, labels ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.family(family)[series(labels)] = to
}

func (m *metrics) family(name string) map[string]float64 {
	f := m.values[name]
	if f == nil {
		f = map[string]float64{}
		m.values[name] = f
	}
	return f
}

// series writes labels, given as names and values in turn.
func series(labels []string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	var parts []string
	for i := 0; i+1 < len(labels); i += 2 {
		parts = append(parts, labels[i]+`="`+escape.Replace(labels[i+1])+`"`)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// text is the text format of Prometheus, in a fixed order.
func (m *metrics) text() []byte {
	w := new(bytes.Buffer)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(m.values)) {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, families[name].help, name, families[name].kind)
		for _, labels := range slices.Sorted(maps.Keys(m.values[name])) {
			fmt.Fprintf(w, "%s%s %s\n", name, labels, strconv.FormatFloat(m.values[name][labels], 'g', -1, 64))
		}
	}
	return w.Bytes()
}
