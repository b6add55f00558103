package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/disk"
)

// A WriteReport says what Write did.
type WriteReport struct {
	Written   []string // new or changed files, in the order they were written
	Removed   []string // files of the catalog before that this one has not
	Unchanged int
}

// A LostError says that a folder publishes ids that the new catalog knows
// nothing of. Nothing was written.
type LostError struct {
	IDs []string // such as "dpgs/dhis2", sorted
}

func (e *LostError) Error() string {
	return fmt.Sprintf("%s published before that %s not in the registry any more: %s; an id is kept for ever: "+
		`bring the file back and give it status.stage "removed" with a reason and a date, or "archived", "declined" or "renamed"`,
		plural(len(e.IDs), "id was", "ids were"), map[bool]string{true: "is", false: "are"}[len(e.IDs) == 1], some(e.IDs))
}

// journalName lists the files that a run is about to add or to remove. It stands in
// the folder only while that run lasts: after a crash the next one knows whose they
// are, also where no manifest lists them.
const journalName = apiFolder + "/.publishing"

// Write puts the catalog into a folder. Only what differs is written, each file
// whole, the manifest after the files it lists; then a file that the manifest before
// lists and the new one does not is removed. Other files that came later are nobody's business: they
// stay, and one that stands where a new file belongs is an error, as is a folder
// that holds other files and no catalog. The error is a *LostError if the folder publishes an id that the catalog has not.
func (c *Catalog) Write(dir string) (WriteReport, error) {
	s, err := OpenStored(dir, "")
	if err != nil {
		return WriteReport{}, fmt.Errorf("publish to %s: %w", dir, err)
	}
	defer s.Close()
	return c.WriteTo(s)
}

// WriteTo is Write to a folder that is open.
func (c *Catalog) WriteTo(s *Stored) (WriteReport, error) {
	report, err := c.write(s)
	if err != nil {
		return report, fmt.Errorf("publish to %s: %w", s.dir, err)
	}
	return report, nil
}

func (c *Catalog) write(s *Stored) (report WriteReport, err error) {
	if err := s.make(); err != nil {
		return report, err
	}
	gone, err := c.claim(s)
	if err != nil {
		return report, err
	}
	if err := c.putAll(s, &report); err != nil {
		return report, err
	}
	// After the manifest: whoever reads it finds every file that it lists.
	for _, name := range gone {
		was, err := s.drop(name)
		if err != nil {
			return report, err
		}
		if was {
			report.Removed = append(report.Removed, name)
		}
	}
	if err := s.folder.Remove(journalName); err != nil {
		return report, err
	}
	if f := s.file(journalName); f != nil {
		f.there = false
	}
	s.settle(func(name string) bool { return name == manifestName || c.files[name] != nil })
	return report, nil
}

// claim makes sure that the catalog may be written to a folder, and notes in the journal
// what is about to come and to go. It gives the names of what is to go, sorted.
func (c *Catalog) claim(s *Stored) (gone []string, err error) {
	gone = s.gone(func(name string) bool { return c.files[name] != nil })
	if lost := lost(gone); len(lost) > 0 {
		return nil, &LostError{lost}
	}
	begun, err := begun(s.folder)
	if err != nil {
		return nil, err
	}
	if len(begun) == 0 && s.empty() {
		if err := c.vacant(s); err != nil {
			return nil, err
		}
	}
	var added []string
	for _, name := range c.paths() {
		if f := s.file(name); (f == nil || !f.listed) && !begun[name] {
			added = append(added, name)
		}
	}
	if err := c.unclaimed(s, added); err != nil {
		return nil, err
	}
	for name := range begun {
		if c.files[name] == nil && name != manifestName {
			gone = append(gone, name)
		}
	}
	slices.Sort(gone)
	gone = slices.Compact(gone)
	return gone, begin(s.folder, begun, slices.Concat(added, gone))
}

// putAll writes what differs: the files, then the pages of the manifest, which list
// them, then the manifest.
func (c *Catalog) putAll(s *Stored, report *WriteReport) error {
	var files, pages []string
	for _, name := range c.paths() {
		if strings.HasPrefix(name, ManifestPages) {
			pages = append(pages, name)
		} else {
			files = append(files, name)
		}
	}
	for _, names := range [][]string{files, pages} {
		if err := s.putDiffering(names, func(name string) *content { return c.files[name] }, report); err != nil {
			return err
		}
	}
	manifest, err := c.manifest()
	if err != nil {
		return err
	}
	return s.putDiffering([]string{manifestName}, func(string) *content { return manifest }, report)
}

// putDiffering is put for those of the files that do not hold their bytes yet.
func (s *Stored) putDiffering(names []string, data func(name string) *content, report *WriteReport) error {
	var differ []string
	for _, name := range names {
		if c := data(name); s.has(fileSum{name, c.size, c.sum}) {
			report.Unchanged++
		} else {
			differ = append(differ, name)
		}
	}
	if err := s.put(differ, data); err != nil {
		return err
	}
	report.Written = append(report.Written, differ...)
	return nil
}

