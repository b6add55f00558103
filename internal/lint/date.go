package lint

import (
	"regexp"
	"time"

	"github.com/dpg-registry/dpg-registry/internal/diag"
)

var dateRule = &Rule{
	ID:       "date",
	Severity: diag.Error,
	Summary:  "every date is in the calendar",
	Doc: `Dates are written year-month-day. The schema holds them to that shape; this rule finds those of that shape that
no calendar has, such as 2023-02-30.`,
	Check: func(p *Pass) {
		for _, s := range p.Strings {
			if isDateField(s.Field) && dateShape.MatchString(s.Text) && !isDate(s.Text) && !isMonth(s.Text) {
				p.Reportf(s.Pointer, "look at the order: year, month, day", "%q is %s, which no calendar has", s.Field, quote(s.Text))
			}
		}
	},
}

// isDateField knows the keys whose value is a date.
func isDateField(key string) bool { return isFactField(key) || key == "review_by" || key == "until" }

var dateShape = regexp.MustCompile(`^\d{4}-\d{2}(-\d{2})?$`)

func isDate(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil }

func isMonth(s string) bool { _, err := time.Parse("2006-01", s); return err == nil }
