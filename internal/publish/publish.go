// Package publish puts a built catalog where people read it: a folder, a branch of a
// Git repository, or a bucket. Wherever it is, only what changed is written, each
// file whole; the manifest comes after the files that it lists, and what it lists no
// more goes after it. What is there is looked at anew each time, so that a run that
// was killed is made good by the next one. It builds nothing, and reads no secret.
package publish

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// A Target is a place that a catalog is published to.
type Target interface {
	// Publish brings what is there in line with the catalog. The error is a
	// *catalog.LostError if an id that is there would be lost; nothing is written then.
	Publish(ctx context.Context, c *catalog.Catalog) (Report, error)
	// String names it for people, without any secret.
	String() string
}

// A Report says what a publication did.
type Report struct {
	Written   []string // new or changed files
	Removed   []string // files that the catalog has no more
	Unchanged int
	Commit    string // of a branch: the commit that was made; "" where nothing changed
}

func (r Report) String() string {
	return fmt.Sprintf("%s written, %d removed, %d as they were", plural(len(r.Written), "file", "files"), len(r.Removed), r.Unchanged)
}

func sortReport(r *Report) {
	slices.Sort(r.Written)
	slices.Sort(r.Removed)
}

// Kind is the sort of a target.
type Kind string

// The kinds of target.
const (
	FolderKind Kind = "folder"
	BranchKind Kind = "branch"
	BucketKind Kind = "bucket"
)

// An Address is where to publish, as people write it.
type Address struct {
	Kind     Kind
	Folder   string // of a folder
	Branch   string // of a branch
	Bucket   string // of a bucket
	Prefix   string // of a bucket: what the names of all objects start with, such as "catalog"; "" is nothing
	Endpoint string // of a bucket: scheme and host of the server, "" is Amazon's
	Region   string // of a bucket; "" asks the server
}

// Forms are the addresses that there are, for people.
const Forms = "a folder, branch:NAME, or s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION"

// bucketName is what every store takes.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// Parse reads an address. Errors do not repeat what may hold a secret.
func Parse(to string) (Address, error) {
	if branch, ok := strings.CutPrefix(to, "branch:"); ok {
		return Address{Kind: BranchKind, Branch: branch}, forge.CheckBranch(branch)
	}
	if rest, ok := strings.CutPrefix(to, "s3:"); ok {
		return parseBucket(rest)
	}
	switch {
	case strings.TrimSpace(to) == "" || strings.ContainsRune(to, 0):
		return Address{}, fmt.Errorf("it is blank; name %s", Forms)
	case strings.Contains(to, "://"):
		return Address{}, fmt.Errorf("nothing can be published there; name %s", Forms)
	}
	return Address{Kind: FolderKind, Folder: to}, nil
}

func parseBucket(rest string) (Address, error) {
	u, err := url.Parse(rest) // what it would say may hold a secret
	if err != nil || u.Host == "" || u.Fragment != "" || u.Opaque != "" {
		return Address{}, errors.New("a bucket is named as s3://BUCKET/PREFIX")
	}
	if u.User != nil {
		return Address{}, errors.New("it holds a user name; credentials are taken from the environment only, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	a := Address{Kind: BucketKind, Bucket: u.Host, Prefix: strings.Trim(u.Path, "/")}
	if !bucketName.MatchString(a.Bucket) {
		return Address{}, fmt.Errorf("%q cannot name a bucket: 3 to 63 lower-case letters, digits, dots and hyphens can", a.Bucket)
	}
	if a.Prefix != "" && (path.Clean(a.Prefix) != a.Prefix || !plainPrefix.MatchString(a.Prefix) || len(a.Prefix) > 500 || strings.HasPrefix(a.Prefix, "..")) {
		return Address{}, fmt.Errorf("prefix %q is not a plain path, such as registry/catalog", a.Prefix)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Address{}, errors.New("what follows ? is not KEY=VALUE&KEY=VALUE")
	}
	for key, values := range query {
		if key != "endpoint" && key != "region" || len(values) != 1 {
			return Address{}, errors.New("what follows ? is endpoint and region, each once at most; credentials are taken from the environment only")
		}
	}
	a.Endpoint, a.Region = query.Get("endpoint"), query.Get("region")
	if a.Region != "" && !regionName.MatchString(a.Region) {
		return Address{}, fmt.Errorf("%q cannot name a region, such as eu-central-1", a.Region)
	}
	return a, checkEndpoint(a.Endpoint)
}

var (
	plainPrefix = regexp.MustCompile(`^[A-Za-z0-9._/-]+$`)
	regionName  = regexp.MustCompile(`^[A-Za-z0-9-]{1,60}$`)
)

// checkEndpoint says why a server cannot be asked, or nil.
func checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("the endpoint is not a server's address without more, such as https://s3.example.org")
	}
	return nil
}

// A file is one that the catalog has.
type file struct {
	name   string
	data   []byte
	sha256 string // as the manifest lists it
}

// contents gives the files of a catalog by rising name, and its manifest apart.
func contents(c *catalog.Catalog) (files []file, manifest []byte, err error) {
	if manifest, err = c.File(catalog.ManifestName); err != nil {
		return nil, nil, err
	}
	sums, err := c.Succeed(manifest) // over itself: nothing is lost
	if err != nil {
		return nil, nil, err
	}
	for _, name := range c.Names() {
		if name == catalog.ManifestName {
			continue
		}
		data, err := c.File(name)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, file{name, data, sums[name]})
	}
	return files, manifest, nil
}

// vacant says why a place without a catalog is none for one, or nil: it holds files
// of others. What hosts of static files look for may stand there first.
func vacant(others []string) error {
	others = slices.DeleteFunc(others, func(name string) bool {
		return strings.HasPrefix(name, ".") || name == "CNAME" || name == "robots.txt"
	})
	if len(others) == 0 {
		return nil
	}
	return fmt.Errorf("it holds no catalog, but %s not made by a build: %s; choose an empty place, or move them",
		plural(len(others), "file", "files"), some(others))
}

// unclaimed says which files of others stand where the catalog's belong, or nil.
func unclaimed(others []string) error {
	if len(others) == 0 {
		return nil
	}
	return fmt.Errorf("%s in the way, not made by an earlier build: %s; choose an empty place, or move them",
		plural(len(others), "file stands", "files stand"), some(others))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// some names at most ten of a list, sorted and quoted.
func some(names []string) string {
	slices.Sort(names)
	quoted := make([]string, 0, 10)
	for _, n := range names[:min(len(names), 10)] {
		quoted = append(quoted, fmt.Sprintf("%q", n))
	}
	s := strings.Join(quoted, ", ")
	if more := len(names) - 10; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// A Folder is one on this machine. One program at a time writes there.
type Folder string

func (f Folder) String() string { return string(f) }

// Publish writes the catalog there, as a build does.
func (f Folder) Publish(ctx context.Context, c *catalog.Catalog) (Report, error) {
	if err := ctx.Err(); err != nil {
		return Report{}, err
	}
	r, err := c.Write(string(f))
	return Report{Written: r.Written, Removed: r.Removed, Unchanged: r.Unchanged}, err
}
