package dpga

import (
	"errors"
	"path"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// Subject makes an entry of one subject's JSON and, unless it is nil, of the
// screening record that belongs to it. The second answer says where each value of the
// entry came from: its pointer in the entry to one that starts with "/entry" or
// "/screening" and goes on as RFC 6901 in that JSON. The entry's id means nothing.
func Subject(nominee, record []byte) (*entry.Entry, map[string]string, error) {
	const name = "subject"
	s := &Source{}
	tops := map[string]string{}
	for _, part := range []struct {
		folder, top string
		data        []byte
	}{{nominees, "/entry", nominee}, {screened, "/screening", record}} {
		if part.data == nil {
			continue
		}
		f := &file{folder: part.folder, path: path.Join(part.folder, name+".json"), name: name}
		f.parse(part.data)
		if !f.readable() {
			detail := "it cannot be read"
			if len(f.notes) > 0 {
				detail = f.notes[0].Detail
			}
			return nil, nil, errors.New(part.top[1:] + ": " + detail)
		}
		tops[f.path] = part.top
		s.files = append(s.files, f)
	}
	made, report, err := s.Convert(Options{})
	if err != nil {
		return nil, nil, err
	}
	if len(made) != 1 {
		return nil, nil, errors.New("entry: it is not a subject")
	}
	from := map[string]string{}
	for _, top := range []string{"/screening", "/entry"} { // the subject's own words win
		for _, f := range report.Files {
			if tops[f.Path] != top {
				continue
			}
			for _, leaf := range f.Leaves {
				if leaf.To != "" {
					from[leaf.To] = top + leaf.Pointer
				}
			}
		}
	}
	return &made[0].Entry, from, nil
}
