package forge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// SetCheck writes checks/SHA/NAME.json.
func (l *Local) SetCheck(ctx context.Context, sha string, c Check) error {
	if err := c.Check(); err != nil {
		return err
	}
	if err := l.hasCommit(ctx, sha); err != nil {
		return err
	}
	if c.Annotations == nil {
		c.Annotations = []Annotation{}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(c); err != nil {
		return err
	}
	leave, err := l.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return l.write(path.Join(checksDir, sha), file{checkFile(c.Name), b.Bytes()})
}

// Check reads checks/SHA/NAME.json.
func (l *Local) Check(ctx context.Context, sha, name string) (c Check, ok bool, err error) {
	if err := errors.Join(CheckSHA(sha), checkCheckName(name)); err != nil {
		return Check{}, false, err
	}
	leave, err := l.enter(ctx)
	if err != nil {
		return Check{}, false, err
	}
	defer leave()
	where := path.Join(checksDir, sha, checkFile(name))
	data, err := l.read(where, maxJSON)
	if errors.Is(err, fs.ErrNotExist) {
		return Check{}, false, nil
	}
	if err != nil {
		return Check{}, false, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	err = dec.Decode(&c)
	if err == nil {
		err = c.Check()
	}
	if err == nil && c.Name != name {
		err = fmt.Errorf("name is %q; in this file it is %q", c.Name, name)
	}
	if err != nil {
		return Check{}, false, fmt.Errorf("read %s: %w", l.full(where), err)
	}
	return c, true, nil
}

// checkFile is the file of a check: "/" becomes "_", and every byte that is not a
// lower-case letter, a digit, "-" or a dot inside the name becomes %XX. No two
// names share a file, even where case does not count.
func checkFile(name string) string {
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case c == '/':
			b.WriteByte('_')
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String() + ".json"
}
