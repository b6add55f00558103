package bot

import "testing"

func TestReadAsked(t *testing.T) {
	for _, tt := range []struct {
		name, event string
		want        Asked
		fails       bool
	}{
		{"comment", `{"action": "created", "issue": {"number": 7, "title": "$(x)"}, "comment": {"id": 5, "body": "/dpg fix"}}`, Asked{7, 5}, false},
		{"comment edited", `{"action": "edited", "issue": {"number": 7}, "comment": {"id": 5}}`, Asked{}, false},
		{"comment deleted", `{"action": "deleted", "issue": {"number": 7}, "comment": {"id": 5}}`, Asked{}, false},
		{"issue opened", `{"action": "opened", "issue": {"number": 7}}`, Asked{7, 0}, false},
		{"issue edited", `{"action": "edited", "issue": {"number": 7}}`, Asked{7, 0}, false},
		{"issue labelled", `{"action": "labeled", "issue": {"number": 7}}`, Asked{}, false},
		{"remark on a line", `{"action": "created", "pull_request": {"number": 7}, "comment": {"id": 5}}`, Asked{}, false},
		{"push", `{"ref": "refs/heads/main"}`, Asked{}, false},
		{"no number", `{"action": "opened", "issue": {"number": -1}}`, Asked{}, false},
		{"a list", `[]`, Asked{}, true},
		{"nothing", ``, Asked{}, true},
		{"a number that is none", `{"action": "opened", "issue": {"number": "7"}}`, Asked{}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadAsked([]byte(tt.event))
			if got != tt.want || (err != nil) != tt.fails {
				t.Errorf("ReadAsked(%q) = %+v, %v, want %+v and an error: %t", tt.event, got, err, tt.want, tt.fails)
			}
		})
	}
}
