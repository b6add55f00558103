package observe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/fetch"
	"github.com/dpg-registry/dpg-registry/internal/registry"
	"github.com/dpg-registry/dpg-registry/internal/spdx/sbom"
)

// dependencyType is the type of work that dependencies are judged as: whatever an
// entry is, what it is built from is software.
const dependencyType = "software"

// How much of a document's restrictions is noted.
const (
	maxRestrictions = 50  // licences
	maxNamed        = 20  // dependencies under one of them
	maxName         = 200 // bytes of a name or a licence
	maxReason       = 800 // bytes of a reason
)

// sbomAddress is where an entry keeps an SPDX document of its dependencies; ""
// where it names none.
func sbomAddress(e *entry.Entry) string {
	if e.SBOM == nil {
		return ""
	}
	return strings.TrimSpace(e.SBOM.URL)
}

// dependencies fetches the document at an address, and judges what it lists by the
// policy. What is there and is no such document is a fact; an answer that did not
// come is an error.
func (w *watcher) dependencies(ctx context.Context, address string) (registry.ObservedSBOM, error) {
	o := registry.ObservedSBOM{URL: address, AsOf: w.opt.AsOf}
	if w.policy == nil {
		return o, &limit{"there is no policy to judge dependencies by"}
	}
	if _, kept := w.policy.Licenses[dependencyType]; !kept {
		return o, &limit{fmt.Sprintf("the policy keeps no list of licences for %q, by which dependencies are judged", dependencyType)}
	}
	u, err := fetch.Parse(address)
	if err != nil {
		return o, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return o, err
	}
	req.Header.Set("Accept", "application/spdx+json, application/json;q=0.9, */*;q=0.5")
	client := *w.opt.Client // with its bounds; what did not change is not sent again
	client.Transport = &conditional{cache: w.cache, who: "sbom", next: w.opt.Client.Transport}
	res, err := client.Do(req)
	if err != nil {
		return o, err
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone, http.StatusUnauthorized, http.StatusUnavailableForLegalReasons:
		o.State = registry.StateGone
		return o, nil
	default:
		return o, fmt.Errorf("the server answers %d %s", res.StatusCode, http.StatusText(res.StatusCode))
	}
	sum := sha256.New()
	body := &failing{r: res.Body}
	all := io.TeeReader(body, sum)
	doc, err := sbom.Read(all)
	if body.err == nil {
		_, _ = io.Copy(io.Discard, all) // what stands behind the document is of its sum
	}
	switch {
	case ctx.Err() != nil:
		return o, ctx.Err()
	case body.err != nil: // whatever the reader took it for
		return o, body.err
	}
	o.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if err != nil {
		o.State, o.Fault = registry.StateUnreadable, plainWords(err.Error(), maxReason)
		return o, nil
	}
	r := sbom.Judge(doc, w.policy, dependencyType, w.opt.AsOf)
	o.State, o.JudgedAs = registry.StatePresent, dependencyType
	o.Dependencies, o.NotAccepted, o.Unknown = r.Dependencies, r.NotAccepted, r.Unknown
	for _, g := range r.Licenses {
		switch {
		case !g.Restrict:
		case len(o.Restrictions) == maxRestrictions:
			o.More++
		default:
			o.Restrictions = append(o.Restrictions, restriction(g))
		}
	}
	return o, nil
}

// restriction notes a licence with the names of what is under it. Versions are left
// out: they change with each release and restrict nobody.
func restriction(g sbom.Group) registry.ObservedRestriction {
	out := registry.ObservedRestriction{
		License: plainWords(g.License, maxName), Verdict: string(g.State), Reason: plainWords(g.Reason, maxReason), Packages: []string{},
	}
	for _, p := range g.Packages { // by name
		name := plainWords(p.Name, maxName)
		switch {
		case slices.Contains(out.Packages, name):
		case len(out.Packages) < maxNamed:
			out.Packages = append(out.Packages, name)
		default:
			out.More++
		}
	}
	return out
}

// plainWords keeps a stranger's words to one line of so many bytes, without what
// drives a terminal or a reader's eye. There is always something.
func plainWords(s string, most int) string {
	s = strings.Join(strings.Fields(diag.OneLine(strings.ToValidUTF8(s, "\ufffd"))), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	if s == "" {
		return "(blank)"
	}
	return s
}

// failing remembers why a reader came to no good end.
type failing struct {
	r   io.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

// sameSBOM reports whether two observations say the same of a document. The day,
// the bytes and how many dependencies it lists that nobody objects to are no facts
// of their own.
func sameSBOM(a, b *registry.ObservedSBOM) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.URL == b.URL && a.State == b.State && a.Fault == b.Fault && a.JudgedAs == b.JudgedAs &&
		a.NotAccepted == b.NotAccepted && a.Unknown == b.Unknown && a.More == b.More &&
		slices.EqualFunc(a.Restrictions, b.Restrictions, func(x, y registry.ObservedRestriction) bool {
			return x.License == y.License && x.Verdict == y.Verdict && x.Reason == y.Reason && x.More == y.More && slices.Equal(x.Packages, y.Packages)
		})
}
