package propose

import (
	"fmt"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/source"
)

// Facts are what a project says of itself where its source is kept. Each is one
// line, or "" where nothing usable is said.
type Facts struct {
	Name, Description, Website, Repository, License string
}

// Publiccode reads a publiccode.yml, the file by which a project describes itself
// (https://yml.publiccode.tools). Of all that may stand in it only the name, the
// addresses, the licence and a description are taken, in English where there is
// a choice, and only where they are short and of one line.
func Publiccode(data []byte) (Facts, error) {
	doc, found := source.Parse("publiccode.yml", data)
	if len(found) > 0 {
		return Facts{}, fmt.Errorf("publiccode.yml:%d: %s", found[0].Start.Line, found[0].Message)
	}
	if doc.Root.Kind != source.Map {
		return Facts{}, fmt.Errorf("publiccode.yml is not a mapping of keys")
	}
	described := doc.Root.Get("description")
	var words *source.Node
	if described != nil && described.Kind == source.Map {
		words = described.Get("en")
		for _, f := range described.Fields { // the first English, or the first there is
			if words == nil && strings.HasPrefix(strings.ToLower(f.Key.Text), "en") {
				words = f.Value
			}
		}
		if words == nil && len(described.Fields) > 0 {
			words = described.Fields[0].Value
		}
	}
	f := Facts{
		Name:        text(doc.Root.Get("name"), 200),
		Repository:  link(doc.Root.Get("url")),
		Website:     link(doc.Root.Get("landingURL")),
		License:     text(child(doc.Root.Get("legal"), "license"), lineMax),
		Description: text(child(words, "shortDescription"), textMax),
	}
	if f.Description == "" {
		f.Description = text(child(words, "longDescription"), textMax)
	}
	return f, nil
}

// Fill puts facts where the entry says nothing itself.
func (f Facts) Fill(e *entry.Entry) {
	if e.Name == "" {
		e.Name = f.Name
	}
	if e.Description.IsZero() && f.Description != "" {
		e.Description = entry.Plain(f.Description)
	}
	if e.Website == "" {
		e.Website = f.Website
	}
	if len(e.Repositories) == 0 && f.Repository != "" {
		e.Repositories = []entry.Repository{{URL: f.Repository}}
	}
	if len(e.Licenses) == 0 && f.License != "" {
		e.Licenses = []entry.License{{Expression: f.License}}
	}
}

func child(n *source.Node, key string) *source.Node {
	if n == nil || n.Kind != source.Map {
		return nil
	}
	return n.Get(key)
}

// text is a string on one line; "" if it is none, or no line for readers.
func text(n *source.Node, limit int) string {
	if n == nil || n.Kind != source.String {
		return ""
	}
	return line(n.Text, limit)
}

func link(n *source.Node) string { return Address(text(n, linkMax)) }
