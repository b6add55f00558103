package githubtest

import (
	"encoding/base64"
	"fmt"
	"os"
	"path"
	"strings"
)

func (s *Server) getRepo(c *call) reply {
	v := c.repo.value()
	write := s.mayWrite(c.who)
	v["permissions"] = obj{"admin": false, "maintain": false, "push": write, "triage": write, "pull": true}
	return reply{status: 200, value: v}
}

// resolve is the commit that a sha or a branch names, "" for none.
func (s *Server) resolve(rev string) string {
	for _, try := range []string{rev, "refs/heads/" + strings.TrimPrefix(rev, "heads/")} {
		if strings.HasPrefix(rev, "-") {
			return ""
		}
		if sha, err := s.tryGit(s.Repo.bare, "", nil, "rev-parse", "-q", "--verify", try+"^{commit}"); err == nil {
			return sha
		}
	}
	return ""
}

func (s *Server) getProtection(c *call) reply {
	if _, err := os.Stat(path.Join(s.Repo.bare, "hooks", "pre-receive")); err != nil {
		return refuse(404, "Branch not protected")
	}
	return reply{status: 200, value: obj{"url": c.URL.String()}}
}

// Require makes a ruleset by which nothing is merged into the default branch without
// these checks; each makes one more.
func (s *Server) Require(checks ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []any{}
	for _, c := range checks {
		list = append(list, obj{"context": c})
	}
	// One of a sort that libraries do not know yet comes first.
	s.rules = append(s.rules, obj{"type": "merge_queue", "ruleset_id": s.newID(), "ruleset_source": s.Repo.fullName(), "ruleset_source_type": "Repository"},
		obj{
			"type": "required_status_checks", "ruleset_id": s.newID(), "ruleset_source": s.Repo.fullName(), "ruleset_source_type": "Repository",
			"parameters": obj{"required_status_checks": list, "strict_required_status_checks_policy": false},
		})
}

func (s *Server) getRules(c *call) reply {
	if c.vars["branch"] != s.opt.DefaultBranch {
		return reply{status: 200, value: []any{}}
	}
	return reply{status: 200, value: append([]any{}, s.rules...)}
}

func (s *Server) getPages(*call) reply { return refuse(404, "Not Found") }

func (s *Server) getLicense(*call) reply {
	text, ok := s.Repo.File("refs/heads/"+s.opt.DefaultBranch, "LICENSE")
	if !ok {
		return refuse(404, "Not Found")
	}
	return reply{status: 200, value: obj{
		"name": "LICENSE", "path": "LICENSE", "type": "file", "encoding": "base64", "size": len(text),
		"content": base64.StdEncoding.EncodeToString([]byte(text)), "license": obj{"key": "other", "name": "Other", "spdx_id": "NOASSERTION", "node_id": "", "url": nil},
	}}
}

func (s *Server) getContent(c *call) reply {
	ref := c.URL.Query().Get("ref")
	if ref == "" {
		ref = s.opt.DefaultBranch
	}
	sha := s.resolve(ref)
	name := strings.Trim(c.vars["path"], "/")
	if sha == "" {
		return refuse(404, "No commit found for the ref %s", ref)
	}
	item := func(full, mode, kind, id string) obj {
		v := obj{"name": path.Base(full), "path": full, "sha": id, "type": map[string]string{"tree": "dir", "blob": "file", "commit": "submodule"}[kind], "size": 0}
		if mode == "120000" {
			v["type"] = "symlink"
		}
		return v
	}
	if kind, err := s.tryGit(s.Repo.bare, "", nil, "cat-file", "-t", sha+":"+name); err != nil {
		return refuse(404, "Not Found")
	} else if kind == "tree" {
		list := []any{}
		for _, e := range s.entries(sha + ":" + name) {
			list = append(list, item(path.Join(name, e.name), e.mode, e.kind, e.sha))
		}
		return reply{status: 200, value: list}
	}
	text, err := s.rawGit(s.Repo.bare, "", nil, "cat-file", "blob", sha+":"+name)
	if err != nil {
		return refuse(404, "Not Found")
	}
	v := item(name, "100644", "blob", s.git(s.Repo.bare, "", "rev-parse", sha+":"+name))
	v["encoding"], v["content"], v["size"] = "base64", base64.StdEncoding.EncodeToString([]byte(text)), len(text)
	return reply{status: 200, value: v}
}

