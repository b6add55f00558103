package lint

import (
	"cmp"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/typo"
)

var link = &Rule{
	ID:       "link",
	Severity: diag.Error,
	Summary:  "every link can be followed by anybody",
	Doc: `A link is the whole address of one public page, with "https://" in front. Addresses without a host, several in
one value, those of one's own machine or network, those that hold a password and those that a browser would run
instead of open are not links. In "evidence", only what looks like a link is judged: words are welcome there.
Whether the page is there is another question, which needs the network.`,
	Check: func(p *Pass) {
		for _, l := range linksOf(p) {
			if plainLink(l.text) {
				continue
			}
			if f := faultOf(l.text); f != nil {
				d := p.ReportWithinf(l.pointer, l.front, len(l.text), f.hint, "%s", f.message)
				d.Edits = p.edits.of(func() []diag.Edit {
					if right := repairLink(l.text); right != "" {
						return p.Doc.Source.Rewrite(l.pointer, right)
					}
					return nil
				})
			}
		}
	},
}

// plainLink knows most links at a glance, without a pattern: a scheme, a host of
// letters with a dot in it, and a path without anything odd. What it does not know
// may be a link all the same.
func plainLink(s string) bool {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		if rest, ok = strings.CutPrefix(s, "http://"); !ok {
			return false
		}
	}
	host, path, _ := strings.Cut(rest, "/")
	name, last, dotted := cutLast(host, '.')
	if !dotted || len(last) < 2 || len(host) > 100 || strings.Contains(path, "http") || strings.Contains(path, "://") {
		return false
	}
	for i := range len(last) {
		if last[i] < 'a' || last[i] > 'z' {
			return false
		}
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
				return false
			}
		}
	}
	switch last {
	case "local", "localhost", "localdomain", "internal", "intranet", "lan", "home", "corp", "invalid", "test", "arpa", "onion":
		return false // for faultOf to judge
	}
	for i := range len(path) {
		if c := path[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte("-._~/?#=&+", c) < 0 {
			return false
		}
	}
	return true
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// A foundLink is a value that should be a link, trimmed.
type foundLink struct {
	pointer string
	text    string
	front   int // bytes that were trimmed in front
}

// linksOf lists the values of fields that hold links, and the items of evidence
// that look like one.
func linksOf(p *Pass) []foundLink {
	var all []foundLink
	for _, s := range p.Strings {
		text, front := trim(s.Text)
		switch s.Field {
		case "url", "website", "contact_url":
		case "evidence":
			if !likeLink(text) || strings.ContainsFunc(text, unicode.IsSpace) {
				continue
			}
		default:
			continue
		}
		if text != "" {
			all = append(all, foundLink{s.Pointer, text, front})
		}
	}
	return all
}

// likeLink reports whether words begin as a link does, or nearly does.
func likeLink(s string) bool {
	if s == "" || s[0] < utf8.RuneSelf && strings.IndexByte("HWFJDGShwfjdgs", s[0]) < 0 { // saves the pattern
		return false
	}
	return linkLike.MatchString(s)
}

var linkLike = regexp.MustCompile(`(?i)^(?:https?[:/;：]|www\.[^.]|ftp://|javascript:|data:|file:|git@|ssh://|git://)`)

// A fault is why a value cannot be a link.
type fault struct{ message, hint string }

const wholeAddress = "write the whole address of a public page, or leave the key out"

var (
	schemeOf    = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*):`)
	anyHTTP     = regexp.MustCompile(`(?i)https?://`)
	wordsBefore = regexp.MustCompile(`(?i)^[^/?#]*[\s,;|):]https?://`)
	doubled     = regexp.MustCompile(`(?i)^(?:https?:/{1,2})+(https?://)`)
	nextLink    = regexp.MustCompile(`(?i)[\s,;|)]https?://|.{4}[a-z0-9]https?://`)
	lastLink    = regexp.MustCompile(`(?i)https?://\S+$`)
	slips       = regexp.MustCompile(`(?i)^(https?)(?:;//|:/|//|:\\\\|://|:///|/:|:)([^/\\:;].*)$`)
	gitAddress  = regexp.MustCompile(`(?i)^(?:ssh://)?git@([^:/@]+)[:/]+(.+?)(?:\.git)?/?$`)
	gitScheme   = regexp.MustCompile(`(?i)^(?:git|ssh|git\+https|git\+ssh)://(?:git@)?([^/@]+)/(.+?)(?:\.git)?/?$`)
	hostShape   = regexp.MustCompile(`^[\p{L}\p{N}\p{M}_]([\p{L}\p{N}\p{M}_-]*[\p{L}\p{N}\p{M}_])?$`)
	numericHost = regexp.MustCompile(`(?i)^(?:0x[0-9a-f]+|[0-9]+)(?:\.(?:0x[0-9a-f]+|[0-9]+))*$`)
)

