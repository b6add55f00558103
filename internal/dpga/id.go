package dpga

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxID is how long an id may be, in bytes. The schema says the same.
const maxID = 100

// assignIDs gives every subject its id, by the rule that Convert states.
func (s *Source) assignIDs() map[*file]string {
	ids := map[*file]string{}
	owner := map[string]*file{}
	var late []*file
	claim := func(folder string, own bool) {
		for _, f := range s.files {
			if f.folder != folder || !f.readable() {
				continue
			}
			id := kebab(f.name)
			if (id == f.name) != own {
				continue
			}
			if owner[id] != nil {
				late = append(late, f)
				continue
			}
			ids[f], owner[id] = id, f
			if !own {
				f.note(IDSpelling, "%q became %q", clip(f.name), id)
			}
		}
	}
	for _, folder := range []string{nominees, archive, excluded} {
		claim(folder, true)
		claim(folder, false)
	}
	// Only now, so that no extended id takes one that a file is named by.
	for _, f := range late {
		id := kebab(f.name)
		first := owner[id]
		suffix := map[string]string{nominees: "-nominee", archive: "-archived", excluded: "-declined"}[f.folder]
		free := extend(id, suffix)
		for i := 2; owner[free] != nil; i++ {
			free = extend(id, suffix+"-"+strconv.Itoa(i))
		}
		ids[f], owner[free] = free, f
		f.note(IDTaken, "%q is the id of %s; this one is %q", id, clip(first.path), free)
	}
	return ids
}

func extend(id, suffix string) string {
	return strings.TrimRight(id[:min(len(id), maxID-len(suffix))], "-") + suffix
}

// kebab makes an id of a file's name: small letters and digits, without their
// accents, and hyphens between groups of them. A name without any such letter
// gets an id from its SHA-256, which is stable and says nothing.
func kebab(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFD.String(strings.ToLower(name)) {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r):
		default:
			gap = true
		}
	}
	id := strings.TrimRight(b.String()[:min(b.Len(), maxID)], "-")
	if id == "" {
		sum := sha256.Sum256([]byte(name))
		id = "subject-" + hex.EncodeToString(sum[:4])
	}
	return id
}
