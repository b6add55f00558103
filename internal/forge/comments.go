package forge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

const commentFile = "comment.yaml"

// A commentRecord is comment.yaml.
type commentRecord struct {
	Author author `yaml:"author"`
}

func commentDir(number int, id int64) string {
	return path.Join(pullDir(number), commentsDir, strconv.FormatInt(id, 10))
}

// Comments reads the folders in pulls/NUMBER/comments.
func (l *Local) Comments(ctx context.Context, number int) ([]Comment, error) {
	leave, err := l.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := l.exists(number); err != nil {
		return nil, err
	}
	return l.comments(ctx, number)
}

func (l *Local) comments(ctx context.Context, number int) ([]Comment, error) {
	ids, err := l.numbered(path.Join(pullDir(number), commentsDir))
	if err != nil {
		return nil, err
	}
	var list []Comment
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c, err := l.comment(number, int64(id))
		if errors.Is(err, ErrNotFound) { // its writing was cut short, or is under way
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

func (l *Local) comment(number int, id int64) (Comment, error) {
	dir := commentDir(number, id)
	var r commentRecord
	if err := l.readYAML(path.Join(dir, commentFile), &r); errors.Is(err, fs.ErrNotExist) {
		return Comment{}, fmt.Errorf("comment %d on pull request %d: %w", id, number, ErrNotFound)
	} else if err != nil {
		return Comment{}, err
	}
	body, err := l.read(path.Join(dir, bodyFile), maxText)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Comment{}, err
	}
	u := r.Author.user()
	return Comment{ID: id, Author: u, Own: u == l.user, Body: string(body)}, nil
}

// exists says so if there is no such pull request or issue.
func (l *Local) exists(number int) error {
	for _, name := range []string{pullFile, issueFile} {
		if _, err := l.root.Stat(path.Join(pullDir(number), name)); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fmt.Errorf("pull request or issue %d: %w", number, ErrNotFound)
}

// Comment makes pulls/NUMBER/comments/ID.
func (l *Local) Comment(ctx context.Context, number int, body string) (Comment, error) {
	leave, err := l.enter(ctx)
	if err != nil {
		return Comment{}, err
	}
	defer leave()
	if err := l.exists(number); err != nil {
		return Comment{}, err
	}
	return l.say(number, body)
}

func (l *Local) say(number int, body string) (Comment, error) {
	if err := CheckComment(body); err != nil {
		return Comment{}, err
	}
	id, err := l.next(path.Join(pullDir(number), commentsDir), commentFile)
	if err != nil {
		return Comment{}, err
	}
	dir := commentDir(number, int64(id))
	// comment.yaml comes last: without it there is no comment.
	if err := l.write(dir, file{bodyFile, []byte(body)}); err != nil {
		return Comment{}, err
	}
	if err := l.writeYAML(dir, commentFile, commentRecord{authorOf(l.user)}); err != nil {
		return Comment{}, err
	}
	return Comment{ID: int64(id), Author: l.user, Own: true, Body: body}, nil
}

// sayOnce adds a comment unless a run that was cut short has added it already.
func (l *Local) sayOnce(ctx context.Context, number int, body string) error {
	said, err := l.comments(ctx, number)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(said, func(c Comment) bool { return c.Own && c.Body == body }) {
		return nil
	}
	_, err = l.say(number, body)
	return err
}

// EditComment rewrites the body.
func (l *Local) EditComment(ctx context.Context, number int, id int64, body string) error {
	if err := CheckComment(body); err != nil {
		return err
	}
	leave, err := l.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if _, err := l.comment(number, id); err != nil {
		return err
	}
	return l.write(commentDir(number, id), file{bodyFile, []byte(body)})
}

// CheckComment says why no forge takes a comment, or nil.
func CheckComment(body string) error {
	if strings.TrimSpace(body) == "" {
		return errors.New("the comment is blank")
	}
	return checkText("comment", body, MaxBody)
}