// faultOf judges a trimmed, non-blank value; nil is a link, or an address that
// rule "personal-contact" speaks of.
func faultOf(s string) *fault {
	switch {
	case strings.ContainsAny(s, "：／．"):
		fixed := strings.NewReplacer("：", ":", "／", "/", "．", ".").Replace(s)
		hint := rewrite(fixed)
		if f := faultOf(fixed); f != nil {
			hint = f.hint
		}
		return &fault{quote(s) + " holds full-width characters, which no link has", hint}
	case doubled.MatchString(s):
		return &fault{quote(s) + " begins with a scheme twice", rewrite(doubled.ReplaceAllString(s, "$1"))}
	case wordsBefore.MatchString(s) && len(anyHTTP.FindAllString(s, 2)) == 1:
		hint := wholeAddress
		if fixed := rewrite(lastLink.FindString(s)); fixed != "" {
			hint = fixed
		}
		return &fault{quote(s) + " holds words beside the link", hint}
	case nextLink.MatchString(s):
		return &fault{quote(s) + " holds more than one link", "keep one; others may stand in a list, such as evidence or sources"}
	}
	scheme := ""
	if m := schemeOf.FindStringSubmatch(s); m != nil && !strings.Contains(m[1], ".") && !strings.EqualFold(m[1], "localhost") {
		scheme = strings.ToLower(m[1])
	}
	switch scheme {
	case "http", "https":
		if at := strings.IndexFunc(s, notInLink); at >= 0 {
			return &fault{quote(s) + " holds white space or a sign that no link has", "end the link before it, or copy the address from a browser"}
		}
		if !strings.HasPrefix(s[len(scheme):], "://") || strings.HasPrefix(s[len(scheme):], ":///") {
			return &fault{quote(s) + " names no host", cmp.Or(rewriteSlip(s), wholeAddress)}
		}
		return faultOfHost(s)
	case "":
		if m := gitAddress.FindStringSubmatch(s); m != nil {
			return &fault{quote(s) + " is an address for Git, not for a browser", rewrite("https://" + m[1] + "/" + m[2])}
		}
		if eMail.MatchString(s) {
			return nil
		}
		if fixed := cmp.Or(rewriteSlip(s), rewrite("https://"+strings.TrimLeft(s, "/:"))); fixed != "" {
			return &fault{quote(s) + ` does not begin with "https://"`, fixed}
		}
		return &fault{quote(s) + " is not a link", wholeAddress}
	case "mailto", "tel", "sms":
		return nil
	case "git", "ssh", "git+https", "git+ssh":
		hint := wholeAddress
		if m := gitScheme.FindStringSubmatch(s); m != nil {
			hint = rewrite("https://" + m[1] + "/" + m[2])
		}
		return &fault{quote(s) + " is an address for Git, not for a browser", hint}
	case "javascript", "vbscript", "data", "file", "blob", "about", "view-source":
		return &fault{quote(s) + " is not the address of a public page", wholeAddress}
	}
	hint := wholeAddress
	for _, right := range []string{"https", "http"} {
		rest := s[len(scheme):]
		if strings.HasPrefix(rest, "://") && typo.Distance([]rune(scheme), []rune(right), 1) == 1 {
			hint = rewrite("https" + rest)
			break
		}
	}
	return &fault{quote(s) + " begins with " + quote(scheme+":") + ", where only https is a link", hint}
}

func notInLink(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune("<>\"\\`{}|^", r) || r == '\u200b' || r == '\ufeff'
}

// rewrite is the hint that gives a corrected link, or "" where that is none.
func rewrite(fixed string) string {
	if strings.Contains(fixed, "://") && faultOf(fixed) == nil {
		return "write " + quote(fixed)
	}
	return ""
}

// rewriteSlip corrects what went wrong between "https" and the host.
func rewriteSlip(s string) string {
	if m := slips.FindStringSubmatch(s); m != nil {
		return rewrite(strings.ToLower(m[1]) + "://" + strings.TrimLeft(m[2], "/"))
	}
	return ""
}

// faultOfHost judges what a browser would be sent to.
func faultOfHost(s string) *fault {
	u, err := url.Parse(s)
	if err != nil {
		return &fault{quote(s) + " is not written like a link", "copy the address from a browser"}
	}
	if u.User != nil {
		u.User = nil // not repeated in the message: it may be a password
		return &fault{`the link holds a user name or a password in front of "@"`, rewrite(u.String())}
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	_, err = netip.ParseAddr(host)
	switch {
	case host == "":
		return &fault{quote(s) + " names no host", wholeAddress}
	case err == nil, numericHost.MatchString(host):
		return &fault{quote(s) + " names a machine by its number", "write the name of a public site"}
	case host == "localhost", private(host):
		return &fault{quote(s) + " leads to one's own machine or network", "write the name of a public site"}
	}
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if !hostShape.MatchString(l) || len(l) > 63 {
			return &fault{quote(s) + " names host " + quote(host) + ", which cannot be one", "copy the address from a browser"}
		}
	}
	if len(labels) < 2 {
		return &fault{quote(s) + " leads to " + quote(host) + ", which is not the name of a public site", wholeAddress}
	}
	return nil
}

// private knows the domains that are set aside for networks of one's own.
func private(host string) bool {
	for _, suffix := range []string{".localhost", ".local", ".internal", ".invalid", ".test", ".lan", ".home.arpa"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}
