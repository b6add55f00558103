package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/dpg-registry/dpg-registry/internal/source"
)

const (
	maxQuoted = 80 // bytes of input that a message repeats
	maxListed = 20 // values that a message lists
	maxKeys   = 12 // keys that a hint lists
)

func quote(s string) string {
	if len(s) > maxQuoted {
		cut := maxQuoted
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return strconv.Quote(s)
}

// count writes 20000 as "20,000".
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func (f *finder) missing(e *jsonschema.ValidationError, keys []string) {
	reason, _ := f.set.condition(e.SchemaURL)
	for _, key := range keys {
		at := append(slices.Clone(e.InstanceLocation), key)
		message := fmt.Sprintf("key %q is missing", key)
		if len(e.InstanceLocation) > 0 {
			message += " in " + subject(e.InstanceLocation)
		}
		hint := reason
		if line := example(key, f.set.property(e.SchemaURL, key)); line != "" {
			if hint != "" {
				hint += "; "
			}
			hint += "add it, such as: " + line
		}
		f.add(found{at: at, rule: ruleRequired, message: message, hint: hint})
	}
}

// example writes the first example of a property as a line of YAML, or "".
func example(key string, property object) string {
	list, _ := property["examples"].([]any)
	if c, ok := property["const"]; ok {
		list = []any{c}
	}
	if len(list) == 0 {
		return ""
	}
	return key + ": " + flow(list[0])
}

// flow writes a value as YAML on one line.
func flow(v any) string {
	switch v := v.(type) {
	case string:
		if needsQuotes(v) {
			return strconv.Quote(v)
		}
		return v
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = flow(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case object:
		var items []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			items = append(items, k+": "+flow(v[k]))
		}
		return "{" + strings.Join(items, ", ") + "}"
	}
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(data)
}

// needsQuotes errs on the safe side: whether YAML would read the text as
// something other than plain text, on its own or inside brackets.
func needsQuotes(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	if s != strings.TrimSpace(s) || !unicode.IsLetter(first) && !strings.HasPrefix(s, "20") {
		return true
	}
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" -./_:+()", r) {
			return true
		}
	}
	if strings.Contains(s, ": ") || strings.HasSuffix(s, ":") {
		return true
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return true
	}
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		return true
	}
	return false
}

func (f *finder) unknown(e *jsonschema.ValidationError, name string) {
	at := append(slices.Clone(e.InstanceLocation), name)
	part := f.set.part(e.SchemaURL)
	if reason, conditional := f.set.condition(e.SchemaURL); conditional {
		f.add(found{at: at, rank: rankMisplaced, onKey: true, rule: ruleUnknown,
			message: fmt.Sprintf("key %s does not belong here", quote(name)), hint: reason})
		return
	}
	properties, _ := part["properties"].(object)
	if len(properties) == 0 {
		f.badMapKey(at, e.SchemaURL, part, name)
		return
	}
	x := found{at: at, onKey: true, rule: ruleUnknown, message: fmt.Sprintf("key %s is not known here", quote(name))}
	known := slices.Sorted(maps.Keys(properties))
	if n, key, exact := f.locate(at); exact && key != nil && n.Kind == source.Null && !f.colonBehind(key) {
		x.message = fmt.Sprintf("%s stands here as a key of its own", quote(name))
		x.hint = "between { and } a comma ends a text: put the text before it in quotes, from its beginning to its end"
	} else if near := nearest(name, known); near != "" {
		x.hint = fmt.Sprintf("did you mean %q?", near)
	} else if other := synonyms[squash(name)]; slices.Contains(known, other) {
		x.hint = fmt.Sprintf("did you mean %q?", other)
	} else if home := f.set.home(e, name); home != "" {
		x.hint = home
	} else if len(known) <= maxKeys {
		x.hint = "known here are " + strings.Join(known, ", ")
	} else {
		x.hint = fmt.Sprintf("known here are %s and %d more", strings.Join(known[:maxKeys], ", "), len(known)-maxKeys)
	}
	f.add(x)
}

