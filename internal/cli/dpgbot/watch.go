package dpgbot

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/bot"
	"github.com/dpg-registry/dpg-registry/internal/cli"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/propose"
	"github.com/dpg-registry/dpg-registry/internal/watch"
)

var watchCommand = cli.Command{
	Name:    "watch",
	Summary: "follow one or many repositories, reviewing and syncing as things happen",
	Help: `
Runs until it is stopped. It looks at each repository when it starts and then every
--poll: it syncs the default branch when that moved, or a day went by, and reviews
each open pull request that changed or lacks its check, and where the default branch
got another policy, other frameworks or settings, or the same entry, those that it
had reviewed before. With --listen it also hears
of what happens at once, by web hook. It keeps no state: stopped, killed or moved to
another machine, it finds out what is left to do. Repositories are worked on side by
side, the events of one in their order.

For the web hook, give GitHub the address http://HOST:PORT/hook behind a proxy with
TLS, the content type application/json, the events "Pull requests", "Pushes",
"Issues", "Issue comments", "Check runs" and "Workflow runs", and a secret of 16
characters or more that DPG_WEBHOOK_SECRET, or the file DPG_WEBHOOK_SECRET_FILE,
holds here too. What is not signed with it is refused. /healthz, /readyz and, for
Prometheus, /metrics answer at the same address.

The log goes to standard error as one JSON object a line. On an interrupt it ends
what it is at, for --grace at most.
` + environment,
	Examples: []string{
		"dpgbot watch --forge github:OWNER/REPO",
		"dpgbot watch --forge github:OWNER/ONE --forge github:OWNER/TWO --listen :8080",
		"dpgbot watch --forge ./forge --poll 10s --publish ./public",
	},
	Setup: func(flags *flag.FlagSet) func(context.Context, *cli.IO, []string) error {
		var r watching
		flags.Func("forge", "follow this `FORGE`, as for dpgbot review; may be given again for more", func(s string) error {
			if s == "" {
				return errors.New("it is blank")
			}
			r.forges = append(r.forges, s)
			return nil
		})
		flags.StringVar(&r.folder, "registry", "registry", "the registry's `DIR` within the repositories")
		flags.StringVar(&r.cache, "git-cache", "", "keep Git objects from GitHub in `DIR` between runs (default in memory)")
		flags.BoolVar(&r.push, "push", false, "make commits here and push them, rather than through GitHub's API, which signs them")
		flags.StringVar(&r.publish, "publish", "", "write the catalog to `DIR` after each sync; for one forge")
		flags.StringVar(&r.listen, "listen", "", "hear web hooks at `HOST:PORT`, such as :8080 (default not at all)")
		flags.DurationVar(&r.poll, "poll", 5*time.Minute, "look at each repository every `TIME`, at least 1s")
		flags.DurationVar(&r.grace, "grace", 30*time.Second, "wait this `TIME` for what it is at when it is stopped")
		return func(ctx context.Context, o *cli.IO, args []string) error {
			if len(args) > 0 {
				return cli.Usagef("watch takes no arguments; name repositories with --forge")
			}
			return r.run(ctx, o)
		}
	},
}

type watching struct {
	forges                         []string
	folder, cache, publish, listen string
	push                           bool
	poll, grace                    time.Duration
}

