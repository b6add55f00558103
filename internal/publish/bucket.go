package publish

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"golang.org/x/sync/errgroup"

	"github.com/dpg-registry/dpg-registry/internal/catalog"
)

// A Bucket is one of an object store that speaks S3, or a part of one below a prefix.
//
// minio-go speaks to it: it is one protocol and its signatures. The wrappers that know
// several clouds bring the larger client of each.
type Bucket struct {
	address Address
	client  *minio.Client
}

// Secrets are what a store knows a client by; they come from the environment.
type Secrets struct{ Key, Secret, Token string }

// OpenBucket gets ready to publish to an address of that kind. Nothing is asked yet.
// The transport is nil for the usual one.
func OpenBucket(a Address, s Secrets, transport http.RoundTripper) (*Bucket, error) {
	if s.Key == "" || s.Secret == "" {
		return nil, errors.New("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment (AWS_SESSION_TOKEN too, where the key is for a time)")
	}
	u, err := url.Parse(cmp.Or(a.Endpoint, "https://s3.amazonaws.com"))
	if err != nil || checkEndpoint(a.Endpoint) != nil {
		return nil, checkEndpoint(a.Endpoint)
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(s.Key, s.Secret, s.Token), Secure: u.Scheme == "https",
		Region: a.Region, Transport: transport, MaxRetries: 5,
	})
	if err != nil {
		return nil, err
	}
	return &Bucket{a, client}, nil
}

func (b *Bucket) String() string { return "s3://" + path.Join(b.address.Bucket, b.address.Prefix) }

// sumKey is where an object keeps the SHA-256 of what this program put into it. That
// it has one says whose it is.
const sumKey = "Dpg-Sha256"

// parallel is how many requests go to the store at a time.
const parallel = 8

// Publish puts what changed. Where somebody else publishes meanwhile, it begins again,
// and whoever puts the manifest last makes all of it good. A store that does not know
// conditional requests does not notice the other one.
func (b *Bucket) Publish(ctx context.Context, c *catalog.Catalog) (Report, error) {
	r, err := b.publish(ctx, c)
	if err != nil {
		return r, fmt.Errorf("publish to %s: %w", b, err)
	}
	return r, nil
}

// errOther says that somebody else has put a manifest.
var errOther = errors.New("somebody else publishes there too; run again once they are done")

func (b *Bucket) publish(ctx context.Context, c *catalog.Catalog) (Report, error) {
	files, manifest, err := contents(c)
	if err != nil {
		return Report{}, err
	}
	var all Report
	done := false  // this run's manifest stands, or stood
	dirty := false // and something was written after it, perhaps over what another one put
	for range tries {
		r := &round{Bucket: b, c: c, files: files, manifest: manifest, again: done}
		err := r.run(ctx)
		all.Written = append(all.Written, r.report.Written...)
		all.Removed = append(all.Removed, r.report.Removed...)
		dirty = dirty || len(r.report.Removed) > 0 || r.again && len(r.report.Written) > 0
		switch {
		case errors.Is(err, errOther) && done && !dirty:
			err = nil // they came after, and look after their own
		case errors.Is(err, errOther):
			done, dirty = false, false
			continue
		case err == nil && len(r.report.Written)+len(r.report.Removed) > 0:
			done = true // look once more: the other one may have changed files meanwhile
			continue
		}
		sortReport(&all)
		all.Written, all.Removed = slices.Compact(all.Written), slices.Compact(all.Removed)
		all.Unchanged = len(files) + 1 - len(all.Written)
		return all, err
	}
	return all, errOther
}

// A round compares all that is there with the catalog, and sets it right.
type round struct {
	*Bucket
	c        *catalog.Catalog
	files    []file
	manifest []byte
	again    bool // this run's manifest stood there before

	mu     sync.Mutex // guards what follows
	report Report
}

// An item is an object that is there.
type item struct {
	etag string
	size int64
}

