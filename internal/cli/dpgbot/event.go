package dpgbot

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/bot"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// maxEvent bounds the file of an event, in bytes: more than GitHub sends.
const maxEvent = 32 << 20

// pullFlags say which pull request is meant: by its number, by where its head is,
// or by what started the workflow.
type pullFlags struct {
	number     pullNumber
	sha        string
	repository string
	event      string
	outdated   bool // all whose review is
}

func (p *pullFlags) declare(flags *flag.FlagSet) {
	flags.Var(&p.number, "pr", "the pull request's `NUMBER`")
	flags.StringVar(&p.sha, "head-sha", "", "rather than its number, the `COMMIT` that its head is at now")
	flags.StringVar(&p.repository, "head-repository", "", "with --head-sha, the `OWNER/REPO` that its head is in (default the forge's own)")
	flags.StringVar(&p.event, "event", "", "take its number from the event in `FILE`, $GITHUB_EVENT_PATH")
	flags.BoolVar(&p.outdated, "outdated", false, "not one, but those open ones whose review says something else by now")
}

// check reads the event, and says what is wrong with the command line.
func (p *pullFlags) check() error {
	named := 0
	for _, is := range []bool{p.number != 0, p.sha != "", p.event != "", p.outdated} {
		if is {
			named++
		}
	}
	switch {
	case named != 1:
		return cli.Usagef("name the pull request with --pr NUMBER, or one of --head-sha COMMIT, --event FILE and --outdated")
	case p.repository != "" && p.sha == "":
		return cli.Usagef("--head-repository says where the commit of --head-sha is; name both")
	case p.event != "":
		return p.read()
	case p.sha != "" && forge.CheckSHA(p.sha) != nil:
		return cli.Usagef("--head-sha: %v", forge.CheckSHA(p.sha))
	}
	return nil
}

// read takes from an event what names the pull request, and nothing else. Of a
// workflow run that is the head's repository and commit: its list of pull requests
// is empty for those from forks, and the rest is what the run's author wrote.
func (p *pullFlags) read() error {
	f, err := os.Open(p.event)
	if err != nil {
		return cli.Usagef("--event %q cannot be read: %v", p.event, errors.Unwrap(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxEvent+1))
	if err != nil {
		return err
	}
	if len(data) > maxEvent {
		return fmt.Errorf("the event in %q is larger than %d bytes", p.event, maxEvent)
	}
	var e struct {
		PullRequest *struct {
			Number int `json:"number"`
		} `json:"pull_request"`
		WorkflowRun *struct {
			HeadSHA        string `json:"head_sha"`
			HeadRepository *struct {
				FullName string `json:"full_name"`
			} `json:"head_repository"`
		} `json:"workflow_run"`
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return fmt.Errorf("the event in %q is not what GitHub sends: %w", p.event, err)
	}
	switch {
	case e.WorkflowRun != nil:
		if e.WorkflowRun.HeadRepository == nil { // the fork was deleted since
			return fmt.Errorf("the event in %q names no head repository; the fork may be gone", p.event)
		}
		p.sha, p.repository = e.WorkflowRun.HeadSHA, e.WorkflowRun.HeadRepository.FullName
		if err := forge.CheckSHA(p.sha); err != nil {
			return fmt.Errorf("workflow_run.head_sha in %q: %w", p.event, err)
		}
	case e.PullRequest != nil && e.PullRequest.Number > 0:
		p.number = pullNumber(e.PullRequest.Number)
	default:
		return cli.Usagef("the event in %q names no pull request: pull_request and workflow_run events do", p.event)
	}
	return nil
}

// find returns the number; 0, and a line that says so, where there is no such pull
// request any more.
func (p *pullFlags) find(ctx context.Context, o *cli.IO, b *bot.Bot, home string) (int, error) {
	if p.number != 0 {
		return int(p.number), nil
	}
	repository := p.repository
	if repository == "" {
		repository = home
	}
	number, ok, err := b.Find(ctx, home, repository, p.sha)
	if err != nil {
		return 0, err
	}
	if !ok {
		o.Say("no open pull request from %q is at %.7s now; there is nothing to review", repository, p.sha)
		return 0, nil
	}
	return number, nil
}

// stepOutputs are what a step of a workflow hands to those after it.
type stepOutputs []string

func (s *stepOutputs) add(name string, value any) {
	*s = append(*s, name+"="+strings.NewReplacer("\r", "", "\n", "").Replace(fmt.Sprint(value))+"\n")
}

func (s *stepOutputs) pull(number int, url string) {
	s.add("pull-request-number", number)
	s.add("pull-request-url", url)
}

// write adds them to the file that --outputs names, if it names one.
func (s stepOutputs) write(name string) error {
	if name == "" {
		return nil
	}
	return appendTo(name, strings.Join(s, ""))
}

func outputsFlag(flags *flag.FlagSet) *string {
	return flags.String("outputs", "", "add the results as NAME=VALUE lines to `FILE`, such as that of $GITHUB_OUTPUT")
}
