// Command serve measures dpg serve: how many requests a second it answers for one
// entry beside nginx, what that costs of the processor, how soon it answers after
// its start, and how much memory it holds. Both servers are asked in turn, so that
// a noisy minute meets both. It needs nginx and wrk, from Debian, and sends
// requests to this machine only.
//
//	go run ./internal/bench/serve                  10,000 entries
//	go run ./internal/bench/serve -n 10000,100000  takes minutes and 6 GB of disk
package main

import (
	"bytes"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/template"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/bench/measure"
)

//go:embed nginx.conf
var nginxConf string

func main() {
	sizes := flag.String("n", "10000", "how many entries, with commas between")
	runs := flag.Int("runs", 5, "runs of each server, after one that does not count")
	span := flag.Duration("for", 5*time.Second, "how long a run takes")
	flag.Parse()
	if *runs < 1 || *span < time.Second {
		fmt.Fprintln(os.Stderr, "serve: -runs is 1 at least, and -for 1s")
		os.Exit(2)
	}
	if err := all(*sizes, *runs, *span); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(3)
	}
}

func all(sizes string, runs int, span time.Duration) error {
	for _, name := range []string{"nginx", "wrk"} {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("%s is not here, so NOTHING WAS MEASURED: apt-get install nginx-light wrk", name)
		}
	}
	m, err := measure.New()
	if err != nil {
		return err
	}
	defer m.Close()
	fmt.Printf("Medians of %d runs of %s after one warm-up, in turn: wrk -t1 -c32, one entry. CPU is the server's own for a request.\n\n", runs, span)
	fmt.Println("| entries | server | requests a second | CPU | 99th percentile | answers after | RSS then | RSS after | beside nginx |\n|---|---|---|---|---|---|---|---|---|")
	for _, text := range strings.Split(sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("-n %q is no number of entries", text)
		}
		dir, err := m.Registry(n)
		if err != nil {
			return err
		}
		if err := m.Do(dir, m.DPG, "build", "--no-history", "--out", "public"); err != nil {
			return err
		}
		b := bench{Bench: m, runs: runs, span: span, root: filepath.Join(dir, "public")}
		if err := b.pair(n); err != nil {
			return err
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

type bench struct {
	*measure.Bench
	runs int
	span time.Duration
	root string // of the catalog
	path string // of the entry that is asked for
}

// A server is a program that answers at an address.
type server struct {
	name    string
	at      string // host and port
	cmd     *exec.Cmd
	answers time.Duration // how long after its start it first answered
	rss     int64         // when it did
	loads   []load
}

// A load is what one run of wrk says.
type load struct {
	rate float64 // requests a second
	p99  time.Duration
	cpu  time.Duration // of the server, for one request
}

func (b *bench) pair(n int) (err error) {
	entries, err := filepath.Glob(filepath.Join(b.root, "api", "v1", "dpgs", "*.json"))
	if err != nil || len(entries) == 0 {
		return fmt.Errorf("%s has no entries", b.root)
	}
	info, err := os.Stat(entries[len(entries)/2])
	if err != nil {
		return err
	}
	b.path = "/api/v1/dpgs/" + info.Name()
	ours := &server{name: fmt.Sprintf("dpg serve, an entry of %d bytes", info.Size())}
	if err := b.start(ours, func(at string) (*exec.Cmd, error) {
		return exec.Command(b.DPG, "serve", "--dir", b.root, "--addr", at, "--rate", "0"), nil
	}); err != nil {
		return err
	}
	defer ours.stop()
	theirs := &server{name: "nginx"}
	headers, err := b.headers(ours)
	if err != nil {
		return err
	}
	if err := b.start(theirs, func(at string) (*exec.Cmd, error) {
		conf, err := b.configure(at, headers)
		return exec.Command("nginx", "-c", conf, "-p", b.Dir), err
	}); err != nil {
		return err
	}
	defer theirs.stop()
	if err := b.same(ours, theirs); err != nil {
		return err
	}
	for i := range b.runs + 1 {
		for _, s := range []*server{ours, theirs} {
			l, err := b.load(s)
			if err != nil {
				return err
			}
			if i > 0 { // the first fills the caches
				s.loads = append(s.loads, l)
			}
		}
	}
	our, their := median(ours.loads), median(theirs.loads)
	for _, s := range []*server{ours, theirs} {
		l := median(s.loads)
		after, err := s.memory()
		if err != nil {
			return err
		}
		ratio := ""
		if s == ours {
			ratio = fmt.Sprintf("%.2f of the requests, %.2f of the CPU for each", our.rate/their.rate, our.cpu.Seconds()/their.cpu.Seconds())
		}
		fmt.Printf("| %s | %s | %.0f | %s | %s | %.2f s | %d MB | %d MB | %s |\n", measure.Thousands(n), s.name, l.rate,
			l.cpu.Round(100*time.Nanosecond), l.p99.Round(10*time.Microsecond), s.answers.Seconds(), s.rss>>20, after>>20, ratio)
	}
	return nil
}

// start runs a server at a port that is free and waits until it answers.
func (b *bench) start(s *server, command func(at string) (*exec.Cmd, error)) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.at = l.Addr().String()
	l.Close()
	if s.cmd, err = command(s.at); err != nil {
		return fmt.Errorf("%s could not be configured: %w", s.name, err)
	}
	var said bytes.Buffer
	s.cmd.Stderr = &said
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	for time.Since(began) < 2*time.Minute {
		select {
		case err := <-ended:
			return fmt.Errorf("%s ended: %w\n%s", s.name, err, said.String())
		case <-time.After(2 * time.Millisecond):
		}
		if r, err := http.Get("http://" + s.at + "/api/v1/index.json"); err == nil {
			r.Body.Close()
			if r.StatusCode != http.StatusOK {
				s.stop()
				return fmt.Errorf("%s answers %s", s.name, r.Status)
			}
			s.answers = time.Since(began)
			s.rss, err = s.memory()
			return err
		}
	}
	s.stop()
	return fmt.Errorf("%s does not answer", s.name)
}