// synonyms are the keys of entries by what people call them elsewhere, as squash
// leaves it.
var synonyms = map[string]string{
	"homepage": "website", "url": "website", "site": "website", "web": "website", "link": "website",
	"contact": "contact_url", "email": "contact_url", "mail": "contact_url", "phone": "contact_url", "support": "contact_url",
	"country": "locations", "countrie": "locations", "region": "locations", "deployment": "locations",
	"tag": "topics", "keyword": "topics", "categorie": "sectors", "category": "sectors",
	"owner": "organizations", "author": "organizations", "maintainer": "organizations", "organisation": "organizations",
	"repo": "repositories", "github": "repositories", "git": "repositories", "sourcecode": "repositories", "code": "repositories",
	"title": "name", "summary": "description", "about": "description",
}

// colonBehind reports whether the file has a colon behind a key. One without a value
// may lack it between braces, where a comma inside a text begins another key.
func (f *finder) colonBehind(key *source.Node) bool {
	at, ok := f.doc.Offset(key.End())
	if !ok || key.End() == key.Start() {
		return true
	}
	rest := bytes.TrimLeft(f.doc.Bytes()[at:], " \t\r\n")
	return len(rest) == 0 || rest[0] != ',' && rest[0] != '}'
}

// tooLong is about a text that has more characters than its field takes. Where it is
// of another form altogether, shortening it is no help.
func (f *finder) tooLong(e *jsonschema.ValidationError, k *kind.MaxLength) {
	x := found{at: e.InstanceLocation, rank: rankValue, rule: ruleLength, hint: "shorten it",
		message: fmt.Sprintf("%s has %s characters; at most %s are allowed", subject(e.InstanceLocation), count(k.Got), count(k.Want))}
	n, _, _ := f.locate(e.InstanceLocation)
	expression, _ := f.set.part(e.SchemaURL)["pattern"].(string)
	if noun, ok := f.set.noun(e.SchemaURL, expression); ok && !noun.pattern.MatchString(n.Text) {
		if hint := noun.hint(n.Text); hint != "" {
			x.hint = hint
		}
	}
	f.add(x)
}

// badMapKey is about a mapping whose keys are not fixed but follow a pattern.
func (f *finder) badMapKey(at []string, location string, part object, name string) {
	x := found{at: at, onKey: true, rule: ruleUnknown, message: fmt.Sprintf("key %s is not known here", quote(name))}
	patterns, _ := part["patternProperties"].(object)
	for _, p := range slices.Sorted(maps.Keys(patterns)) {
		if n, ok := f.set.noun(location, p); ok {
			x.message = fmt.Sprintf("key %s is not %s", quote(name), n.phrase())
			x.hint = n.hint(name)
			break
		}
	}
	f.add(x)
}

// home finds where a key that was put into the wrong mapping belongs: its
// indentation is often all that is wrong.
func (s *Set) home(e *jsonschema.ValidationError, name string) string {
	id, _ := splitLocation(e.SchemaURL)
	top, _ := s.follow(id, nil)["properties"].(object)
	if len(e.InstanceLocation) > 0 {
		if _, ok := top[name]; ok {
			return fmt.Sprintf("%q belongs at the top level: check how far it is indented", name)
		}
		return ""
	}
	for _, key := range slices.Sorted(maps.Keys(top)) {
		p, _ := top[key].(object)
		inner, _ := s.resolve(id, p)["properties"].(object)
		if _, ok := inner[name]; ok {
			return fmt.Sprintf("%q belongs in %q", name, key)
		}
	}
	return ""
}

// misplaced is about a key that is known but not allowed beside what stands there.
func (f *finder) misplaced(e *jsonschema.ValidationError) {
	reason, _ := f.set.condition(e.SchemaURL)
	if len(e.InstanceLocation) == 0 {
		f.other(e)
		return
	}
	f.add(found{at: e.InstanceLocation, rank: rankMisplaced, onKey: true, rule: ruleUnknown,
		message: fmt.Sprintf("key %s does not belong here", quote(e.InstanceLocation[len(e.InstanceLocation)-1])), hint: reason})
}

// phrases for what a schema wants, in a fixed order.
var wanted = []struct{ word, phrase string }{
	{"string", "text"},
	{"integer", "a whole number"},
	{"number", "a number"},
	{"boolean", "true or false"},
	{"array", "a list"},
	{"object", "a mapping of keys to values"},
	{"null", "null"},
}

