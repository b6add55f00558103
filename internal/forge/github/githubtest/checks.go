package githubtest

import (
	"cmp"
	"slices"
	"strconv"
	"unicode/utf8"
)

// run is a check run.
type run struct {
	id                          int64
	sha, name, status, external string
	conclusion, title, summary  string
	notes                       []any
	started, completed          string
}

type status struct {
	id                            int64
	sha, state, context, text, at string
	by                            User
}

// A Run is a check run, as a person sees it.
type Run struct {
	Name, Status, Conclusion, Title, Summary string
	Annotations                              int
}

// Runs are the check runs of a commit, the last of each name, sorted by name.
func (s *Server) Runs(sha string) []Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Run
	for _, r := range s.runs {
		if r.sha == sha && s.latest(sha, r.name) == r {
			out = append(out, Run{r.name, r.status, r.conclusion, r.title, r.summary, len(r.notes)})
		}
	}
	slices.SortFunc(out, func(a, b Run) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func (s *Server) latest(sha, name string) *run {
	var last *run
	for _, r := range s.runs {
		if r.sha == sha && r.name == name {
			last = r
		}
	}
	return last
}

func (s *Server) runValue(r *run) obj {
	url := s.API() + "/repos/" + s.Repo.fullName() + "/check-runs/" + strconv.FormatInt(r.id, 10)
	v := obj{
		"id": r.id, "name": r.name, "head_sha": r.sha, "status": r.status, "conclusion": nil, "external_id": r.external, "url": url,
		"output":     obj{"title": nil, "summary": nil, "text": nil, "annotations_count": len(r.notes), "annotations_url": url + "/annotations"},
		"started_at": r.started, "completed_at": nil, "check_suite": obj{"id": 1}, "app": nil,
	}
	out := v["output"].(obj)
	if r.title != "" {
		out["title"], out["summary"] = r.title, r.summary
	}
	if r.conclusion != "" {
		v["conclusion"], v["completed_at"] = r.conclusion, r.completed
	}
	return v
}

// known reports whether a commit is in the repository.
func (s *Server) known(sha string) bool {
	_, err := s.tryGit(s.Repo.bare, "", nil, "cat-file", "-e", sha+"^{commit}")
	return err == nil
}

func (s *Server) createRun(c *call) reply {
	if !s.known(c.text("head_sha")) {
		return refuse(422, "No commit found for SHA: %s", c.text("head_sha"))
	}
	r := &run{id: s.newID(), sha: c.text("head_sha"), name: c.text("name"), status: "queued", started: s.now()}
	if refusal := s.setRun(r, c); refusal != nil {
		return *refusal
	}
	s.runs = append(s.runs, r)
	return reply{status: 201, value: s.runValue(r)}
}

func (s *Server) updateRun(c *call) reply {
	i := slices.IndexFunc(s.runs, func(r *run) bool { return r.id == int64(c.number("check_run_id")) })
	if i < 0 {
		return refuse(404, "Not Found")
	}
	if refusal := s.setRun(s.runs[i], c); refusal != nil {
		return *refusal
	}
	return reply{status: 200, value: s.runValue(s.runs[i])}
}

// maxSummary is in characters.
const maxSummary = 65535

func (s *Server) setRun(r *run, c *call) *reply {
	out, _ := c.body["output"].(obj)
	summary, _ := out["summary"].(string)
	if utf8.RuneCountInString(summary) > maxSummary {
		bad := refuse(422, "Invalid request. Only 65535 characters are allowed; %d were supplied.", utf8.RuneCountInString(summary))
		return &bad
	}
	notes, _ := out["annotations"].([]any)
	if len(notes) > 50 {
		bad := refuse(422, "Invalid request. No more than 50 items are allowed; %d were supplied.", len(notes))
		return &bad
	}
	if out != nil {
		r.title, _ = out["title"].(string)
		r.summary = summary
		for _, n := range notes { // they are added to those that are there
			o, _ := n.(obj)
			v := obj{"blob_href": s.html(s.Repo.owner, s.Repo.name, "blob", r.sha), "title": nil, "raw_details": nil, "start_column": nil, "end_column": nil}
			for name, value := range o {
				v[name] = value
			}
			r.notes = append(r.notes, v)
		}
	}
	r.name, r.external = cmp.Or(c.text("name"), r.name), cmp.Or(c.text("external_id"), r.external)
	r.status = cmp.Or(c.text("status"), r.status)
	if conclusion := c.text("conclusion"); conclusion != "" {
		r.status, r.conclusion, r.completed = "completed", conclusion, s.now()
	}
	return nil
}

func (s *Server) listRuns(c *call) reply {
	q, sha := c.URL.Query(), s.resolve(c.vars["ref"])
	if sha == "" {
		return refuse(422, "No commit found for SHA: %s", c.vars["ref"])
	}
	list := []any{}
	for _, r := range s.runs {
		if r.sha == sha && (q.Get("check_name") == "" || q.Get("check_name") == r.name) && (q.Get("filter") == "all" || s.latest(sha, r.name) == r) {
			list = append(list, s.runValue(r))
		}
	}
	slices.Reverse(list)
	return reply{status: 200, value: list, wrap: "check_runs"}
}

func (s *Server) listAnnotations(c *call) reply {
	i := slices.IndexFunc(s.runs, func(r *run) bool { return r.id == int64(c.number("check_run_id")) })
	if i < 0 {
		return refuse(404, "Not Found")
	}
	return reply{status: 200, value: append([]any{}, s.runs[i].notes...)}
}

func (s *Server) createStatus(c *call) reply {
	if !s.known(c.vars["sha"]) {
		return refuse(422, "No commit found for SHA: %s", c.vars["sha"])
	}
	if utf8.RuneCountInString(c.text("description")) > 140 {
		return invalid("Status", "description", "custom", "description is too long (maximum is 140 characters)")
	}
	st := status{id: s.newID(), sha: c.vars["sha"], state: c.text("state"), context: cmp.Or(c.text("context"), "default"), text: c.text("description"), at: s.now(), by: c.who.User}
	s.statuses = append(s.statuses, st)
	return reply{status: 201, value: statusValue(st)}
}

func statusValue(st status) obj {
	return obj{"id": st.id, "state": st.state, "context": st.context, "description": st.text, "created_at": st.at, "updated_at": st.at, "creator": st.by.value()}
}

func (s *Server) listStatuses(c *call) reply {
	sha := s.resolve(c.vars["ref"])
	list := []any{}
	for _, st := range s.statuses {
		if st.sha == sha {
			list = append(list, statusValue(st))
		}
	}
	slices.Reverse(list) // the newest first
	return reply{status: 200, value: list}
}
