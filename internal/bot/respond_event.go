package bot

import (
	"encoding/json"
	"fmt"
	"slices"
)

// An Asked is what an event asks the bot to respond to.
type Asked struct {
	Number  int   // of the pull request or issue; 0 if the event asks for nothing
	Comment int64 // 0 for the issue itself
}

// ReadAsked reads an event of GitHub's, issue_comment or issues, and takes two
// numbers from it: what they stand for is read from the forge. Other events, and
// comments that were changed or deleted, ask for nothing.
func ReadAsked(event []byte) (Asked, error) {
	var e struct {
		Action string
		Issue  *struct {
			Number int
		}
		Comment *struct {
			ID int64
		}
	}
	if err := json.Unmarshal(event, &e); err != nil {
		return Asked{}, fmt.Errorf("the event is not JSON of GitHub's: %w", err)
	}
	switch {
	case e.Issue == nil || e.Issue.Number < 1:
		return Asked{}, nil
	case e.Comment != nil && e.Action == "created" && e.Comment.ID > 0:
		return Asked{e.Issue.Number, e.Comment.ID}, nil
	case e.Comment == nil && slices.Contains([]string{"opened", "edited", "reopened"}, e.Action):
		return Asked{e.Issue.Number, 0}, nil
	}
	return Asked{}, nil
}
