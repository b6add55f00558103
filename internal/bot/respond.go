package bot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/entry"
	"github.com/dpg-registry/dpg-registry/internal/forge"
	"github.com/dpg-registry/dpg-registry/internal/lint"
	"github.com/dpg-registry/dpg-registry/internal/propose"
	"github.com/dpg-registry/dpg-registry/internal/registry"
)

// A Lookup says what a project tells of itself at the address of its repository.
// The zero Facts are that it tells nothing.
type Lookup func(ctx context.Context, repository string) (propose.Facts, error)

// A Response is what Respond came to.
type Response struct {
	Taken, Refused int // commands in comments
	Problems       int // what somebody has to change in an issue before it can be proposed
	Pull           int // the pull request that proposes the issue; 0 if there is none
}

// Respond reads the comments on a pull request or an issue that nobody answered
// yet, or the one comment if it is not 0, and does what they ask for. An issue that
// was made with a form becomes a pull request, or gets a comment that says what to
// change.
//
// A comment is answered once, in a comment of the bot that holds its id, and then
// never acted on again.
func (b *Bot) Respond(ctx context.Context, number int, comment int64) (*Response, error) {
	r, err := b.respond(ctx, number, comment)
	if err != nil {
		return nil, fmt.Errorf("respond to %d: %w", number, err)
	}
	return r, nil
}

func (b *Bot) respond(ctx context.Context, number int, comment int64) (*Response, error) {
	out := new(Response)
	s := &subject{number: number}
	pr, err := b.Forge.PullRequest(ctx, number)
	switch {
	case err == nil:
		s.pr, s.author = &pr, pr.Author
	case !errors.Is(err, forge.ErrNotFound):
		return nil, err
	default:
		issue, err := b.Forge.Issue(ctx, number)
		if err != nil {
			return nil, err
		}
		s.author = issue.Author
		if err := b.respondIssue(ctx, issue, comment, out); err != nil {
			return nil, err
		}
	}
	return out, b.respondComments(ctx, s, comment, out)
}

// A subject is what comments are about.
type subject struct {
	number int
	author forge.User
	pr     *forge.PullRequest // nil for an issue
	main   *mainBranch        // read when first needed
	merge  *merge             // of pr, likewise
}

// load reads the default branch, and the pull request as it is now.
func (b *Bot) load(ctx context.Context, s *subject) error {
	if s.pr != nil {
		pr, err := b.Forge.PullRequest(ctx, s.number)
		if err != nil {
			return err
		}
		s.pr = &pr
	}
	var err error
	if s.main, err = b.main(ctx); err != nil {
		return err
	}
	if s.pr != nil && s.pr.Base == s.main.name && s.pr.State == forge.Open {
		s.merge, err = b.merge(ctx, *s.pr)
	}
	return err
}

// An answered is what the bot said to comments.
type answered struct {
	comment forge.Comment
	ids     []string
	flag    string // "unknown" or "refused" for what is said once in a thread
}

const (
	flagUnknown = "unknown"
	flagRefused = "refused"
	maxAnswered = 2000 // ids in one answer
)

// answers finds what the bot answered, by the marker "answer 5,9 refused".
func answers(comments []forge.Comment) []answered {
	var all []answered
	for _, c := range comments {
		rest, ok := strings.CutPrefix(c.Body, markerStart+"answer ")
		key, _, ends := strings.Cut(rest, " -->")
		if !c.Own || !ok || !ends {
			continue
		}
		ids, flag, _ := strings.Cut(key, " ")
		all = append(all, answered{c, strings.Split(ids, ","), flag})
	}
	return all
}