func (s *server) stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(os.Interrupt) // it may have ended
		for range 500 {
			if s.cmd.Process.Signal(syscall.Signal(0)) != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		_ = s.cmd.Process.Kill()
	}
}

type header struct{ Name, Value string }

// headers are those of ours that nginx is told to send too. The others it has by
// itself.
func (b *bench) headers(s *server) ([]header, error) {
	r, _, err := b.get(s)
	if err != nil {
		return nil, err
	}
	var out []header
	for name, values := range r.Header {
		if !slices.Contains([]string{"Date", "Content-Type", "Content-Length", "Etag"}, name) {
			out = append(out, header{name, values[0]})
		}
	}
	slices.SortFunc(out, func(x, y header) int { return strings.Compare(x.Name, y.Name) })
	return out, nil
}

func (b *bench) configure(at string, headers []header) (string, error) {
	t, err := template.New("nginx.conf").Parse(nginxConf)
	if err != nil {
		return "", err
	}
	name := filepath.Join(b.Dir, "nginx.conf")
	f, err := os.Create(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return name, t.Execute(f, struct {
		Dir, Addr, Root string
		Super           bool
		Headers         []header
	}{b.Dir, at, b.root, os.Getuid() == 0, headers})
}

func (b *bench) get(s *server) (*http.Response, []byte, error) {
	q, err := http.NewRequest("GET", "http://"+s.at+b.path, nil)
	if err != nil {
		return nil, nil, err
	}
	q.Header.Set("Accept-Encoding", "identity")
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, nil, err
	}
	defer r.Body.Close()
	data, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s for %s", s.name, r.Status, b.path)
	}
	return r, data, err
}

