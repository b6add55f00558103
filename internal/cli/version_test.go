package cli

import (
	"runtime/debug"
	"testing"
)

func TestVersionOf(t *testing.T) {
	const sha = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"
	commit := debug.BuildSetting{Key: "vcs.revision", Value: sha}
	dirty := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	clean := debug.BuildSetting{Key: "vcs.modified", Value: "false"}
	for _, tt := range []struct {
		name, version string
		settings      []debug.BuildSetting
		want          string
	}{
		{"go install", "v0.3.0", nil, "v0.3.0"},
		{"go build at a tag", "v0.3.0", []debug.BuildSetting{commit, clean}, "v0.3.0 (commit " + sha + ")"},
		{"go build with changes", "v0.3.1-0.20260115120000-9f86d0818846+dirty", []debug.BuildSetting{commit, dirty}, "v0.3.1-0.20260115120000-9f86d0818846+dirty (commit " + sha + " with changes)"},
		{"an older go build", "(devel)", []debug.BuildSetting{commit, clean}, "commit " + sha},
		{"outside Git", "(devel)", nil, "built from source"},
		{"a test", "", nil, "built from source"},
	} {
		info := &debug.BuildInfo{Main: debug.Module{Version: tt.version}, Settings: tt.settings}
		if got := versionOf(info); got != tt.want {
			t.Errorf("%s: versionOf = %q, want %q", tt.name, got, tt.want)
		}
	}
}
