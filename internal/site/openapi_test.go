package site

import (
	"context"
	"encoding/json"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/testclient"
)

// included builds the catalog of the registry that comes with the program.
func included(t *testing.T) *catalog.Catalog {
	t.Helper()
	reg, err := registry.Load(context.Background(), registry.FromFS(os.DirFS("../../registry")), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Build(context.Background(), catalog.Input{Registry: reg})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Others' tools take openapi.json for what it says it is: a linter has nothing to
// say, and a client that is generated from it compiles and reads every entry.
func TestOpenAPIForOthers(t *testing.T) {
	t.Parallel() // npm mostly waits
	c := included(t)
	doc, err := c.File("api/v1/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	// A copy is served: Handler reads a folder.
	out := filepath.Join(t.TempDir(), "out")
	if _, err := c.Write(out); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(out)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	server := httptest.NewServer(Handler(root.FS()))
	defer server.Close()

	var got struct {
		Name            string
		Total           int
		Goals, Counted  map[string]int
		View, Missing   int
		Paged, Searched int
		ViewPages       *string
	}
	if err := json.Unmarshal(testclient.Run(t, doc, "testdata/read.ts", server.URL+"/api/v1"), &got); err != nil {
		t.Fatal(err)
	}
	var list catalog.List
	data, err := c.File("api/v1/dpgs.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	goals := map[string]int{}
	for _, e := range c.Full.Entries["dpg"] {
		for _, s := range e.SDGs {
			if listed(list, e.ID) {
				goals[key(s.Goal)]++
			}
		}
	}
	if got.Name != c.Index.Name || got.Total != list.Total || got.Total == 0 || got.Missing != 404 || got.View != got.Counted["3"] ||
		got.Paged != list.Total || got.Searched < list.Total || got.ViewPages != nil {
		t.Errorf("the client read %+v, want %d entries of %q, and 404 for what is not there", got, list.Total, c.Index.Name)
	}
	if diff := cmp.Diff(goals, got.Goals); diff != "" {
		t.Errorf("goals (-catalog +client):\n%s", diff)
	}
	if !maps.Equal(got.Goals, got.Counted) {
		t.Errorf("stats.json counts %v, the entries %v", got.Counted, got.Goals)
	}
}

func listed(l catalog.List, id string) bool {
	for _, it := range l.Items {
		if it.ID == id {
			return true
		}
	}
	return false
}

func key(goal int) string {
	b, _ := json.Marshal(goal)
	return string(b)
}
