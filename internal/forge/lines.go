package forge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
)

const linesDir = "lines"

// A lineRecord is comment.yaml of a remark on lines.
type lineRecord struct {
	Author    author `yaml:"author"`
	SHA       string `yaml:"sha"`
	Path      plain  `yaml:"path"`
	StartLine int    `yaml:"start_line"`
	EndLine   int    `yaml:"end_line"`
}

// LineComments reads the folders in pulls/NUMBER/lines.
func (l *Local) LineComments(ctx context.Context, number int) ([]LineComment, error) {
	leave, err := l.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := l.exists(number); err != nil {
		return nil, err
	}
	in := path.Join(pullDir(number), linesDir)
	ids, err := l.numbered(in)
	if err != nil {
		return nil, err
	}
	var list []LineComment
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		dir := path.Join(in, strconv.Itoa(id))
		var r lineRecord
		if err := l.readYAML(path.Join(dir, commentFile), &r); errors.Is(err, fs.ErrNotExist) { // its writing was cut short
			continue
		} else if err != nil {
			return nil, err
		}
		body, err := l.read(path.Join(dir, bodyFile), maxText)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		u := r.Author.user()
		list = append(list, LineComment{int64(id), u, u == l.user, NewLineComment{string(r.Path), r.StartLine, r.EndLine, string(body)}})
	}
	return list, nil
}

// CommentLines makes folders in pulls/NUMBER/lines.
func (l *Local) CommentLines(ctx context.Context, number int, sha string, remarks []NewLineComment) error {
	for _, c := range remarks {
		if err := c.Check(); err != nil {
			return err
		}
	}
	if err := l.hasCommit(ctx, sha); err != nil {
		return err
	}
	pr, err := l.PullRequest(ctx, number)
	if err != nil {
		return err
	}
	if pr.HeadSHA != sha {
		return fmt.Errorf("pull request %d is at %.7s by now and no longer at %.7s: %w", number, pr.HeadSHA, sha, &MovedError{pr.Head, sha, pr.HeadSHA})
	}
	leave, err := l.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	in := path.Join(pullDir(number), linesDir)
	for _, c := range remarks {
		id, err := l.next(in, commentFile)
		if err != nil {
			return err
		}
		dir := path.Join(in, strconv.Itoa(id))
		if err := l.write(dir, file{bodyFile, []byte(c.Body)}); err != nil {
			return err
		}
		r := lineRecord{authorOf(l.user), sha, plain(c.Path), c.StartLine, c.EndLine}
		if err := l.writeYAML(dir, commentFile, r); err != nil {
			return err
		}
	}
	return nil
}