func (r *round) run(ctx context.Context) error {
	// The manifest first: what it lists was whole then.
	published, etag, err := r.published(ctx)
	if err != nil {
		return err
	}
	if r.again && !bytes.Equal(published, r.manifest) {
		return errOther
	}
	before := map[string]string{}
	if published != nil {
		if before, err = r.c.Succeed(published); err != nil {
			return err
		}
	}
	there, err := r.list(ctx)
	if err != nil {
		return err
	}
	stale, gone, err := r.compare(ctx, before, there, published != nil)
	if err != nil {
		return err
	}
	put := func(ctx context.Context, f file) error {
		_, err := r.put(ctx, f.name, f.data, func(o *minio.PutObjectOptions) { o.UserMetadata = map[string]string{sumKey: f.sha256} })
		return r.note(&r.report.Written, f.name, err)
	}
	// The pages of the manifest come after what they list, as it does itself.
	page := func(f file) bool { return strings.HasPrefix(f.name, catalog.ManifestPages) }
	if err := r.each(ctx, slices.DeleteFunc(slices.Clone(stale), page), put); err != nil {
		return err
	}
	if err := r.each(ctx, slices.DeleteFunc(stale, func(f file) bool { return !page(f) }), put); err != nil {
		return err
	}
	if !bytes.Equal(published, r.manifest) {
		if etag, err = r.putManifest(ctx, etag); err != nil {
			return err
		}
	}
	if len(gone) == 0 {
		return nil
	}
	// What another one has just put must not go with what is old.
	if _, now, err := r.published(ctx); err != nil {
		return err
	} else if now != etag {
		return errOther
	}
	return r.each(ctx, gone, func(ctx context.Context, f file) error {
		err := r.client.RemoveObject(ctx, r.address.Bucket, r.key(f.name), minio.RemoveObjectOptions{})
		return r.note(&r.report.Removed, f.name, r.explain(f.name, err))
	})
}

// note adds a name to a list unless there was an error.
func (r *round) note(list *[]string, name string, err error) error {
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		*list = append(*list, name)
	}
	return err
}

// each does something to several files at a time, and stops at the first error.
func (r *round) each(ctx context.Context, files []file, do func(context.Context, file) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, f := range files {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return do(ctx, f)
		})
	}
	return g.Wait()
}

