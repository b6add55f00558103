package entry

import (
	"bytes"
	"regexp"
)

// blockHead is a line that opens a block of text: its indentation, the dashes of
// lists it starts, its key, "|", the block's indentation, how its end is kept.
// Keys that need quotes are left alone.
var blockHead = regexp.MustCompile(`^( *)((?:- )*)([A-Za-z0-9_.-]+: )?\|([0-9]?)([-+]?)\n$`)

// indentTabs repairs what yaml.v3 writes for a text of several lines that starts
// with a tab: it leaves out the indentation of the block, and then cannot read
// what it wrote ("found a tab character where an indentation space is expected").
func indentTabs(text []byte) []byte {
	if !bytes.Contains(text, []byte(" \t")) {
		return text
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	for i := 0; i < len(lines); i++ {
		m := blockHead.FindSubmatch(lines[i])
		if m == nil || i+1 == len(lines) {
			continue
		}
		indent := len(m[1]) + len(m[2])
		if len(m[3]) > 0 {
			indent += 2
		}
		if len(m[4]) == 0 && len(lines[i+1]) > indent && spaces(lines[i+1]) == indent && lines[i+1][indent] == '\t' {
			lines[i] = bytes.Replace(lines[i], []byte("|"), []byte("|2"), 1)
		}
		// What stands in the block may look like anything.
		for i+1 < len(lines) && (len(lines[i+1]) <= 1 || spaces(lines[i+1]) >= indent) {
			i++
		}
	}
	return bytes.Join(lines, nil)
}

func spaces(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " ")) }