// respondComments answers those comments that hold commands.
func (b *Bot) respondComments(ctx context.Context, s *subject, only int64, out *Response) error {
	comments, err := b.Forge.Comments(ctx, s.number)
	if err != nil {
		return err
	}
	known := answers(comments)
	found := only == 0
	for _, c := range comments {
		found = found || c.ID == only
		if c.Own || only != 0 && c.ID != only {
			continue
		}
		commands := Commands(c.Body)
		if len(commands) == 0 {
			continue
		}
		id := strconv.FormatInt(c.ID, 10)
		if slices.ContainsFunc(known, func(a answered) bool { return slices.Contains(a.ids, id) }) {
			b.logf("comment %d is answered already", c.ID)
			continue
		}
		said, err := b.obey(ctx, s, c, commands)
		if err != nil {
			return fmt.Errorf("comment %d: %w", c.ID, err)
		}
		for _, r := range said.replies {
			if r.taken {
				out.Taken++
			} else {
				out.Refused++
			}
		}
		actions := said.actions(s.number, c.ID, known)
		if err := b.run(ctx, actions); err != nil {
			return err
		}
		if b.DryRun {
			continue
		}
		if comments, err = b.Forge.Comments(ctx, s.number); err != nil { // with the answer
			return err
		}
		known = answers(comments)
	}
	if !found {
		return fmt.Errorf("comment %d: %w", only, forge.ErrNotFound)
	}
	return nil
}

// A said is what the bot has to say to one comment.
type said struct {
	replies []reply
	flag    string
}

// A reply is about one command.
type reply struct {
	command Command
	taken   bool
	text    string // Markdown
}

// actions put a reaction to the comment and answer it. The answer comes last: it is
// what keeps the comment from being acted on again.
func (s said) actions(number int, id int64, known []answered) []Action {
	reaction := forge.ThumbsUp
	var b strings.Builder
	for _, r := range s.replies {
		if !r.taken {
			reaction = forge.Confused
		}
		fmt.Fprintf(&b, "%s\n\n%s\n\n", diag.Code(r.command.Line, 200), r.text)
	}
	actions := []Action{React{number, id, reaction}}
	key := strconv.FormatInt(id, 10)
	if s.flag != "" {
		for _, a := range known { // said before: noted there, without another word
			if a.flag != s.flag || len(a.ids) >= maxAnswered {
				continue
			}
			_, text, _ := strings.Cut(a.comment.Body, "\n")
			return append(actions, Say{number, a.comment.ID, marker("answer", strings.Join(append(a.ids, key), ",")+" "+s.flag) + "\n" + text})
		}
		key += " " + s.flag
	}
	body := marker("answer", key) + "\n" + strings.TrimSpace(b.String()) + "\n"
	return append(actions, Say{number, 0, body})
}

// React puts a reaction to a comment.
type React struct {
	Number   int
	Comment  int64
	Reaction forge.Reaction
}

func (a React) String() string {
	return fmt.Sprintf("react to comment %d on %d with %s", a.Comment, a.Number, a.Reaction)
}

func (a React) do(ctx context.Context, f forge.Forge) error {
	return f.React(ctx, a.Number, a.Comment, a.Reaction)
}

// Say writes an answer, or edits it in place.
type Say struct {
	Number int
	ID     int64 // of the comment to edit; 0 writes a new one
	Body   string
}

func (a Say) String() string {
	if a.ID == 0 {
		return fmt.Sprintf("answer on %d", a.Number)
	}
	return fmt.Sprintf("edit the answer on %d", a.Number)
}

func (a Say) do(ctx context.Context, f forge.Forge) error { return put(ctx, f, a.Number, a.ID, a.Body) }

// helpText lists the commands.
const helpText = `The bot does what a line says that begins with ` + "`/dpg`" + `:

| command | what it does | who may |
|---|---|---|
| ` + "`/dpg validate`" + ` | judges the pull request again | maintainers, its author |
| ` + "`/dpg fix`" + ` | mends what has one right answer, on the branch where the bot may push there | maintainers, its author |
| ` + "`/dpg assess`" + ` | puts the assessments of its entries on the branch | maintainers, its author |
| ` + "`/dpg accept ENTRY CODE because REASON`" + ` | confirms a mapping, in a pull request | maintainers, stewards of the entry |
| ` + "`/dpg reject ENTRY CODE because REASON`" + ` | turns a mapping down, in a pull request | maintainers, stewards of the entry |
| ` + "`/dpg waive ENTRY RULE until DATE because REASON`" + ` | sets a rule aside, in a pull request | maintainers |
| ` + "`/dpg help`" + ` | lists these | maintainers, its author |

` + "`ENTRY`" + ` may be left out where the pull request touches one entry.`

