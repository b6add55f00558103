package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"
)

// A fakeModel stands in for a model's endpoint in a script: it counts, and answers
// every request with the bytes of a file.
type fakeModel struct {
	requests atomic.Int64
	file     atomic.Value // its name
}

type modelKey struct{}

// endpoint FILE has the script's model answer with what FILE says, from now on, and
// puts its address into DPG_MODEL_URL. The first line may be "status N", with
// headers on the lines below up to an empty one; else what FILE holds is the content
// of a chat completion.
func endpoint(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: endpoint FILE")
	}
	m, _ := ts.Value(modelKey{}).(*fakeModel)
	m.file.Store(ts.MkAbs(args[0]))
	if ts.Getenv("DPG_MODEL_URL") != "" {
		return
	}
	s := httptest.NewServer(m)
	ts.Defer(s.Close)
	ts.Setenv("DPG_MODEL_URL", s.URL+"/v1")
}

func (m *fakeModel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.requests.Add(1)
	io.Copy(io.Discard, r.Body)
	data, err := os.ReadFile(m.file.Load().(string))
	if err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	head, rest, _ := strings.Cut(string(data), "\n\n")
	if status, ok := strings.CutPrefix(head, "status "); ok {
		lines := strings.Split(status, "\n")
		for _, h := range lines[1:] {
			name, value, _ := strings.Cut(h, ": ")
			w.Header().Set(name, value)
		}
		code, _ := strconv.Atoi(lines[0])
		w.WriteHeader(code)
		io.WriteString(w, rest)
		return
	}
	content, _ := json.Marshal(string(data))
	fmt.Fprintf(w, `{"choices":[{"message":{"role":"assistant","content":%s},"finish_reason":"stop"}],"usage":{"total_tokens":900}}`, content)
}

// asked N holds that the script's model was asked so often since asked was said last.
func asked(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: asked NUMBER")
	}
	m, _ := ts.Value(modelKey{}).(*fakeModel)
	if n := m.requests.Swap(0); strconv.FormatInt(n, 10) != args[0] {
		ts.Fatalf("the model was asked %d times, want %s", n, args[0])
	}
}

// manyentries N FILE FOLDER writes so many entries like FILE, with ids like
// "id-0001" where FILE says "id-0000".
func manyEntries(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: manyentries NUMBER FILE FOLDER")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	text := ts.ReadFile(args[1])
	for i := range n {
		id := fmt.Sprintf("id-%04d", i+1)
		ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[2]), id+".yaml"), []byte(strings.ReplaceAll(text, "id-0000", id)), 0o644))
	}
}