// compare says which files have to be put, and which names of an earlier catalog go.
// It goes by what is there, not by what a manifest says alone: a run that was killed
// leaves files that no manifest lists.
func (r *round) compare(ctx context.Context, before map[string]string, there map[string]item, published bool) (stale, gone []file, err error) {
	ours := map[string]bool{catalog.ManifestName: true}
	var unsure []file  // is it what we put?
	var unknown []file // is it ours?
	for _, f := range r.files {
		ours[f.name] = true
		is, stands := there[f.name]
		was, known := before[f.name]
		switch sum := md5.Sum(f.data); { // the ETag of an object is that, in most stores
		case stands && is.size == int64(len(f.data)) && is.etag == hex.EncodeToString(sum[:]):
			// Also where the manifest says otherwise: a run that was killed put it.
		case !stands, known && was != f.sha256:
			stale = append(stale, f)
		default:
			unsure = append(unsure, f)
		}
	}
	for name := range there {
		if _, known := before[name]; ours[name] || known {
			continue
		}
		unknown = append(unknown, file{name: name})
	}
	for name := range before {
		if _, stands := there[name]; stands && !ours[name] {
			gone = append(gone, file{name: name})
		}
	}
	var mu sync.Mutex
	var inTheWay, others []string
	err = r.each(ctx, slices.Concat(unsure, unknown), func(ctx context.Context, f file) error {
		sum, stands, err := r.sum(ctx, f.name)
		if err != nil {
			return err
		}
		_, known := before[f.name]
		mu.Lock()
		defer mu.Unlock()
		switch {
		case ours[f.name] && stands && sum == "" && !known:
			inTheWay = append(inTheWay, f.name)
		case ours[f.name] && sum != f.sha256:
			stale = append(stale, f)
		case ours[f.name], !stands:
		case sum != "":
			gone = append(gone, f)
		default:
			others = append(others, f.name)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if err := unclaimed(inTheWay); err != nil {
		return nil, nil, err
	}
	if !published {
		if err := vacant(others); err != nil {
			return nil, nil, err
		}
	}
	byName := func(a, b file) int { return cmp.Compare(a.name, b.name) }
	slices.SortFunc(stale, byName)
	slices.SortFunc(gone, byName)
	return stale, gone, nil
}

// key is the name of an object.
func (b *Bucket) key(name string) string { return path.Join(b.address.Prefix, name) }

// list names all that is there.
func (b *Bucket) list(ctx context.Context) (map[string]item, error) {
	prefix := b.address.Prefix
	if prefix != "" {
		prefix += "/"
	}
	there := map[string]item{}
	for o := range b.client.ListObjectsIter(ctx, b.address.Bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			return nil, b.explain("the list of objects", o.Err)
		}
		if len(there) >= maxFiles {
			return nil, fmt.Errorf("it holds more than %d objects; name a prefix of its own for the catalog", maxFiles)
		}
		name, below := strings.CutPrefix(o.Key, prefix)
		if !below || name == "" || strings.HasSuffix(name, "/") { // stands for a folder
			continue
		}
		there[name] = item{strings.ToLower(strings.Trim(o.ETag, `"`)), o.Size}
	}
	return there, ctx.Err()
}

// published reads the manifest; nil where there is none.
func (b *Bucket) published(ctx context.Context) (data []byte, etag string, err error) {
	o, err := b.client.GetObject(ctx, b.address.Bucket, b.key(catalog.ManifestName), minio.GetObjectOptions{})
	if err != nil {
		return nil, "", b.explain(catalog.ManifestName, err)
	}
	defer o.Close()
	info, err := o.Stat()
	if minio.ToErrorResponse(err).Code == "NoSuchKey" {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", b.explain(catalog.ManifestName, err)
	}
	if data, err = io.ReadAll(io.LimitReader(o, maxBytes+1)); err != nil {
		return nil, "", b.explain(catalog.ManifestName, err)
	}
	if len(data) > maxBytes {
		return nil, "", fmt.Errorf("%s has more than %d bytes, as none has that this program wrote", catalog.ManifestName, maxBytes)
	}
	return data, info.ETag, nil
}

// sum is the SHA-256 of what this program put there; "" where somebody else did.
func (b *Bucket) sum(ctx context.Context, name string) (sum string, stands bool, err error) {
	info, err := b.client.StatObject(ctx, b.address.Bucket, b.key(name), minio.StatObjectOptions{})
	if code := minio.ToErrorResponse(err).Code; code == "NoSuchKey" || code == "NotFound" {
		return "", false, nil
	}
	if err != nil {
		return "", false, b.explain(name, err)
	}
	for key, value := range info.UserMetadata {
		if strings.EqualFold(key, sumKey) {
			return value, true, nil
		}
	}
	return "", true, nil
}

// put writes an object whole: readers see what was there before, or all of this.
func (b *Bucket) put(ctx context.Context, name string, data []byte, set func(*minio.PutObjectOptions)) (minio.UploadInfo, error) {
	opt := minio.PutObjectOptions{ContentType: contentType(name), CacheControl: cacheControl(name), DisableMultipart: true}
	set(&opt)
	info, err := b.client.PutObject(ctx, b.address.Bucket, b.key(name), bytes.NewReader(data), int64(len(data)), opt)
	return info, b.explain(name, err)
}

// putManifest replaces the manifest that has that ETag, "" for none.
func (r *round) putManifest(ctx context.Context, etag string) (string, error) {
	info, err := r.put(ctx, catalog.ManifestName, r.manifest, func(o *minio.PutObjectOptions) {
		if etag == "" {
			o.SetMatchETagExcept("*")
		} else {
			o.SetMatchETag(etag)
		}
	})
	var answer minio.ErrorResponse
	if errors.As(err, &answer) {
		switch {
		case answer.Code == "NotImplemented": // by stores that know no conditions
			info, err = r.put(ctx, catalog.ManifestName, r.manifest, func(*minio.PutObjectOptions) {})
		case answer.StatusCode == http.StatusPreconditionFailed, answer.StatusCode == http.StatusConflict, answer.Code == "NoSuchKey":
			return "", errOther
		}
	}
	return info.ETag, r.note(&r.report.Written, catalog.ManifestName, err)
}

// explain says of an answer what it was about. The client's own errors hold no secret.
func (b *Bucket) explain(what string, err error) error {
	if err == nil {
		return nil
	}
	switch code := minio.ToErrorResponse(err).Code; code {
	case "NoSuchBucket":
		return fmt.Errorf("there is no bucket %q; make it first: %w", b.address.Bucket, err)
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch":
		return fmt.Errorf("the store refuses %s to the key in AWS_ACCESS_KEY_ID: %w", what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// contentType is what readers are told a file is.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".json":
		return "application/json"
	case ".ndjson":
		return "application/x-ndjson"
	case ".csv":
		return "text/csv; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".xml":
		return "application/xml"
	case ".atom":
		return "application/atom+xml"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".gz":
		return "application/gzip"
	}
	return "application/octet-stream"
}

// cacheControl is how long readers may keep a file. Names stay while contents change,
// so that nothing is kept for long; whoever checks the rest by the manifest gets the
// one that stands.
func cacheControl(name string) string {
	if name == catalog.ManifestName {
		return "no-cache"
	}
	return "public, max-age=300"
}
