package bot

import (
	"strconv"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/diag"
)

// fold hides detail under a line that opens on a click. The blank lines make
// the Markdown inside be read as such.
func fold(summary, detail string) string {
	return "<details><summary>" + summary + "</summary>\n\n" + strings.TrimRight(detail, "\n") + "\n\n</details>\n\n"
}

// some lists the first few of many, each as code.
func some(all []string, limit int) string {
	const most = 5
	var shown []string
	for _, s := range all[:min(len(all), most)] {
		shown = append(shown, diag.Code(s, limit))
	}
	list := strings.Join(shown, ", ")
	if len(all) > most {
		list += " and " + strconv.Itoa(len(all)-most) + " more"
	}
	return list
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
