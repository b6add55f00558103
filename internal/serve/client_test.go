package serve

import (
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/testclient"
)

// Others' tools take the description of searches for what it says it is: a linter
// has nothing to say, and a client that is generated from it compiles and searches.
func TestSearchForOthers(t *testing.T) {
	s := New(load(t, t.TempDir(), "Open Guide", "Another Guide", "A Third Guide", "Handbook"), Options{})
	server := httptest.NewServer(s)
	defer server.Close()
	type read struct {
		Total, Pages, Refused int
		IDs, Forms, Kinds     []string
	}
	var got read
	if err := json.Unmarshal(testclient.Run(t, []byte(body(t, ask(s, "GET", openAPIPath, nil))), "testdata/search.ts", server.URL+"/api/v1"), &got); err != nil {
		t.Fatal(err)
	}
	want := read{Total: 3, Pages: 2, Refused: 400, IDs: []string{"entry-0", "entry-1"}, Forms: []string{"guide"}, Kinds: []string{"resource 3"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the client (-want +got):\n%s", diff)
	}
}