type treeEntry struct{ mode, kind, sha, name string }

func (s *Server) entries(tree string) []treeEntry {
	var list []treeEntry
	for line := range strings.SplitSeq(s.git(s.Repo.bare, "", "ls-tree", "-z", tree), "\x00") {
		about, name, _ := strings.Cut(line, "\t")
		if f := strings.Fields(about); len(f) == 3 {
			list = append(list, treeEntry{f[0], f[1], f[2], name})
		}
	}
	return list
}

func (s *Server) createBlob(c *call) reply {
	text := c.text("content")
	if c.text("encoding") == "base64" {
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return refuse(422, "content is not valid Base64")
		}
		text = string(data)
	}
	sha := s.git(s.Repo.bare, text, "hash-object", "-w", "--stdin")
	return reply{status: 201, value: obj{"sha": sha, "url": s.API() + "/repos/" + s.Repo.fullName() + "/git/blobs/" + sha}}
}

func (s *Server) createTree(c *call) reply {
	index, err := os.CreateTemp(s.root, "index")
	if err != nil {
		s.t.Error(err)
	}
	index.Close()
	os.Remove(index.Name()) // git makes its own; the name is ours
	defer os.Remove(index.Name())
	env := []string{"GIT_INDEX_FILE=" + index.Name()}
	base := c.text("base_tree")
	if base != "" {
		if _, err := s.tryGit(s.Repo.bare, "", env, "read-tree", base); err != nil {
			return refuse(404, "Not Found")
		}
	}
	entries, _ := c.body["tree"].([]any)
	var info strings.Builder
	for _, e := range entries {
		o, _ := e.(obj)
		name, _ := o["path"].(string)
		mode, _ := o["mode"].(string)
		sha, given := o["sha"].(string)
		content, inline := o["content"].(string)
		switch {
		case inline:
			sha = s.git(s.Repo.bare, content, "hash-object", "-w", "--stdin")
		case !given: // null deletes what must be there
			if _, err := s.tryGit(s.Repo.bare, "", nil, "cat-file", "-e", base+":"+name); base == "" || err != nil {
				return refuse(422, "GitRPC::BadObjectState")
			}
			mode, sha = "0", strings.Repeat("0", 40)
		}
		fmt.Fprintf(&info, "%s %s\t%s\x00", mode, sha, name)
	}
	if _, err := s.tryGit(s.Repo.bare, info.String(), env, "update-index", "-z", "--index-info"); err != nil {
		return refuse(422, "tree.path contains a malformed path component")
	}
	sha, err := s.tryGit(s.Repo.bare, "", env, "write-tree")
	if err != nil {
		return refuse(422, "GitRPC::BadObjectState")
	}
	list := []any{}
	for _, e := range s.entries(sha) {
		list = append(list, obj{"path": e.name, "mode": e.mode, "type": e.kind, "sha": e.sha})
	}
	return reply{status: 201, value: obj{"sha": sha, "truncated": false, "tree": list, "url": s.API() + "/repos/" + s.Repo.fullName() + "/git/trees/" + sha}}
}

