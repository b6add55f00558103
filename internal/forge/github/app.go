package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"
)

// AsApp makes opt act as a GitHub App that is installed on the repository: with
// tokens of an hour that are renewed by themselves, and the app's own name. key is
// the app's private key, PEM.
func AsApp(ctx context.Context, opt *Options, app int64, key []byte) error {
	api, err := address(cmp.Or(opt.API, "https://api.github.com/"))
	if err != nil {
		return fmt.Errorf("address of the API: %w", err)
	}
	bearer, err := ghinstallation.NewAppsTransport(&oneHost{opt.transport(), api.Host}, app, key)
	if err != nil {
		return errors.New("the app's private key cannot be read; it is the PEM file that GitHub gave when it was made") // the cause may quote the key
	}
	bearer.BaseURL = strings.TrimSuffix(api.String(), "/")
	asApp := github.NewClient(&http.Client{Transport: bearer, Timeout: cmp.Or(opt.Timeout, 30*time.Second)})
	asApp.BaseURL = api
	at, _, err := asApp.Apps.FindRepositoryInstallation(ctx, opt.Owner, opt.Name)
	if status(err) == http.StatusNotFound {
		return &SetupError{fmt.Sprintf("app %d is not installed on %s/%s", app, opt.Owner, opt.Name), "install it from the app's page, \"Install App\"", err}
	}
	if err != nil {
		return fmt.Errorf("app %d: %w", app, explain(err))
	}
	tokens := ghinstallation.NewFromAppsTransport(bearer, at.GetID())
	tokens.BaseURL = bearer.BaseURL
	// A token that leaks is good for this repository only.
	tokens.InstallationTokenOptions = &github.InstallationTokenOptions{Repositories: []string{opt.Name}}
	opt.Tokens, opt.Login = tokens, at.GetAppSlug()+"[bot]"
	return nil
}
