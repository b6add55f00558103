package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/assess"
)

// parse reads an answer. It takes the shape that was asked for and no other; what
// stands in it is not judged here.
func parse(content string) (*assess.Answer, error) {
	var said struct {
		Mappings *[]struct {
			Code     string `json:"code"`
			Strength int    `json:"strength"`
			Evidence []struct {
				Field string `json:"field"`
				Quote string `json:"quote"`
			} `json:"evidence"`
		} `json:"mappings"`
		Summary *[]struct {
			Text   string   `json:"text"`
			Fields []string `json:"fields"`
		} `json:"summary"`
	}
	d := json.NewDecoder(strings.NewReader(content))
	d.DisallowUnknownFields()
	if err := d.Decode(&said); err != nil {
		return nil, fmt.Errorf("the answer is not JSON of the shape asked for: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the answer goes on after its JSON")
	}
	if said.Mappings == nil || said.Summary == nil {
		return nil, errors.New(`the answer lacks "mappings" or "summary"`)
	}
	if len(*said.Mappings) > assess.MaxAnswerMappings || len(*said.Summary) > assess.MaxAnswerSentences {
		return nil, fmt.Errorf("the answer has more than %d codes or %d sentences", assess.MaxAnswerMappings, assess.MaxAnswerSentences)
	}
	a := &assess.Answer{Mappings: []assess.Finding{}}
	for _, m := range *said.Mappings {
		f := assess.Finding{Code: m.Code, Strength: m.Strength, Evidence: []assess.Evidence{}}
		for _, e := range m.Evidence {
			f.Evidence = append(f.Evidence, assess.Evidence{Pointer: e.Field, Quote: e.Quote})
		}
		a.Mappings = append(a.Mappings, f)
	}
	for _, s := range *said.Summary {
		a.Summary = append(a.Summary, assess.Sentence{Text: s.Text, From: s.Fields})
	}
	return a, nil
}
