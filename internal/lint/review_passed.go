package lint

import "github.com/dpg-registry/dpg-registry/internal/diag"

var reviewPassed = &Rule{
	ID:       "review-passed",
	Severity: diag.Warning,
	Summary:  "a live entry is looked at again by its date of review",
	Dated:    true,
	Doc: `"status.review_by" is the day by which somebody should look at the entry again. Once it has passed, check what
stands there, then set "as_of" and a new date.`,
	Check: func(p *Pass) {
		s := p.Entry.Status
		if s.Live() && isDate(s.ReviewBy) && s.ReviewBy < p.AsOf {
			p.Reportf("/status/review_by", "check the entry, then set as_of and a new date", "the entry was to be looked at again by %s, and it is %s", quote(s.ReviewBy), p.AsOf)
		}
	},
}
