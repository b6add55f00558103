// Package model asks a model at an OpenAI-compatible endpoint what package assess
// wants to know of an entry. It takes an answer apart and no more: whether the
// entry bears it out is for the evidence check of package assess.
package model

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/dpg-registry/dpg-registry/internal/assess"
)

// Bounds that no setting lifts.
const (
	MaxAnswerBytes  = 1 << 20 // of one response, after decompression
	MaxAnswerTokens = 4000    // asked of the endpoint for one answer
	MaxRetryAfter   = time.Minute
	firstPause      = time.Second // before the second try; doubled for each more
)

// Config says whom to ask, and how much.
type Config struct {
	URL         string        // base URL, such as "https://api.example.org/v1"; see CheckURL
	Model       string        // as the endpoint calls it
	Key         string        // sent as a bearer token; "" sends none
	TimeOut     time.Duration // of one try; 0 is a minute
	Tries       int           // of one question, the first included; 0 is 4
	MaxRequests int           // of one run, tries again included; 0 is no limit
	MaxTokens   int           // of one run, asked and answered; 0 is no limit
	// Pause waits between tries, or returns the context's error; nil waits by the clock.
	Pause func(context.Context, time.Duration) error
}

// A Client asks one model. It may be used by several goroutines.
type Client struct {
	conf   Config
	api    *openai.Client
	budget *budget
}

// New makes a client; it sends nothing. The error is about the configuration and
// never holds the key.
func New(conf Config) (*Client, error) {
	if err := CheckURL(conf.URL); err != nil {
		return nil, err
	}
	if err := assess.CheckModelName(conf.Model); err != nil {
		return nil, err
	}
	if strings.ContainsFunc(conf.Key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the model's key holds a space or a character that no key has")
	}
	if conf.TimeOut <= 0 {
		conf.TimeOut = time.Minute
	}
	if conf.Tries <= 0 {
		conf.Tries = 4
	}
	if conf.Pause == nil {
		conf.Pause = pause
	}
	api := openai.DefaultConfig(conf.Key)
	api.BaseURL = strings.TrimRight(conf.URL, "/")
	api.HTTPClient = &http.Client{
		Transport: bounded{http.DefaultTransport},
		// A redirect would take the key and the entry to where nobody sent them.
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
	}
	return &Client{conf, openai.NewClientWithConfig(api), newBudget(conf.MaxRequests, conf.MaxTokens)}, nil
}

// CheckURL says what is wrong with the base URL of an endpoint: it must be https,
// or http on this machine, where local models listen.
func CheckURL(base string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Host == "":
		return errors.New("the model's URL is not one such as https://api.example.org/v1 or http://127.0.0.1:11434/v1")
	case u.User != nil:
		return errors.New("the model's URL holds a name or a password; the key has a place of its own")
	case u.RawQuery != "" || u.Fragment != "":
		return errors.New("the model's URL has a query or a fragment; give the base, such as https://api.example.org/v1")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return fmt.Errorf("the model's URL is http on host %q: all could read the key; use https, or http on 127.0.0.1, ::1 or localhost", u.Hostname())
	}
	return fmt.Errorf("the model's URL has scheme %q, not https", u.Scheme)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

var (
	errRedirect = errors.New("the endpoint redirects, and a redirect is not followed; give the URL that it leads to")
	errTooLarge = fmt.Errorf("the answer is over %d bytes", MaxAnswerBytes)
)

// ErrBudget says that a limit of the run is reached: the question was not asked.
var ErrBudget = errors.New("the limit on requests or tokens of this run is reached")

// A Failure is why there is no answer.
type Failure struct {
	Kind string // one of assess.Failures
	// Final says that every other question would fare the same: the key, the model
	// or the address is wrong.
	Final bool
	Err   error
}