func (f *finder) wrongType(at []string, location string, want []string) {
	n, _, _ := f.locate(at)
	var phrases []string
	for _, w := range wanted {
		if slices.Contains(want, w.word) {
			phrases = append(phrases, w.phrase)
		}
	}
	should := strings.Join(phrases, " or ")
	x := found{at: at, rank: rankType, rule: ruleType}
	switch {
	case n.Kind == source.Null && len(at) == 0:
		x.message = "the file is empty"
	case n.Kind == source.Null:
		x.message = fmt.Sprintf("%s has no value; it must be %s", subject(at), should)
		x.hint = "give it a value, or delete the " + holder(at)
	case n.Kind == source.Int && slices.Contains(want, "integer"): // past 64 bits
		x.rule = ruleRange
		x.message = fmt.Sprintf("%s is too large", subject(at))
	default:
		x.message = fmt.Sprintf("%s must be %s, not %s", subject(at), should, called(n.Kind))
		x.hint, x.edit = f.convert(n, location, want)
	}
	if line := example("schema", f.set.property(location, "schema")); len(at) == 0 && line != "" {
		x.hint = "start it with: " + line
	}
	f.add(x)
}

// holder is what goes when the value at a place goes.
func holder(at []string) string {
	if len(at) == 0 {
		return "file"
	}
	if _, ok := itemNumber(at[len(at)-1]); ok {
		return "item"
	}
	return "key"
}

func called(k source.Kind) string {
	switch k {
	case source.List:
		return "a list"
	case source.Map:
		return "a mapping"
	case source.Int:
		return "a whole number"
	case source.Float:
		return "a decimal number"
	}
	return k.String()
}

// convert says how a value of the wrong type is written in the right one, and
// gives the text itself where there is only one way.
func (f *finder) convert(n *source.Node, location string, want []string) (hint, edit string) {
	part := f.set.part(location)
	if values, ok := part["enum"].([]any); ok {
		return "write one of " + list(values), ""
	}
	scalar := n.Kind != source.List && n.Kind != source.Map
	switch {
	case slices.Contains(want, "string") && scalar && written(n):
		expression, _ := part["pattern"].(string)
		if noun, ok := f.set.noun(location, expression); ok && !noun.pattern.MatchString(n.Text) {
			return noun.hint(n.Text), ""
		}
		edit = strconv.Quote(n.Text)
		return "put it in quotes: " + edit, edit
	case slices.Contains(want, "integer") && n.Kind == source.String:
		if _, err := strconv.ParseInt(n.Text, 10, 64); err == nil {
			return "write it without quotes: " + n.Text, n.Text
		}
	case slices.Contains(want, "array") && scalar:
		items, _ := part["items"].(object)
		if n.Kind == source.String && !strings.Contains(n.Text, "\n") && f.takesText(part, items) {
			switch words := strings.FieldsFunc(n.Text, func(r rune) bool { return r == ',' || r == ';' }); {
			case !needsQuotes(n.Text):
				edit = "[" + n.Text + "]"
				return "write it as " + edit, edit
			case len(words) > 1 && len(n.Text) <= maxQuoted:
				for i, w := range words {
					words[i] = inBrackets(strings.TrimSpace(w))
				}
				return "write it as [" + strings.Join(words, ", ") + "], each item for itself", ""
			case len(n.Text) <= maxQuoted:
				return "write it as [" + inBrackets(n.Text) + "]", ""
			}
		}
		if like := likeExample(part); like != "" {
			return like, ""
		}
		return `put each item on a line of its own, starting with "- "`, ""
	case slices.Contains(want, "array"):
		return `start each item with "- "`, ""
	case slices.Contains(want, "object") && n.Kind == source.List && len(want) == 1:
		return `write its keys without "- "`, ""
	}
	return likeExample(part), ""
}

// inBrackets writes a text as an item of a list in brackets.
func inBrackets(s string) string {
	if needsQuotes(s) {
		return strconv.Quote(s)
	}
	return s
}

// likeExample points to the first example of a schema, if it is short.
func likeExample(part object) string {
	if examples, _ := part["examples"].([]any); len(examples) > 0 {
		if s := flow(examples[0]); len(s) <= 2*maxQuoted {
			return "write it like " + s
		}
	}
	return ""
}

