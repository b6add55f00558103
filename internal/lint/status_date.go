package lint

import (
	"regexp"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/diag"
)

var statusDate = &Rule{
	ID:       "status-date",
	Severity: diag.Warning,
	Summary:  "no fact is dated in the future",
	Dated:    true,
	Doc: `"as_of", "published" and the date of a decision say when something was so, or was said. A day in the future is a slip: often
day and month changed places, or the date for the next review was meant. One day is allowed for, since it is
tomorrow already in some places.`,
	Check: func(p *Pass) {
		day, err := time.Parse(time.DateOnly, p.AsOf)
		if err != nil {
			return
		}
		latest := day.AddDate(0, 0, 1).Format(time.DateOnly)
		for _, s := range p.Strings {
			if isFactField(s.Field) && factShape.MatchString(s.Text) && s.Text > latest {
				p.Reportf(s.Pointer, "write the day on which it was so", "%q is %s, which lies in the future: it is %s", s.Field, quote(s.Text), p.AsOf)
			}
		}
	},
}

// isFactField knows the keys whose value says when something was so.
func isFactField(key string) bool { return key == "as_of" || key == "date" || key == "published" }

var factShape = regexp.MustCompile(`^\d{4}(-\d{2}(-\d{2})?)?$`)
