package bot

import (
	"regexp"
	"strings"
	"testing"

	"github.com/dpg-registry/dpg-registry/internal/forge"
)

// What people write to the bot comes back as text that does nothing.
func TestRespondShowsAndDoesNothing(t *testing.T) {
	plainTitle := regexp.MustCompile(`^[A-Z][a-z]+( [A-Za-z0-9/-]+)+$`) // codes and ids alone
	number := regexp.MustCompile(`#(\d+)\b`)                            // the bot's own references
	for i, attack := range attacks {
		if len(attack) > 1500 {
			attack = attack[:1500]
		}
		attack = strings.ToValidUTF8(attack, "") // no forge takes other text
		flat := strings.Join(strings.Fields(attack), " ")
		d := newDesk(t, map[string]string{dpg("clinic"): stewarded("clinic")})
		d.people()
		pull := d.open("change", map[string]string{dpg("clinic"): swap(t, stewarded("clinic"), "Nurses in rural", "Nurses in all rural")})
		for _, c := range []string{
			"/dpg reject clinic needs/N1 because " + flat, "/dpg accept " + flat + " needs/N1 because x", "/dpg reject clinic needs/" + flat + " because x",
			"/dpg waive " + flat + " until 2026-12-31 because x", "/dpg " + flat, "/dpg fix " + flat, "/dpg validate\n" + attack,
		} {
			d.says("maria", pull, c)
		}
		d.respond(pull)
		spoken := d.answersOn(pull, "answer ")
		fields := []string{"name", "types", "website", "license", "sdgs", "repositories", "id"}
		for _, field := range []string{fields[i%len(fields)], fields[(i+3)%len(fields)]} { // each with several attacks
			answers := wells()
			answers[field] = attack
			issue := d.issue("rita", issueBody("dpg", answers))
			d.respond(issue)
			spoken = append(spoken, d.answersOn(issue, "issue")...)
		}
		for _, field := range []string{"entry", "value", "reason"} {
			answers := map[string]string{"entry": "clinic", "what": "description", "value": "x", "reason": "y"}
			answers[field] = attack
			issue := d.issue("rita", issueBody("correction", answers))
			d.respond(issue)
			spoken = append(spoken, d.answersOn(issue, "issue")...)
		}
		for _, pr := range d.pulls("") {
			if pr.Own {
				spoken = append(spoken, pr.Body)
				if !plainTitle.MatchString(pr.Title) {
					t.Errorf("title %q", pr.Title)
				}
				for line := range strings.Lines(d.git("", "log", "-1", "--format=%B", pr.Head)) {
					if strings.Contains(line, canary) && !plainTitle.MatchString(strings.TrimPrefix(strings.TrimSpace(line), "registry: ")) {
						t.Errorf("a commit message has the line %q", line)
					}
				}
			}
		}
		if len(spoken) < 8 {
			t.Fatalf("the bot spoke %d times only", len(spoken))
		}
		for _, text := range spoken {
			checkMarkdown(t, number.ReplaceAllString(text, "number $1"))
			if n := len([]rune(text)); n > forge.MaxBody {
				t.Errorf("%d characters are more than a forge takes", n)
			}
		}
	}
}
