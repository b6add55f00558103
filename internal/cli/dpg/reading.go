package dpg

import (
	"cmp"
	"slices"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/lint"
)

// everyRule is the rules of package lint and what is found before they run,
// sorted by id.
func everyRule() []*lint.Rule {
	all := slices.Concat(lint.Rules, reading)
	slices.SortFunc(all, func(a, b *lint.Rule) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// reading is what can be wrong before there is an entry to judge. These findings
// are errors always: no policy changes them and no waiver reaches them.
var reading = []*lint.Rule{
	read("assessment-file", "an assessment can be read and stands where its entry's place says",
		"The bot writes these files. Delete the one that is named; the bot makes it again."),
	read("base-moved", "a file is changed on one side only",
		"The branch to merge into changed the same file since the pull request began, so what merging makes of it was not judged.\n"+
			"Merge that branch into yours, settle what differs, and push. It is found when a pull request is reviewed."),
	read("duplicate-key", "a key is given once",
		"Of two values under one key only one would count, and nobody sees which. Keep the right one."),
	read("entry-deleted", "an entry's file is never deleted or moved away",
		"What others link to must keep answering, and an id is never used again. Keep the file and change status.stage:\n"+
			"archived takes the entry out of the lists, removed erases what it says but for the reason and the date, and\n"+
			"renamed, with moved_to, leads to its new id. It is found when a pull request is reviewed."),
	read("file-encoding", "a file is plain text in UTF-8",
		"Save the file as UTF-8, without control characters: they are invisible, and can make a line look like another."),
	read("file-place", "a file stands in the folder of a kind",
		"The folder says what sort of thing an entry is. Move the file to the folder of its kind, or out of the registry."),
	read("file-size", "a file is 1 MiB at most",
		"An entry is a few kilobytes. Link to long documents instead of copying them."),
	read("file-symlink", "a file is a plain file",
		"A symbolic link may lead anywhere, so none is followed. Put the file itself there."),
	read("schema", "a file has the shape of its schema",
		"Each kind of file has a JSON Schema in schemas/. An editor that reads the file's first line shows what belongs where."),
	read("schema-count", "a list has as many items as its field takes", "The message says how many."),
	read("schema-enum", "a value is one of the words its field knows", "The message lists them, or the nearest."),
	read("schema-length", "a text is as long as its field takes", "The message says how long it may be."),
	read("schema-pattern", "a text has the form its field asks for",
		"Ids, dates, codes and links have a form that programs rely on. The message gives an example."),
	read("schema-range", "a number is within its bounds", "The message says which they are."),
	read("schema-required", "what an entry needs is there",
		"Without it the entry cannot be listed. What is not known is left out, unless the message names it."),
	read("schema-type", "a value is of the sort its field takes",
		"A list where one text belongs, or a word where a number does. In YAML, quote what only looks like a number or a date."),
	read("schema-unknown-key", "every key is one that the schema knows",
		"A misspelt key would be ignored without a word. The message names the nearest that is known."),
	read("yaml-alias", "values are written out",
		"A few short aliases are fine; many, or one inside itself, can make a small file endless."),
	read("yaml-depth", "values are not nested deeper than any entry needs", "No field of an entry goes that deep; check the indentation."),
	read("yaml-document", "a file holds one entry", "Nothing after a second --- is read. Put each entry in a file of its own."),
	read("yaml-key", "keys are plain words", "Merge keys (<<) and keys that are lists or maps are not used here."),
	read("yaml-syntax", "a file is YAML",
		"The place is where the parser gave up; the mistake is often a line above: indentation, a tab, or a colon in a text without quotes."),
}

func read(id, summary, doc string) *lint.Rule {
	return &lint.Rule{ID: id, Severity: diag.Error, Summary: summary, Doc: doc}
}