func (r *watching) run(ctx context.Context, o *cli.IO) error {
	switch {
	case len(r.forges) == 0:
		return cli.Usagef("name what to follow with --forge github:OWNER/REPO or --forge DIR")
	case len(r.forges) > 1 && r.publish != "":
		return cli.Usagef("--publish is for one --forge: the catalogs of several would overwrite each other")
	case r.poll < time.Second:
		return cli.Usagef("--poll %s is too often; at least 1s", r.poll)
	case r.grace <= 0:
		return cli.Usagef("--grace %s is no time", r.grace)
	}
	secret, err := hookSecret()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(o.Err, nil))
	opt := watch.Options{Poll: r.poll, Grace: r.grace, Secret: secret, Log: log, Now: cli.Now}
	var repos []watch.Repository
	for _, name := range r.forges {
		repo, err := r.repository(ctx, o, log, name)
		if err != nil {
			return err
		}
		repos = append(repos, repo)
	}
	w, err := watch.New(opt, repos...)
	if err != nil {
		return cli.Usagef("%v", err)
	}
	var at net.Listener
	if r.listen != "" {
		if at, err = net.Listen("tcp", r.listen); err != nil {
			return cli.Usagef("--listen %q: %v", r.listen, err)
		}
		log.Info("listening", "address", at.Addr().String(), "hooks", len(secret) > 0)
		if len(secret) == 0 {
			log.Warn("web hooks are refused: set DPG_WEBHOOK_SECRET or DPG_WEBHOOK_SECRET_FILE")
		}
	}
	log.Info("watching", "repositories", len(repos), "poll", r.poll.String())
	err = w.Run(ctx, at)
	log.Info("stopped")
	return err
}

// hookSecret comes from the environment only, as tokens do.
func hookSecret() ([]byte, error) {
	secret := os.Getenv("DPG_WEBHOOK_SECRET")
	if file := os.Getenv("DPG_WEBHOOK_SECRET_FILE"); secret == "" && file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("DPG_WEBHOOK_SECRET_FILE: %w", err)
		}
		secret = strings.TrimRight(string(data), "\r\n")
	}
	if secret != "" && len(secret) < watch.MinSecret {
		return nil, cli.Usagef("the web hook's secret has %d characters; make one of at least %d", len(secret), watch.MinSecret)
	}
	return []byte(secret), nil
}

// repository opens a forge and says what following it is.
func (r *watching) repository(ctx context.Context, o *cli.IO, log *slog.Logger, name string) (watch.Repository, error) {
	// What is told along the way goes to the log, one line of JSON as the rest.
	say := *o
	plain := strings.TrimPrefix(name, "github:")
	say.Err, say.Terminal = &logWriter{log.With("repository", plain)}, false
	b := botFlags{forge: name, folder: r.folder, cache: r.cache, push: r.push}
	first, err := b.open(ctx, &say)
	if err != nil {
		return watch.Repository{}, err
	}
	if err := checkPublish(name, r.publish); err != nil {
		return watch.Repository{}, err
	}
	first.Lookup = propose.Asker{}.Facts
	// Dated rules judge as of the day that the work is done.
	today := func() *bot.Bot {
		b := *first
		b.AsOf = cli.Today()
		return &b
	}
	return watch.Repository{
		Name: plain, Forge: first.Forge,
		Review: func(ctx context.Context, number int) error {
			v, err := today().Review(ctx, number)
			if v != nil {
				say.Say("pull request %d: %s", number, v.Title())
			}
			return err
		},
		Outdated: func(ctx context.Context, pulls []forge.PullRequest, had string) ([]int, string, error) {
			return today().Outdated(ctx, pulls, had)
		},
		Respond: func(ctx context.Context, number int) error {
			_, err := today().Respond(ctx, number, 0)
			return err
		},
		Sync: func(ctx context.Context) error {
			s, err := today().Sync(ctx)
			if err != nil {
				return err
			}
			say.Say("%d entries at commit %.7s: %s", s.Entries, s.Head.Commit, s.Findings)
			if r.publish == "" {
				return nil
			}
			if err := publishTo(&say, s, r.publish); !errors.Is(err, cli.ErrFound) { // people have to mend that; the log says what
				return err
			}
			return nil
		},
	}, nil
}

// A logWriter puts lines into a log.
type logWriter struct{ log *slog.Logger }

func (w *logWriter) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if text := strings.TrimSpace(string(line)); text != "" {
			w.log.Info(text)
		}
	}
	return len(p), nil
}
