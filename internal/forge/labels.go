package forge

import (
	"context"
	"errors"
	"slices"
)

// AddLabels rewrites the file that holds the labels, unless they are there.
func (l *Local) AddLabels(ctx context.Context, number int, labels []string) error {
	add, err := CheckLabels(labels)
	if err != nil {
		return err
	}
	return l.relabel(ctx, number, func(had []string) []string { return append(had, add...) })
}

// RemoveLabel rewrites the file that holds the labels, if it is there.
func (l *Local) RemoveLabel(ctx context.Context, number int, label string) error {
	return l.relabel(ctx, number, func(had []string) []string {
		return slices.DeleteFunc(had, func(h string) bool { return h == label })
	})
}

func (l *Local) relabel(ctx context.Context, number int, change func(had []string) []string) error {
	leave, err := l.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	// settled works out the new labels; ok is false where they are those that it had.
	settled := func(had []plain) (now []plain, ok bool, err error) {
		labels, err := CheckLabels(change(texts[string](had)))
		now = texts[plain](labels)
		return now, !slices.Equal(now, had), err
	}
	i, err := l.issueRecord(number)
	if err == nil {
		now, ok, err := settled(i.Labels)
		if err != nil || !ok {
			return err
		}
		i.Labels = now
		return l.writeYAML(pullDir(number), issueFile, i)
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	repo, err := l.Git(ctx)
	if err != nil {
		return err
	}
	r, err := l.load(ctx, repo, number)
	if err != nil {
		return err
	}
	now, ok, err := settled(r.Labels)
	if err != nil || !ok {
		return err
	}
	r.Labels = now
	return l.writeYAML(pullDir(number), pullFile, r)
}