// published reads which files the folder's manifest lists, the manifest too;
// none where there is no manifest.
func published(folder *disk.Folder) (map[string]bool, error) {
	data, err := folder.Read(manifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]bool{}, nil
	}
	if err != nil {
		return nil, err
	}
	m, err := readManifest(data)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{manifestName: true}
	for _, f := range m.Files {
		names[f.Path] = true
	}
	return names, nil
}

// readManifest reads a manifest that this program wrote.
func readManifest(data []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil || m.SchemaVersion == "" {
		return nil, fmt.Errorf("%s is not a manifest of this program, so it cannot be told what was published; "+
			"choose another folder, or bring the manifest back", manifestName)
	}
	for _, f := range m.Files {
		if !confined(f.Path) {
			return nil, fmt.Errorf("%s lists %q, which no catalog has; choose another folder, or bring the manifest back", manifestName, f.Path)
		}
	}
	return &m, nil
}

// begun reads what an interrupted run was adding.
func begun(folder *disk.Folder) (map[string]bool, error) {
	data, err := folder.Read(journalName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	names := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		if name := strings.TrimSuffix(line, "\n"); confined(name) {
			names[name] = true
		}
	}
	return names, nil
}

func begin(folder *disk.Folder, begun map[string]bool, names []string) error {
	if len(names) == 0 {
		return nil
	}
	all := append(slices.Collect(maps.Keys(begun)), names...)
	slices.Sort(all)
	all = slices.Compact(all)
	_, err := folder.Write(journalName, []byte(strings.Join(all, "\n")+"\n"))
	return err
}

// vacant makes sure that a folder without a catalog is one for a catalog. Hidden
// files, and those that hosts of static files look for, may stand there first; what
// has a name of the catalog's is looked at by unclaimed.
func (c *Catalog) vacant(s *Stored) error {
	var foreign []string
	for _, f := range s.files {
		if f.there && !strings.HasPrefix(f.Name, ".") && f.Name != "CNAME" && f.Name != "robots.txt" && c.files[f.Name] == nil {
			foreign = append(foreign, f.Name)
		}
	}
	if len(foreign) > 0 {
		return fmt.Errorf("it holds no catalog, but %s not made by a build: %s; choose an empty folder, or move them",
			plural(len(foreign), "file", "files"), some(foreign))
	}
	return nil
}

// unclaimed makes sure that nothing of somebody else stands at the names.
func (c *Catalog) unclaimed(s *Stored, names []string) error {
	var foreign []string
	for _, name := range names {
		f := c.files[name]
		there, err := s.stands(name)
		if err != nil {
			return err
		}
		if there && !s.has(fileSum{name, f.size, f.sum}) {
			foreign = append(foreign, name)
		}
	}
	if len(foreign) > 0 {
		return fmt.Errorf("%s in the way, not made by an earlier build: %s; choose an empty folder, or move them",
			plural(len(foreign), "file stands", "files stand"), some(foreign))
	}
	return nil
}

// lost lists the ids of entries whose files are gone. Every file api/v1/<folder>/<id>.json is an entry's but for the folders
// that stand for something else.
func lost(gone []string) []string {
	var ids []string
	for _, name := range gone {
		rest, api := strings.CutPrefix(name, apiFolder+"/")
		dir, base := path.Split(rest)
		dir = strings.TrimSuffix(dir, "/")
		if !api || dir == "" || strings.Contains(dir, "/") || dir == frameworkFolder || dir == schemaFolder || dir == viewFolder || dir == fullFolder || dir == shardFolder || dir == "csv" {
			continue
		}
		ids = append(ids, dir+"/"+strings.TrimSuffix(base, ".json"))
	}
	slices.Sort(ids)
	return ids
}

// remove deletes a file and the folders that it leaves empty; these also where
// the file is gone already, since a run may have ended in between.
func remove(folder *disk.Folder, name string) (gone bool, err error) {
	_, err = folder.Read(name)
	gone = !errors.Is(err, fs.ErrNotExist)
	if err := folder.Remove(name); err != nil {
		return false, err
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if folder.Remove(dir) != nil { // not empty
			break
		}
	}
	return gone, nil
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// some names at most ten of a list.
func some(names []string) string {
	if len(names) > 10 {
		return strings.Join(names[:10], ", ") + fmt.Sprintf(" and %d more", len(names)-10)
	}
	return strings.Join(names, ", ")
}

func (r WriteReport) String() string {
	return fmt.Sprintf("%s written, %d removed, %d as they were", plural(len(r.Written), "file", "files"), len(r.Removed), r.Unchanged)
}
