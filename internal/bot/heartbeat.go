package bot

import (
	"encoding/json"
	"path/filepath"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/disk"
)

// HeartbeatFile stands beside the published catalog and outside its manifest: it
// is the one file that holds a clock time, so that a bot that died is noticed.
const HeartbeatFile = "heartbeat.json"

// Heartbeat notes a finished run beside the catalog published to dir.
func Heartbeat(dir string, s *Synced, at time.Time) error {
	data, err := json.MarshalIndent(struct {
		LastRun  string `json:"last_run"`
		Commit   string `json:"source_commit"`
		Errors   int    `json:"errors"`
		Warnings int    `json:"warnings"`
		Waiting  int    `json:"assessments_waiting"`
	}{at.UTC().Format(time.RFC3339), s.Head.Commit, s.Findings.Errors, s.Findings.Warnings, s.Proposed}, "", "  ")
	if err != nil {
		return err
	}
	_, err = disk.WriteFile(filepath.Join(dir, HeartbeatFile), append(data, '\n'))
	return err
}
