package dpgbot

import (
	"cmp"
	"context"
	"os"
	"strconv"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/forge/github"
)

// environment is what the bot takes from it to work at GitHub. Secrets come from
// there only: a command line can be read by anybody on the machine.
const environment = `
At GitHub the bot takes its token from GITHUB_TOKEN or GH_TOKEN. To act as a GitHub
App, set DPG_APP_ID, and DPG_APP_KEY to the private key or DPG_APP_KEY_FILE to the
file that holds it. A server of your own is named by GITHUB_API_URL and
GITHUB_SERVER_URL, as in a workflow.`

// openGitHub opens OWNER/REPO with what the environment says.
func openGitHub(ctx context.Context, o *cli.IO, repository, cache string, push bool) (*github.Forge, error) {
	owner, name, ok := strings.Cut(repository, "/")
	if !ok || strings.Contains(name, "/") {
		return nil, cli.Usagef("--forge github:%s: name the repository as github:OWNER/REPO", repository)
	}
	opt := github.Options{
		Owner: owner, Name: name, Cache: cache, Push: push,
		API: os.Getenv("GITHUB_API_URL"), Server: os.Getenv("GITHUB_SERVER_URL"),
		Now: cli.Now, Log: o.Say,
	}
	if id := os.Getenv("DPG_APP_ID"); id != "" {
		app, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return nil, cli.Usagef("DPG_APP_ID is %q; it is the number on the app's page", id)
		}
		key := []byte(os.Getenv("DPG_APP_KEY"))
		if file := os.Getenv("DPG_APP_KEY_FILE"); len(key) == 0 && file != "" {
			if key, err = os.ReadFile(file); err != nil {
				return nil, err
			}
		}
		if len(key) == 0 {
			return nil, cli.Usagef("DPG_APP_ID is set without a key; set DPG_APP_KEY or DPG_APP_KEY_FILE")
		}
		if err := github.AsApp(ctx, &opt, app, key); err != nil {
			return nil, err
		}
		return github.Open(opt)
	}
	token := cmp.Or(os.Getenv("GITHUB_TOKEN"), os.Getenv("GH_TOKEN"))
	opt.Tokens = github.StaticToken(token)
	// The token of a workflow run may not ask who it is. One of a person's own, given
	// to a workflow as another secret, is marked by DPG_TOKEN_OWNER.
	if login := os.Getenv("DPG_TOKEN_OWNER"); login != "" {
		opt.Login = login
	} else if os.Getenv("GITHUB_ACTIONS") == "true" {
		opt.Login, opt.UserID = github.Workflow()
	}
	if token == "" && opt.Login == "" {
		opt.Login = "nobody" // reads what anybody may read, and owns nothing
	}
	return github.Open(opt)
}
