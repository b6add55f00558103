package assess

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	shipped "github.com/dpg-registry/dpg-registry/registry"
)

// A Memory says how the files of a registry stood on disk when every assessment
// was as it should be: what stands as it stood need not be read again. It is a
// help and never the truth; without one, everything is read.
type Memory struct {
	rules string           // hash of all that applies to every entry
	files map[string]stand // by path in the registry folder
	at    time.Time        // when it was written
}

// A stand is what a folder says of a file without its being read.
type stand struct {
	size int64
	time int64 // nanoseconds since 1970
}

func standOf(b registry.Blob) stand { return stand{b.Size, b.ModTime.UnixNano()} }

const memoryHead = "dpg assessed 1"

// ParseMemory reads what Encode wrote; at is when the file was written. Anything
// else is no memory.
func ParseMemory(data []byte, at time.Time) *Memory {
	m := &Memory{files: map[string]stand{}, at: at}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 0; lines.Scan(); n++ {
		part := strings.Split(lines.Text(), "\t")
		if n == 0 {
			if len(part) != 2 || part[0] != memoryHead {
				return &Memory{}
			}
			m.rules = part[1]
			continue
		}
		if len(part) != 3 {
			return &Memory{}
		}
		size, err1 := strconv.ParseInt(part[1], 10, 64)
		at, err2 := strconv.ParseInt(part[2], 10, 64)
		if err1 != nil || err2 != nil {
			return &Memory{}
		}
		m.files[part[0]] = stand{size, at}
	}
	return m
}

// Remember makes the memory of a registry whose assessments are all as they
// should be.
func Remember(rules string, blobs []registry.Blob) *Memory {
	m := &Memory{rules: rules, files: make(map[string]stand, len(blobs))}
	for _, b := range blobs {
		if !strings.ContainsAny(b.Path, "\t\n\r") { // such a one is read every time
			m.files[b.Path] = standOf(b)
		}
	}
	return m
}

// Encode writes the memory, sorted.
func (m *Memory) Encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\t%s\n", memoryHead, m.rules)
	for _, name := range slices.Sorted(maps.Keys(m.files)) {
		fmt.Fprintf(&b, "%s\t%d\t%d\n", name, m.files[name].size, m.files[name].time)
	}
	return b.Bytes()
}

// Stale returns the files of the entries that may need another assessment, with
// the assessments they have, in groups of a few hundred entries; files of one id
// stand together.
func (m *Memory) Stale(rules string, blobs []registry.Blob) [][]registry.Blob {
	byID := map[string][]registry.Blob{}
	stale := map[string]bool{}
	seen := 0
	for _, b := range blobs {
		id := idOf(b.Path)
		byID[id] = append(byID[id], b)
		was, known := m.files[b.Path]
		if known {
			seen++
		}
		// As Git does: a file as young as the memory may have changed after the look.
		if !known || was != standOf(b) || !b.ModTime.Before(m.at) || m.rules != rules {
			stale[id] = true
		}
	}
	if seen < len(m.files) { // something is gone
		here := make(map[string]bool, len(blobs))
		for _, b := range blobs {
			here[b.Path] = true
		}
		for name := range m.files {
			if !here[name] {
				stale[idOf(name)] = true
			}
		}
	}
	const most = 400
	var groups [][]registry.Blob
	for i, id := range slices.Sorted(maps.Keys(stale)) {
		if i%most == 0 {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], byID[id]...)
	}
	return groups
}

// idOf tells which entry a file is about: its folder's name and its own.
func idOf(name string) string {
	name = strings.TrimPrefix(name, registry.AssessmentFolder+"/")
	kind, _, _ := strings.Cut(name, "/")
	return kind + "/" + entry.FileID(name)
}

// RulesHash is a hash of all that applies to every entry: the engine, what is built
// in, and the registry's own files, whose bytes are given by path.
func RulesHash(own map[string][]byte) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, EngineName)
	err := fs.WalkDir(shipped.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(shipped.FS, name)
		fmt.Fprintf(h, "%q %x\n", name, sha256.Sum256(data))
		return err
	})
	if err != nil {
		return "", err
	}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		fmt.Fprintf(h, "%q %x\n", name, sha256.Sum256(own[name]))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
