package lint

import (
	"slices"

	"github.com/dpg-registry/dpg-registry/internal/diag"
	"github.com/dpg-registry/dpg-registry/internal/typo"
)

// Others are the findings that no rule of this package makes: of files that cannot
// be read, that break their schema, of the bot's own files, and of what a pull
// request does. They are errors always: no policy changes their severity and no
// waiver reaches them. Sorted by id; read only.
//
// They stand here so that every id that anybody reads behind a finding can be
// explained from one place.
var Others = []*Rule{
	other("assessment-file", "an assessment is the bot's, can be read, and stands where its entry's place says",
		`Assessments are written by the bot, each beside its entry: that of dpgs/dhis2.yaml is assessments/dpgs/dhis2.yaml. Nobody
needs to write or mend one by hand. Delete the file that is named, and the bot makes it anew; what people decided
stands in the entry, under "decisions", and is not lost.`),
	other("base-apart", "a pull request has history in common with the branch that it goes to",
		`The commits proposed do not go back to any commit of the main branch, as after "git checkout --orphan" or a push from
another repository. What such a pull request changes cannot be told. Begin a branch at the main branch, make the change
there, and push it in place of the one that was proposed.`),
	other("base-moved", "what a pull request changes has not changed on the branch that it goes to",
		`Somebody changed the same file on the main branch after this pull request began, so nobody has seen what merging will
make of it. Merge the main branch into yours (on GitHub: "Update branch"), settle what differs, and push.`),
	other("duplicate-key", "no key is given twice",
		`Of two values under one key only one would count, and which one depends on the program that reads the file. Keep the
right one, or put both into one list where the field takes a list.`),
	other("entry-deleted", "the file of an entry is never deleted or moved to another id",
		`What others link to must keep answering, and an id is never used again for something else. Bring the file back and
change `+"`status.stage`"+`: "archived" takes the entry out of the lists, "removed" erases all that it says but the reason and
the date, and "renamed", with `+"`status.moved_to`"+`, leads to the new id. This is found in what a change does, never in the files alone.`),
	other("file-encoding", "a file is text in UTF-8 without control characters",
		`Save the file as UTF-8, which is what most editors do; an older one may call it "Unicode (UTF-8)". Control characters
cannot be seen, and can make a line look like another than it is: delete them.`),
	other("file-place", "a file stands in the folder of a kind of entry",
		`The folder says what sort of thing an entry is, such as "dpgs" for digital public goods and "resources" for guides and
papers. Move the file to the folder of its kind, in a sub-folder if you like, or out of the registry.`),
	other("file-size", "a file has 1 MiB at most",
		`An entry is a few kilobytes of text that people read and that every copy of the catalog carries. Link to long documents
instead of copying them into the file.`),
	other("file-symlink", "a file is a plain file",
		`A symbolic link may lead anywhere, out of the registry too, so none is followed. Put the file itself where the link is;
an entry that has another name now gets the stage "renamed" instead.`),
	other("observation-file", "an observation is the bot's, and is of the entry that its place says",
		`Observations are written by the bot, each in a place that mirrors its entry's: that of dpgs/dhis2.yaml is
observations/dpgs/dhis2.yaml. They hold what was seen outside, with the day. Nobody needs to write or mend one by hand:
delete the file that is named, and the bot looks again.`),
	other("schema", "a file has the shape of its kind",
		`Each kind of file has a JSON Schema in schemas/, which says what belongs where. An editor that knows YAML schemas reads
the first line of the file and then shows mistakes while you type; an entry that passes makes a good model.`),
	other("schema-count", "a list or a group has as many members as its field takes",
		`Some lists need one item at least, and all have an upper bound, far above what entries need. The message says how many
there are and how many there may be. Leave the key out where there is nothing to list.`),
	other("schema-enum", "a value is one of the words that its field knows",
		`Fields such as "types" and "status.stage" take words from a fixed list, so that entries can be searched and counted. The
message names the words, or the one that looks like yours.`),
	other("schema-length", "a text is as long as its field takes",
		`The message says how long the text is and how long it may be, in characters. What is longer belongs on a page that the
entry links to. A text that is empty is no text: leave the key out.`),
	other("schema-pattern", "a text has the form that its field asks for",
		`Ids, dates, country codes and accounts have a form that programs rely on: 2023-01-13, not 13 January; "open-food-facts",
not "Open Food Facts". The message says which form is meant and gives an example.`),
	other("schema-range", "a number lies within its bounds",
		`The message says what the number is and which numbers there may be, such as 1 to 17 for a Sustainable Development Goal.
A number in quotes is a text; write it without.`),
	other("schema-required", "what an entry cannot do without is there",
		`An entry can be listed once it says what it is: "schema", "id", "name", what sort of thing it is, and its status. All else
may be left out while it is not known. Some keys are asked for only because of another, and the message then says of which.`),
	other("schema-type", "a value is of the sort that its field takes",
		`A list stands where one text belongs, or a word where a number does. In YAML a list is written [one, two] or with a dash on
each line; a text that looks like a number, a date or yes and no is put in quotes.`),
	other("schema-unknown-key", "every key is one that the schema knows",
		`A key that nobody knows would be passed over without a word, and what stands under it would be lost. It is usually misspelt
or indented too far or not far enough; the message names the key that looks like it.`),
	other("yaml-alias", "values are written out instead of being repeated by name",
		`YAML lets one value stand for many, with & and *. A few are fine; very many, or one inside itself, can make a small file
endless for whoever reads it. Write the values out.`),
	other("yaml-depth", "values are not nested deeper than any entry needs",
		`No field of an entry goes more than a few steps deep, so this is nearly always a slip of indentation or of brackets. Look
at the line that is named and at those above it.`),
	other("yaml-document", "a file holds one entry",
		`A line of three dashes begins another document, which nobody would read. Put each entry in a file of its own, named by its
id, and delete the dashes.`),
	other("yaml-key", "keys are plain words",
		`Keys are the names of fields, such as "name". Keys that are lists or mappings, and the merge key <<, are part of YAML but
not of entries: write the fields out.`),
	other("yaml-syntax", "a file is YAML",
		`The file could not be read past the place that is named; the slip is often on the line above. Usual ones are a missing
quote, a tab instead of spaces, lines of a list that do not begin in one column, and a colon with a space behind it
inside a text without quotes.`),
}

func other(id, summary, doc string) *Rule {
	return &Rule{ID: id, Severity: diag.Error, Summary: summary, Doc: doc}
}

// Suggest returns the ids of rules and other findings that a misspelt one is likely
// to mean, nearest first.
func Suggest(id string) []string {
	var ids []string
	for _, r := range append(slices.Clone(Rules), Others...) {
		ids = append(ids, r.ID)
	}
	return typo.Near(id, ids)
}

// Explain returns the rule or other finding of that id, or nil. Every finding of
// this project has one.
func Explain(id string) *Rule {
	if r := Lookup(id); r != nil {
		return r
	}
	return find(Others, id)
}