func (f *Failure) Error() string { return f.Kind + ": " + f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// Ask puts a question, again where that may help, and takes the answer apart. The
// error is a *Failure, ErrBudget, or the context's.
func (c *Client) Ask(ctx context.Context, q *assess.Question) (*assess.Answer, error) {
	for try := 1; ; try++ {
		a, wait, err := c.once(ctx, q)
		var failed *Failure
		switch {
		case err == nil:
			return a, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !errors.As(err, &failed) || wait < 0 || try == c.conf.Tries:
			return nil, err
		}
		if wait == 0 {
			wait = min(firstPause<<(try-1), MaxRetryAfter)
		}
		if wait > MaxRetryAfter {
			failed.Err = fmt.Errorf("%w; it asks to wait %s, and a run waits %s at most", failed.Err, wait, MaxRetryAfter)
			return nil, failed
		}
		if err := c.conf.Pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// never, in place of a time to wait, says that trying again does not help.
const never = time.Duration(-1)

// once tries once. wait is how long to wait before the next try: 0 is as usual.
func (c *Client) once(ctx context.Context, q *assess.Question) (a *assess.Answer, wait time.Duration, err error) {
	settle, err := c.budget.take(Tokens(q))
	if err != nil {
		return nil, never, err
	}
	try, cancel := context.WithTimeout(ctx, c.conf.TimeOut)
	defer cancel()
	resp, err := c.api.CreateChatCompletion(try, openai.ChatCompletionRequest{
		Model:               c.conf.Model,
		MaxCompletionTokens: MaxAnswerTokens,
		Messages: []openai.ChatCompletionMessage{
			{Role: openai.ChatMessageRoleSystem, Content: q.Rules},
			{Role: openai.ChatMessageRoleUser, Content: q.Entry},
		},
		ResponseFormat: &openai.ChatCompletionResponseFormat{
			Type: openai.ChatCompletionResponseFormatTypeJSONSchema,
			JSONSchema: &openai.ChatCompletionResponseFormatJSONSchema{
				Name: "assessment", Strict: true, Schema: json.RawMessage(q.Schema),
			},
		},
	})
	if err != nil {
		failed, wait := c.failure(err, try, resp.Header())
		return nil, wait, failed
	}
	if used := resp.Usage.TotalTokens; used > 0 {
		settle(min(used, 1_000_000)) // whatever it says
	}
	fail := func(kind, format string, args ...any) (*assess.Answer, time.Duration, error) {
		return nil, never, &Failure{Kind: kind, Err: fmt.Errorf(format, args...)}
	}
	if len(resp.Choices) == 0 {
		return fail(assess.FailedNotAsAsked, "the answer holds no choice")
	}
	switch choice := resp.Choices[0]; {
	case choice.Message.Refusal != "":
		return fail(assess.FailedRefused, "the model refuses: %q", short(choice.Message.Refusal))
	case choice.FinishReason == openai.FinishReasonContentFilter:
		return fail(assess.FailedRefused, "a filter of the endpoint stopped the answer")
	case choice.FinishReason == openai.FinishReasonLength:
		return fail(assess.FailedCutOff, "the answer is longer than %d tokens", MaxAnswerTokens)
	default:
		a, err := parse(choice.Message.Content)
		if err != nil {
			return fail(assess.FailedNotAsAsked, "%w", err)
		}
		a.Name, a.Prompt, a.Key = c.conf.Model, assess.PromptVersion, q.Key(c.conf.Model)
		return a, 0, nil
	}
}

// failure sorts out what went wrong with a request.
func (c *Client) failure(err error, try context.Context, header http.Header) (*Failure, time.Duration) {
	status := 0
	var api *openai.APIError
	var request *openai.RequestError
	switch {
	case errors.As(err, &api):
		status, err = api.HTTPStatusCode, fmt.Errorf("the endpoint says %q", c.clean(api.Message))
	case errors.As(err, &request):
		status, err = request.HTTPStatusCode, fmt.Errorf("the endpoint says %q", c.clean(string(request.Body)))
	}
	if status != 0 {
		err = fmt.Errorf("status %d: %w", status, err)
	}
	var syntax *json.SyntaxError
	var shape *json.UnmarshalTypeError
	switch {
	case errors.Is(err, errTooLarge):
		return &Failure{Kind: assess.FailedTooLarge, Err: errTooLarge}, never
	case errors.Is(err, errRedirect):
		return &Failure{Kind: assess.FailedNotAccepted, Final: true, Err: errRedirect}, never
	case errors.Is(try.Err(), context.DeadlineExceeded):
		return &Failure{Kind: assess.FailedTimeOut, Err: fmt.Errorf("no whole answer within %s", c.conf.TimeOut)}, 0
	case status == http.StatusTooManyRequests:
		return &Failure{Kind: assess.FailedRateLimit, Err: err}, retryAfter(header)
	case status >= 500 || status == http.StatusRequestTimeout || status == http.StatusConflict:
		return &Failure{Kind: assess.FailedEndpoint, Err: err}, retryAfter(header)
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound, status == http.StatusPaymentRequired:
		return &Failure{Kind: assess.FailedNotAccepted, Final: true, Err: err}, never
	case status >= 400:
		return &Failure{Kind: assess.FailedNotAccepted, Err: err}, never
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &Failure{Kind: assess.FailedCutOff, Err: errors.New("the connection ended in the middle of the answer")}, 0
	case status != 0, errors.As(err, &syntax), errors.As(err, &shape):
		return &Failure{Kind: assess.FailedNotAsAsked, Err: errors.New("the response is not JSON in the shape of a chat completion")}, never
	}
	return &Failure{Kind: assess.FailedEndpoint, Err: errors.New(c.clean(err.Error()))}, 0
}

// clean makes what an endpoint says fit for a log: short, and without the key,
// which some repeat.
func (c *Client) clean(s string) string {
	if c.conf.Key != "" {
		s = strings.ReplaceAll(s, c.conf.Key, "(key)")
	}
	return short(s)
}

func short(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if r := []rune(s); len(r) > 200 {
		return string(r[:200]) + " ..."
	}
	return s
}

// retryAfter reads how long the endpoint asks to wait: seconds, or a date that is
// measured from the endpoint's own.
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.ParseFloat(v, 64); err == nil && n >= 0 {
		return time.Duration(min(n, 1e6) * float64(time.Second))
	}
	at, err1 := http.ParseTime(v)
	now, err2 := http.ParseTime(h.Get("Date"))
	if err1 == nil && err2 == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// bounded is a transport whose responses end with an error once they are too large.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		resp.Body = &limited{resp.Body, MaxAnswerBytes}
	}
	return resp, err
}

type limited struct {
	io.ReadCloser
	left int
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		var one [1]byte
		if n, err := l.ReadCloser.Read(one[:]); n == 0 {
			return 0, err
		}
		return 0, errTooLarge
	}
	n, err := l.ReadCloser.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}