// createCommit writes whoever asks and GitHub itself in the commit, unless it is told
// somebody else. The date is the fake's own.
func (s *Server) createCommit(c *call) reply {
	by := c.who.User
	author := obj{"name": by.Login, "email": fmt.Sprintf("%d+%s@users.noreply.github.com", by.ID, by.Login), "date": s.now()}
	committer := obj{"name": "GitHub", "email": "noreply@github.com", "date": s.now()}
	for name, into := range map[string]obj{"author": author, "committer": committer} {
		given, _ := c.body[name].(obj)
		for k, v := range given {
			into[k] = v
		}
	}
	args := []string{"commit-tree", c.text("tree"), "-F", "-"}
	parents, _ := c.texts("parents")
	list := []any{}
	for _, p := range parents {
		if !s.known(p) {
			return refuse(422, "Parent SHA does not exist or is not a commit object")
		}
		args = append(args, "-p", p)
		list = append(list, obj{"sha": p})
	}
	text := func(o obj, name string) string {
		v, _ := o[name].(string)
		return v
	}
	sha, err := s.tryGit(s.Repo.bare, c.text("message"), []string{
		"GIT_AUTHOR_NAME=" + text(author, "name"), "GIT_AUTHOR_EMAIL=" + text(author, "email"), "GIT_AUTHOR_DATE=" + text(author, "date"),
		"GIT_COMMITTER_NAME=" + text(committer, "name"), "GIT_COMMITTER_EMAIL=" + text(committer, "email"), "GIT_COMMITTER_DATE=" + text(committer, "date"),
	}, args...)
	if err != nil {
		return refuse(422, "Tree SHA does not exist")
	}
	return reply{status: 201, value: obj{
		"sha": sha, "message": c.text("message"), "author": author, "committer": committer, "parents": list, "tree": obj{"sha": c.text("tree")},
		"verification": obj{"verified": true, "reason": "valid", "signature": "", "payload": "", "verified_at": nil},
	}}
}

func (s *Server) refValue(ref, sha string) obj {
	return obj{"ref": ref, "url": s.API() + "/repos/" + s.Repo.fullName() + "/git/" + ref, "object": obj{"type": "commit", "sha": sha}}
}

func (s *Server) refAt(ref string) string {
	sha, err := s.tryGit(s.Repo.bare, "", nil, "rev-parse", "-q", "--verify", ref)
	if err != nil {
		return ""
	}
	return sha
}

func (s *Server) getRef(c *call) reply {
	ref := "refs/" + c.vars["ref"]
	if sha := s.refAt(ref); sha != "" {
		return reply{status: 200, value: s.refValue(ref, sha)}
	}
	if s.opt.Empty && len(s.Repo.branches()) == 0 {
		return refuse(409, "Git Repository is empty.")
	}
	return refuse(404, "Not Found")
}

func (s *Server) listRefs(c *call) reply {
	list := []any{}
	text, err := s.tryGit(s.Repo.bare, "", nil, "for-each-ref", "--format=%(objectname) %(refname)")
	if err != nil {
		s.t.Error(err)
	}
	for line := range strings.Lines(text) {
		sha, ref, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if strings.HasPrefix(ref, "refs/"+c.vars["ref"]) {
			list = append(list, s.refValue(ref, sha))
		}
	}
	return reply{status: 200, value: list}
}

func (s *Server) createRef(c *call) reply {
	ref, sha := c.text("ref"), c.text("sha")
	switch {
	case !s.known(sha):
		return refuse(422, "Object does not exist")
	case s.refAt(ref) != "":
		return refuse(422, "Reference already exists")
	}
	if _, err := s.tryGit(s.Repo.bare, "", nil, "update-ref", ref, sha); err != nil {
		return refuse(422, "Reference name is not valid")
	}
	return reply{status: 201, value: s.refValue(ref, sha)}
}

func (s *Server) updateRef(c *call) reply {
	ref, sha := "refs/"+c.vars["ref"], c.text("sha")
	old := s.refAt(ref)
	if old == "" || !s.known(sha) {
		return refuse(422, "Reference does not exist")
	}
	if force, _ := c.body["force"].(bool); !force {
		if _, err := s.tryGit(s.Repo.bare, "", nil, "merge-base", "--is-ancestor", old, sha); err != nil {
			return refuse(422, "Update is not a fast forward")
		}
	}
	s.git(s.Repo.bare, "", "update-ref", ref, sha)
	return reply{status: 200, value: s.refValue(ref, sha)}
}

func (s *Server) deleteRef(c *call) reply {
	ref := "refs/" + c.vars["ref"]
	if s.refAt(ref) == "" {
		return refuse(422, "Reference does not exist")
	}
	s.git(s.Repo.bare, "", "update-ref", "-d", ref)
	return reply{status: 204}
}