// takesText reports whether the items of a list are plain text.
func (f *finder) takesText(part, items object) bool {
	if items["type"] == "string" {
		return true
	}
	examples, _ := part["examples"].([]any)
	if len(examples) == 0 {
		return false
	}
	first, _ := examples[0].([]any)
	return len(texts(first)) > 0
}

// written reports whether the file has the scalar's text as it reads, so that
// quoting it changes nothing else.
func written(n *source.Node) bool {
	return n.Start().Line == n.End().Line && n.End().Col-n.Start().Col == len(n.Text)
}

func list(values []any) string {
	var words []string
	for _, v := range values {
		if s, ok := v.(string); ok {
			words = append(words, s)
		} else {
			words = append(words, flow(v))
		}
	}
	slices.Sort(words)
	if len(words) > maxListed {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:maxListed], ", "), len(words)-maxListed)
	}
	return strings.Join(words, ", ")
}

func (f *finder) notListed(e *jsonschema.ValidationError, k *kind.Enum) {
	n, _, _ := f.locate(e.InstanceLocation)
	x := found{at: e.InstanceLocation, rank: rankValue, rule: ruleEnum,
		message: fmt.Sprintf("%s is not one of %s", quote(n.Text), list(k.Want))}
	if near := nearest(n.Text, texts(k.Want)); near != "" {
		x.hint = fmt.Sprintf("did you mean %q?", near)
	}
	f.add(x)
}

func (f *finder) notConst(e *jsonschema.ValidationError, k *kind.Const) {
	n, _, _ := f.locate(e.InstanceLocation)
	x := found{at: e.InstanceLocation, rank: rankValue, rule: ruleEnum,
		message: fmt.Sprintf("%s is %s; here it must be %s", subject(e.InstanceLocation), quote(n.Text), flow(k.Want)),
		hint:    "write " + flow(k.Want)}
	if want, ok := k.Want.(string); ok && slices.Equal(e.InstanceLocation, []string{"schema"}) {
		switch f.set.shape(n.Text, want) {
		case otherVersion:
			x.alone = true
		case otherKind:
			x.alone, x.hint = true, x.hint+", or move the file to the folder of its kind"
		}
	}
	f.add(x)
}

// What the first line of a file can say instead of what was expected.
const (
	misspelt = iota
	otherVersion
	otherKind
)

// shape compares what a file says it is, such as "dpg/v2", with what it is
// judged as. A file of another version or kind is not wrong in every line.
func (s *Set) shape(got, want string) int {
	kind, version, _ := strings.Cut(got, "/v")
	if _, err := strconv.ParseUint(version, 10, 31); err != nil {
		return misspelt
	}
	if wantKind, _, _ := strings.Cut(want, "/v"); kind == wantKind {
		return otherVersion
	}
	if s.files[kind+".schema.json"] != nil {
		return otherKind
	}
	return misspelt
}

func (f *finder) mismatch(e *jsonschema.ValidationError, k *kind.Pattern) {
	x := found{at: e.InstanceLocation, rank: rankPattern, rule: rulePattern}
	if n, ok := f.set.noun(e.SchemaURL, k.Want); ok {
		x.message, x.hint = fmt.Sprintf("%s is not %s", quote(k.Got), n.phrase()), n.hint(k.Got)
	} else {
		x.message = fmt.Sprintf("%s is not written in the form of %s", quote(k.Got), subject(e.InstanceLocation))
	}
	f.add(x)
}

// phrase is the noun with its article: "a date", "an SPDX licence id".
func (n noun) phrase() string {
	first, rest, _ := strings.Cut(n.title, " ")
	// A capital that starts an ordinary word goes; SPDX and GitHub keep theirs.
	if strings.ToLower(first) == strings.ToLower(first[:1])+first[1:] {
		first = strings.ToLower(first)
	}
	article := "a "
	if strings.ContainsAny(first[:1], "aeio") || first == "SPDX" {
		article = "an "
	}
	return strings.TrimSpace(article + first + " " + rest)
}

