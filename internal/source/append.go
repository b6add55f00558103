package source

import (
	"bytes"
	"maps"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dpg-registry/dpg-registry/internal/diag"
)

// Append gives the edits that add an item to the list at a key of the file's
// outermost mapping, and the key where it is missing: below the last item in a
// list of lines, behind it in one in brackets. The rest of the file keeps its
// bytes. The item is anything that yaml.v3 writes as one value.
//
// It is nil where the file is no mapping, the value at the key is no list, or
// the file is laid out so oddly that what would be read from it afterwards is
// not just the same with one item more.
func (d *Document) Append(key string, item any) []diag.Edit {
	if d.Root.Kind != Map || !d.editable() {
		return nil
	}
	var edits []diag.Edit
	switch list := d.Root.Get(key); {
	case list == nil:
		edits = d.appendKey(key, item)
	case list.Kind == Null && list.Text == "":
		edits = d.startList(key, item)
	case list.Kind == List:
		edits = d.appendItem(list, item)
	}
	if !d.adds(edits, key, item) {
		return nil
	}
	return edits
}

// Set gives the edits that put a plain text at a key of the file's outermost
// mapping: in place of the text that is there, or as a new last line.
// It is nil where that is not possible as it is for Append and Rewrite.
func (d *Document) Set(key, text string) []diag.Edit {
	if d.Root.Kind != Map || !d.editable() {
		return nil
	}
	if d.Root.Get(key) != nil {
		return d.Rewrite(Pointer(key), text)
	}
	written, ok := write(text, Plain)
	if !ok {
		return nil
	}
	_, flow := d.opening(d.Root)
	if flow {
		return nil
	}
	edits := d.atEnd(key + ": " + written + "\n")
	if !d.reads(edits, func(want map[string]any) { want[key] = text }) {
		return nil
	}
	return edits
}

// appendKey puts a list of one item at the end of the file.
func (d *Document) appendKey(key string, item any) []diag.Edit {
	_, flow := d.opening(d.Root)
	lines, ok := blockItem(item, 2)
	if flow || !ok {
		return nil
	}
	return d.atEnd(key + ":\n" + lines)
}

// atEnd puts lines below the last that says something, comments included.
func (d *Document) atEnd(lines string) []diag.Edit {
	end := len(bytes.TrimRight(d.text, " \t\r\n"))
	return d.replace(end, end, "\n"+strings.TrimSuffix(lines, "\n"))
}

// startList fills in a key that stands without a value.
func (d *Document) startList(key string, item any) []diag.Edit {
	lines, ok := blockItem(item, 2)
	name := d.KeyAt(Pointer(key))
	if !ok || name == nil {
		return nil
	}
	_, end, ok := d.extent(name)
	if !ok {
		return nil
	}
	at, ok := d.blankTo(end + 1)
	if !ok {
		return nil
	}
	return d.replace(at, at, "\n"+strings.TrimSuffix(lines, "\n"))
}

func (d *Document) appendItem(list *Node, item any) []diag.Edit {
	open, flow := d.opening(list)
	if flow {
		text, ok := flowItem(item)
		if !ok {
			return nil
		}
		if len(list.Items) == 0 {
			return d.replace(open+1, open+1, text)
		}
		_, end, ok := d.extent(list.Items[len(list.Items)-1])
		if !ok {
			return nil
		}
		return d.replace(end, end, ", "+text)
	}
	if len(list.Items) == 0 {
		return nil
	}
	last, ok := d.item(list.Items[len(list.Items)-1], false)
	if !ok {
		return nil
	}
	dash := last.start - (bytes.LastIndexByte(d.text[:last.start], '\n') + 1)
	if len(bytes.Trim(d.text[last.start-dash:last.start], " ")) > 0 {
		return nil
	}
	lines, ok := blockItem(item, dash)
	if !ok {
		return nil
	}
	at, ok := d.blankTo(last.end)
	if !ok {
		return nil
	}
	return d.replace(at, at, "\n"+strings.TrimSuffix(lines, "\n"))
}

// blockItem writes an item on lines of its own behind a dash that stands so far
// in.
func blockItem(item any, indent int) (string, bool) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if enc.Encode([]any{item}) != nil || enc.Close() != nil {
		return "", false
	}
	var out strings.Builder
	for line := range strings.Lines(b.String()) {
		if strings.TrimSpace(line) != "" {
			out.WriteString(strings.Repeat(" ", indent))
		}
		out.WriteString(line)
	}
	return out.String(), true
}

// flowItem writes an item on one line, to stand between brackets.
func flowItem(item any) (string, bool) {
	var n yaml.Node
	if n.Encode(item) != nil {
		return "", false
	}
	flatten(&n)
	out, err := yaml.Marshal(&n)
	text := strings.TrimSuffix(string(out), "\n")
	return text, err == nil && !strings.Contains(text, "\n")
}

func flatten(n *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode, yaml.SequenceNode:
		n.Style = yaml.FlowStyle
	case yaml.ScalarNode:
		if strings.ContainsFunc(n.Value, unseen) || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			n.Style = yaml.DoubleQuotedStyle
		}
	}
	for _, c := range n.Content {
		flatten(c)
	}
}

// adds reports whether the file, edited, reads as before with one item more.
func (d *Document) adds(edits []diag.Edit, key string, item any) bool {
	out, err := yaml.Marshal(item)
	if err != nil {
		return false
	}
	alone, found := Parse(d.Path, out)
	if len(found) > 0 {
		return false
	}
	return d.reads(edits, func(want map[string]any) {
		list, _ := want[key].([]any)
		want[key] = append(append([]any{}, list...), alone.Root.Value())
	})
}

// reads reports whether the file with one edit reads as before but for change.
func (d *Document) reads(edits []diag.Edit, change func(map[string]any)) bool {
	if len(edits) != 1 {
		return false
	}
	at, ok := d.Offset(edits[0].Start)
	if !ok {
		return false
	}
	text := append(append(append([]byte{}, d.text[:at]...), edits[0].Text...), d.text[at:]...)
	after, found := Parse(d.Path, text)
	before, isMap := d.Root.Value().(map[string]any)
	if len(found) > 0 || !isMap {
		return false
	}
	want := maps.Clone(before)
	change(want)
	return reflect.DeepEqual(after.Root.Value(), want)
}