// same holds that both send the same file with the same headers, so that they do
// the same work.
func (b *bench) same(ours, theirs *server) error {
	r, data, err := b.get(ours)
	if err != nil {
		return err
	}
	q, other, err := b.get(theirs)
	if err != nil {
		return err
	}
	if !bytes.Equal(data, other) {
		return errors.New("the two servers send different files")
	}
	for name, values := range r.Header {
		if got := q.Header[name]; len(got) == 0 || name != "Date" && name != "Etag" && !slices.Equal(got, values) {
			return fmt.Errorf("dpg serve sends %s: %q, nginx %q", name, values, got)
		}
	}
	return nil
}

var (
	wrkRate  = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	wrkCount = regexp.MustCompile(`([0-9]+) requests in`)
	wrkP99   = regexp.MustCompile(`99%\s+(\S+)`)
)

func (b *bench) load(s *server) (load, error) {
	before, err := s.used()
	if err != nil {
		return load{}, err
	}
	said, err := exec.Command("wrk", "-t1", "-c32", "--latency", "-d", strconv.FormatFloat(b.span.Seconds(), 'f', 0, 64)+"s", "http://"+s.at+b.path).CombinedOutput()
	if err != nil {
		return load{}, fmt.Errorf("wrk: %w\n%s", err, said)
	}
	after, err := s.used()
	if err != nil {
		return load{}, err
	}
	rate, count, p99 := wrkRate.FindSubmatch(said), wrkCount.FindSubmatch(said), wrkP99.FindSubmatch(said)
	if rate == nil || count == nil || p99 == nil || bytes.Contains(said, []byte("Socket errors")) || bytes.Contains(said, []byte("Non-2xx")) {
		return load{}, fmt.Errorf("%s did not answer every request well:\n%s", s.name, said)
	}
	var l load
	if l.rate, err = strconv.ParseFloat(string(rate[1]), 64); err != nil {
		return l, err
	}
	n, err := strconv.Atoi(string(count[1]))
	if err != nil || n == 0 {
		return l, fmt.Errorf("%s answered nothing", s.name)
	}
	l.cpu = (after - before) / time.Duration(n)
	l.p99, err = time.ParseDuration(string(p99[1]))
	return l, err
}

// processes are a server's own and those that it started.
func (s *server) processes() ([]string, error) {
	pid := strconv.Itoa(s.cmd.Process.Pid)
	list, err := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	return append(strings.Fields(string(list)), pid), err
}

// used is the processor time that a server has taken so far.
func (s *server) used() (time.Duration, error) {
	list, err := s.processes()
	var ticks int
	for _, pid := range list {
		data, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			return 0, err
		}
		_, rest, _ := strings.Cut(string(data), ") ") // the name may hold spaces
		fields := strings.Fields(rest)
		if len(fields) < 13 {
			return 0, fmt.Errorf("/proc/%s/stat is not as expected", pid)
		}
		for _, text := range fields[11:13] { // utime and stime
			n, err := strconv.Atoi(text)
			if err != nil {
				return 0, err
			}
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond, err // a hundred in a second, on every Linux
}

// memory is how much of a server is in memory.
func (s *server) memory() (int64, error) {
	list, err := s.processes()
	var sum int64
	for _, pid := range list {
		data, err := os.ReadFile("/proc/" + pid + "/status")
		if err != nil {
			return 0, err
		}
		_, rest, _ := strings.Cut(string(data), "VmRSS:")
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			continue
		}
		kb, err := strconv.ParseInt(fields[0], 10, 64)
		if err != nil {
			return 0, err
		}
		sum += kb << 10
	}
	return sum, err
}

// median is the middle of each figure by itself.
func median(ls []load) load {
	var rates []float64
	var p99s, cpus []time.Duration
	for _, l := range ls {
		rates, p99s, cpus = append(rates, l.rate), append(p99s, l.p99), append(cpus, l.cpu)
	}
	slices.Sort(rates)
	slices.Sort(p99s)
	slices.Sort(cpus)
	at := len(ls) / 2
	return load{rates[at], p99s[at], cpus[at]}
}