// obey does what one comment asks for.
func (b *Bot) obey(ctx context.Context, s *subject, c forge.Comment, commands []Command) (said, error) {
	var out said
	if !slices.ContainsFunc(commands, Command.known) {
		out.flag = flagUnknown
		out.replies = []reply{{commands[0], false, "There is no such command. The known ones are " + knownVerbs() + "; `/dpg help` says what they do."}}
		return out, nil
	}
	if err := b.load(ctx, s); err != nil {
		return out, err
	}
	permission, err := b.Forge.Permission(ctx, c.Author.Login)
	if err != nil {
		return out, err
	}
	who := person{User: c.Author, writes: permission >= forge.WritePermission, proposed: sameUser(c.Author, s.author)}
	if bad := unsound(s.main.reg); len(bad) > 0 {
		out.replies = []reply{{commands[0], false, "The rules on " + diag.Code(s.main.name, 80) + " have errors themselves (" + some(bad, 100) + "); the bot does nothing until they are mended."}}
		return out, nil
	}
	d := &docket{subject: s, who: who, files: map[string][]byte{}}
	mayAny := false
	for _, cmd := range commands {
		r := reply{command: cmd}
		may := who.may(cmd, d)
		mayAny = mayAny || may
		switch {
		case !may:
			r.text = "Nothing was done: this is for " + allowed(cmd) + "."
		case cmd.Problem != "":
			r.text = sentence(cmd.Problem)
			if !cmd.known() {
				r.text += " The known ones are " + knownVerbs() + "."
			}
		case cmd.Verb == "help":
			r.taken, r.text = true, helpText
		case slices.Contains([]string{"accept", "reject", "waive"}, cmd.Verb):
			r.taken, r.text, err = b.rule(ctx, d, cmd)
		default:
			r.taken, r.text, err = b.work(ctx, s, cmd, who)
		}
		if err != nil {
			return out, err
		}
		out.replies = append(out.replies, r)
	}
	if !mayAny {
		out.flag = flagRefused
		return out, nil
	}
	text, err := b.settle(ctx, d, fmt.Sprintf("decide-%d-%d", s.number, c.ID))
	if err != nil {
		return out, err
	}
	for i := range out.replies {
		if out.replies[i].taken && out.replies[i].text == "" {
			out.replies[i].text = text
		}
	}
	return out, nil
}