// hint writes the text in the form that was wanted, where only one is likely.
func (n noun) hint(got string) string {
	if len(got) <= 200 {
		trimmed := strings.TrimSpace(got)
		for _, candidate := range []string{
			trimmed, n.date(trimmed), strings.ToUpper(trimmed), strings.ToLower(trimmed),
			strings.ReplaceAll(trimmed, "_", "-"), n.kebab(trimmed),
		} {
			if candidate != "" && n.pattern.MatchString(candidate) {
				return fmt.Sprintf("write it as %q", candidate)
			}
		}
	}
	switch {
	case n.title == "Date":
		return "write it as year-month-day, such as 2023-01-13"
	case len(n.examples) > 0:
		return "write it like " + strings.Join(n.examples[:min(2, len(n.examples))], " or ")
	}
	return ""
}

func (n noun) date(s string) string {
	if n.title != "Date" {
		return ""
	}
	return date(s)
}

// kebab makes an id of a name; other text would lose its meaning by that.
func (n noun) kebab(s string) string {
	if n.title != "Kebab-case id" {
		return ""
	}
	return kebab(s)
}

func (f *finder) misformed(e *jsonschema.ValidationError, k *kind.Format) {
	got, _ := k.Got.(string)
	x := found{at: e.InstanceLocation, rank: rankFormat, rule: rulePattern}
	// The library looks at the pattern only once the format is right.
	expression, _ := f.set.part(e.SchemaURL)["pattern"].(string)
	n, named := f.set.noun(e.SchemaURL, expression)
	switch {
	case named && !n.pattern.MatchString(got):
		x.message, x.hint = fmt.Sprintf("%s is not %s", quote(got), n.phrase()), n.hint(got)
	case k.Want == "date":
		x.message = fmt.Sprintf("%s is not a day of the calendar", quote(got))
	default:
		x.message = fmt.Sprintf("%s is not of the form %q", quote(got), k.Want)
	}
	f.add(x)
}

func (f *finder) tooShort(e *jsonschema.ValidationError, k *kind.MinLength) {
	x := found{at: e.InstanceLocation, rank: rankValue, rule: ruleLength}
	if k.Got == 0 {
		x.message = subject(e.InstanceLocation) + " is blank"
		x.hint = "write it, or delete the " + holder(e.InstanceLocation)
	} else {
		x.message = fmt.Sprintf("%s has %s; at least %d are needed", subject(e.InstanceLocation), plural(k.Got, "character"), k.Want)
	}
	f.add(x)
}

func (f *finder) outOfRange(e *jsonschema.ValidationError) {
	n, _, _ := f.locate(e.InstanceLocation)
	part := f.set.part(e.SchemaURL)
	low, hasLow := part["minimum"].(json.Number)
	high, hasHigh := part["maximum"].(json.Number)
	var bounds string
	switch {
	case hasLow && hasHigh:
		bounds = fmt.Sprintf("from %s to %s", low, high)
	case hasLow:
		bounds = fmt.Sprintf("%s or more", low)
	case hasHigh:
		bounds = fmt.Sprintf("%s or less", high)
	default:
		f.other(e)
		return
	}
	text := n.Text
	if len(text) > maxQuoted {
		text = quote(text)
	}
	f.add(found{at: e.InstanceLocation, rank: rankValue, rule: ruleRange,
		message: fmt.Sprintf("%s is %s; it must be %s", subject(e.InstanceLocation), text, bounds)})
}

func (f *finder) tooFew(e *jsonschema.ValidationError, got, want int, what string) {
	x := found{at: e.InstanceLocation, rank: rankValue, rule: ruleCount}
	part := f.set.part(e.SchemaURL)
	if got == 0 {
		x.message = fmt.Sprintf("%s is empty; it needs at least %s", subject(e.InstanceLocation), plural(want, what))
	} else {
		x.message = fmt.Sprintf("%s has %s; it needs at least %d", subject(e.InstanceLocation), plural(got, what), want)
	}
	if properties, _ := part["properties"].(object); len(properties) > 0 {
		x.hint = "give one of " + strings.Join(slices.Sorted(maps.Keys(properties)), ", ")
	} else {
		x.hint = likeExample(part)
	}
	f.add(x)
}

func (f *finder) tooMany(e *jsonschema.ValidationError, got, want int, what string) {
	f.add(found{at: e.InstanceLocation, rank: rankValue, rule: ruleCount,
		message: fmt.Sprintf("%s has %s; at most %s are allowed", subject(e.InstanceLocation), plural(got, what), count(want))})
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}
