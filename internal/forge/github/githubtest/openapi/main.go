// Command openapi cuts GitHub's own description of its API down to the operations
// that the bot calls, for the fake GitHub of the tests to be judged by. It reads
// npm's @octokit/openapi (MIT), as npm pack fetches it:
//
//	npm pack @octokit/openapi@23.0.2
//	go run ./internal/forge/github/githubtest/openapi octokit-openapi-23.0.2.tgz internal/forge/github/githubtest/api.json.gz
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
)

// operations are those that package github calls, and no others: a call that is not
// listed finds no route in the fake.
const operations = `
actions/get-github-actions-default-workflow-permissions-repository
apps/create-installation-access-token apps/get-repo-installation
checks/create checks/list-annotations checks/list-for-ref checks/update
git/create-blob git/create-commit git/create-ref git/create-tree git/delete-ref git/get-ref git/list-matching-refs git/update-ref
issues/add-labels issues/create issues/create-comment issues/create-label issues/get issues/get-comment issues/list-comments
issues/list-for-repo issues/list-labels-for-repo issues/remove-label issues/update issues/update-comment
licenses/get-for-repo
pulls/create pulls/create-review pulls/get pulls/list pulls/list-review-comments pulls/update
reactions/create-for-issue reactions/create-for-issue-comment
repos/create-commit-status repos/get repos/get-branch-protection repos/get-branch-rules repos/get-collaborator-permission-level
repos/get-content repos/get-pages repos/list-commit-statuses-for-ref
users/get-authenticated`

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: openapi octokit-openapi-VERSION.tgz OUT.json.gz")
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func run(from, to string) error {
	packed, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	whole, err := member(packed, "package/generated/api.github.com.json")
	if err != nil {
		return err
	}
	var api map[string]any
	if err := json.Unmarshal(whole, &api); err != nil {
		return err
	}
	if err := trim(api, strings.Fields(operations)); err != nil {
		return err
	}
	text, err := json.Marshal(api)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if _, err := z.Write(text); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	fmt.Printf("%d bytes of JSON, %d packed\n", len(text), out.Len())
	return os.WriteFile(to, out.Bytes(), 0o644)
}

// member returns one file of a packed archive.
func member(packed []byte, name string) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", name, err)
		}
		if h.Name == name {
			return io.ReadAll(t)
		}
	}
}

// trim keeps the operations, and the components that they lead to.
func trim(api map[string]any, keep []string) error {
	wanted := map[string]bool{}
	for _, id := range keep {
		wanted[id] = true
	}
	paths := map[string]any{}
	for name, item := range api["paths"].(map[string]any) {
		kept := map[string]any{}
		for method, op := range item.(map[string]any) {
			o, isOp := op.(map[string]any)
			id, _ := o["operationId"].(string)
			if !isOp || !wanted[id] {
				continue
			}
			delete(wanted, id)
			kept[method] = o
		}
		if len(kept) > 0 {
			paths[name] = kept
		}
	}
	if len(wanted) > 0 {
		return fmt.Errorf("no such operations: %v", wanted)
	}
	bare(paths, false)
	all := api["components"].(map[string]any)
	for _, section := range all {
		bare(section, false)
	}
	components := map[string]any{}
	follow(paths, all, components)
	for key := range api {
		if key != "openapi" && key != "info" {
			delete(api, key)
		}
	}
	api["paths"], api["components"] = paths, components
	return nil
}

// bare takes out prose, examples and GitHub's own extensions. A property may have
// any of those names: under "properties" they are kept.
func bare(v any, names bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			_, prose := value.(string)
			if !names && key == "description" && prose {
				v[key] = "" // a response must have one
				continue
			}
			if !names && (key == "summary" && prose || key == "examples" || key == "example" || key == "externalDocs" || strings.HasPrefix(key, "x-")) {
				delete(v, key)
				continue
			}
			bare(value, !names && (key == "properties" || key == "headers"))
		}
	case []any:
		for _, value := range v {
			bare(value, false)
		}
	}
}

// follow copies each component that v refers to, and those that it refers to.
func follow(v any, from, to map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			parts := strings.Split(strings.TrimPrefix(ref, "#/components/"), "/")
			section, _ := to[parts[0]].(map[string]any)
			if section == nil {
				section = map[string]any{}
				to[parts[0]] = section
			}
			if _, done := section[parts[1]]; !done {
				found := from[parts[0]].(map[string]any)[parts[1]]
				section[parts[1]] = found
				follow(found, from, to)
			}
		}
		for _, value := range v {
			follow(value, from, to)
		}
	case []any:
		for _, value := range v {
			follow(value, from, to)
		}
	}
}