func knownVerbs() string {
	var all []string
	for _, v := range Verbs {
		all = append(all, "`"+v+"`")
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}

// sentence shows words of the bot's own that hold somebody else's.
func sentence(s string) string { return diag.Code(s, 400) }

// A person is who commented.
type person struct {
	forge.User
	writes   bool // may write to the repository
	proposed bool // opened the pull request or issue
}

// sameUser compares accounts by number; a login may be somebody else's by now.
func sameUser(a, b forge.User) bool {
	if a.ID != 0 || b.ID != 0 {
		return a.ID == b.ID
	}
	return a.Login != "" && strings.EqualFold(a.Login, b.Login)
}

// may reports whether the person may give a command. Stewards are read from the
// default branch: a pull request must not name its own judges.
func (p person) may(c Command, d *docket) bool {
	switch c.Verb {
	case "accept", "reject":
		if p.writes || c.Problem != "" {
			return p.writes
		}
		ref, why := d.resolve(c.Entry)
		return why == "" && p.steward(d.subject.main.reg.Entry(ref))
	case "waive":
		return p.writes
	case "help", "validate", "fix", "assess":
		return p.writes || p.proposed
	}
	return p.writes || p.proposed
}

// steward reports whether the person is among the stewards of an entry.
func (p person) steward(d *registry.Doc) bool {
	return p.ID != 0 && d != nil && d.Entry != nil && slices.ContainsFunc(d.Entry.Stewards, func(s entry.Person) bool { return s.ID == p.ID })
}

// as is in what role the person rules on an entry of the default branch; "" is that
// the person may not.
func (p person) as(d *registry.Doc) string {
	switch {
	case p.steward(d):
		return "steward"
	case p.writes:
		return "registry"
	}
	return ""
}

func allowed(c Command) string {
	switch c.Verb {
	case "accept", "reject":
		return "people who may write to this repository, and for the stewards of the entry"
	case "waive":
		return "people who may write to this repository"
	}
	return "people who may write to this repository, and for who opened this"
}

// signature credits a person in a commit; nobody where the login is none that
// GitHub gives.
func (p person) signature() []forge.Signature {
	if !plainLogin.MatchString(p.Login) {
		return nil
	}
	email := p.Login + "@users.noreply.github.com"
	if p.ID > 0 {
		email = strconv.FormatInt(p.ID, 10) + "+" + email
	}
	return []forge.Signature{{Name: p.Login, Email: email}}
}

// touched lists the entries that the pull request changes, or the assessments of,
// sorted; none for an issue.
func (s *subject) touched() []entry.Ref {
	if s.merge == nil {
		return nil
	}
	seen := map[entry.Ref]bool{}
	for _, c := range s.merge.changes {
		full := s.merge.full(c.Path)
		for _, reg := range []*registry.Registry{s.merge.before, s.merge.after} {
			if d := reg.At(full); d != nil {
				seen[d.Ref] = true
			}
			for _, d := range reg.Derived {
				if d.Path == full {
					seen[d.Ref] = true
				}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b entry.Ref) int { return strings.Compare(a.String(), b.String()) })
}

// resolve finds the entry that a person means; why says why there is none.
func (d *docket) resolve(name string) (ref entry.Ref, why string) {
	touched := d.subject.touched()
	if name == "" {
		switch len(touched) {
		case 1:
			return touched[0], ""
		case 0:
			return ref, "No entry is touched here: name the one that is meant before the code."
		}
		return ref, fmt.Sprintf("%d entries are touched here: name the one that is meant before the code.", len(touched))
	}
	var found []entry.Ref
	for _, k := range entry.Kinds {
		r := entry.Ref{Kind: k.Name, ID: name}
		if full, err := entry.ParseRef(name); err == nil {
			r = full
		}
		if r.Kind == k.Name && (d.subject.main.reg.Entry(r) != nil || slices.Contains(touched, r)) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 1:
		return found[0], ""
	case 0:
		return ref, "There is no entry " + diag.Code(name, 120) + "."
	}
	return ref, diag.Code(name, 120) + " is several entries; write " + diag.Code(found[0].String(), 120) + " or " + diag.Code(found[1].String(), 120) + "."
}

// laid are files of a registry with some others laid over them.
type laid struct {
	registry.Files
	text map[string][]byte // by path in the registry's folder
}

func (l laid) List() ([]registry.Blob, error) {
	blobs, err := l.Files.List()
	if err != nil {
		return nil, err
	}
	blobs = slices.DeleteFunc(slices.Clone(blobs), func(b registry.Blob) bool { return l.text[b.Path] != nil })
	for _, name := range slices.Sorted(maps.Keys(l.text)) {
		blobs = append(blobs, registry.Blob{Path: name, Size: int64(len(l.text[name]))})
	}
	return blobs, nil
}

func (l laid) Read(name string) ([]byte, error) {
	if text, ok := l.text[name]; ok {
		return text, nil
	}
	return l.Files.Read(name)
}

// judged gives what the rules of a registry find in one file; rules nil are those
// that the files have themselves.
func (b *Bot) judged(ctx context.Context, files registry.Files, rules *registry.Registry, full string) ([]diag.Diagnostic, error) {
	_, found, err := lint.Check(ctx, files, registry.Options{Prefix: b.folder(), Rules: rules}, lint.Options{AsOf: b.AsOf, Only: func(p string) bool { return p == full }})
	return found, err
}

// newErrors says what errors a new text brings into a file of the registry.
func (b *Bot) newErrors(ctx context.Context, files registry.Files, rules *registry.Registry, name string, text []byte) ([]diag.Diagnostic, error) {
	full := path.Join(b.folder(), name)
	before, err := b.judged(ctx, files, rules, full)
	if err != nil {
		return nil, err
	}
	after, err := b.judged(ctx, laid{files, map[string][]byte{name: text}}, rules, full)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(diag.Minus(after, before), func(d diag.Diagnostic) bool { return d.Severity != diag.Error }), nil
}
