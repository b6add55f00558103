package spdx

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRepair(t *testing.T) {
	for want, inputs := range map[string][]string{
		"MIT": {
			"MIT", "mit", " MIT ", "\"MIT\"", "MIT License", "The MIT License (MIT)", "MIT licence", "Expat", "MIT open source licence", "licensed under the MIT License",
			"License :: OSI Approved :: MIT License", "SPDX-License-Identifier: MIT", "MIT + file LICENSE", "https://opensource.org/licenses/MIT", "opensource.org/license/mit/",
			"http://www.opensource.org/licenses/mit-license.php", "https://spdx.org/licenses/MIT.html", "https://choosealicense.com/licenses/mit/", "MIT (https://opensource.org/licenses/MIT)", "[MIT](https://opensource.org/license/mit)",
		},
		"Apache-2.0": {
			"Apache-2.0", " Apache-2.0", "Apache 2", "Apache 2.0", "Apache2", "Apache v2", "ASL 2.0", "Apache License, Version 2.0", "Apache License 2.0 (Apache-2.0)", "Apache Software License 2.0",
			"Appache 2.0", "Apahce 2", "Apache Lisence 2.0", "https://www.apache.org/licenses/LICENSE-2.0", "http://www.apache.org/licenses/LICENSE-2.0.txt", "https://opensource.org/license/apache-2-0",
		},
		"BSD-3-Clause":                         {"BSD-3", "BSD3", "3-clause BSD", "Three-clause BSD licence", "New BSD License", "Modified BSD", "Revised BSD", "BSD 3-Clause \"New\" or \"Revised\" License", "BSD-3-Clasue"},
		"BSD-2-Clause":                         {"BSD-2", "Simplified BSD", "two clause BSD", "BSD-2-Clause-NetBSD"},
		"BSD-2-Clause-Views":                   {"BSD-2-Clause-FreeBSD"}, // deprecated, with one successor
		"MPL-2.0":                              {"MPLv2", "MPL 2", "Mozilla Public License Version 2.0", "Mozilla Public License 2.0 (MPL 2.0)", "Mozila Public Licence 2", "https://www.mozilla.org/en-US/MPL/2.0/", "http://mozilla.org/MPL/2.0"},
		"EPL-2.0":                              {"Eclipse Public License version 2.0", "EPL 2", "https://www.eclipse.org/legal/epl-v20.html", "https://www.eclipse.org/legal/epl-2.0/"},
		"EUPL-1.1":                             {"EUPL 1.1", "EUPLv1.1", "European Union Public Licence 1.1"},
		"EUPL-1.2":                             {"European Union Public Licence v. 1.2", "EUPL 1.2 only", "https://joinup.ec.europa.eu/collection/eupl/eupl-text-eupl-12"},
		"EUPL-1.2+":                            {"EUPL v1.2 or later", "EUPL-1.2+"},
		"ISC":                                  {"ISC License", "isc"},
		"Unlicense":                            {"The Unlicense", "Unlicence", "https://unlicense.org/"},
		"BSL-1.0":                              {"Boost Software License 1.0", "Boost"},
		"WTFPL":                                {"WTFPL v2", "http://www.wtfpl.net/"},
		"Zlib":                                 {"zlib/libpng", "zlib License"},
		"OFL-1.1":                              {"SIL Open Font License 1.1", "OFL 1.1"},
		"Artistic-2.0":                         {"Artistic License 2.0"},
		"GPL-2.0-only":                         {"GPLv2 only", "GPL-2.0-only", "GNU General Public License v2.0 only"},
		"GPL-2.0-or-later":                     {"GPL 2+", "GPLv2+", "GPL-2.0+", "GPL (>= 2)", "GPL 2 or any later version", "GNU GPL version 2 or (at your option) any later version", "GNU General Public License v2 or later (GPLv2+)"},
		"LGPL-2.0-or-later":                    {"GNU Lesser General Public License v2 or later (LGPLv2+)"},
		"LGPL-3.0-or-later":                    {"LGPLv3+", "LGPL 3 or newer"},
		"GFDL-1.2-or-later":                    {"GNU FDL 1.2 or later", "GFDL 1.2+"},
		"GFDL-1.3-only":                        {"FDL 1.3 only"},
		"AGPL-3.0-or-later":                    {"AGPLv3+", "GNU Affero GPL 3.0 or later"},
		"CC-BY-4.0":                            {"CC BY 4.0", "CC-BY4.0", "CCBY 4.0", "Creative Commons Attribution 4.0 International License", "Attribution 4.0 International (CC BY 4.0)", "Creative Comons Attribution 4.0", "Creative Commons Namensnennung 4.0", "https://creativecommons.org/licenses/by/4.0", "http://creativecommons.org/licenses/by/4.0/legalcode", "https://creativecommons.org/licenses/by/4.0/deed.fr", "creativecommons.org/licenses/by/4.0/", "CC BY 4.0 https://creativecommons.org/licenses/by/4.0/"},
		"CC-BY-SA-2.0":                         {"Creative Commons Attribution-ShareAlike 2.0 license", "CC BY-SA 2.0"},
		"CC-BY-SA-4.0":                         {"BY-SA 4.0", "Creative Commons Attribution Share-Alike v4.0"},
		"CC-BY-NC-4.0":                         {`<a href="https://creativecommons.org/licenses/by-nc/4.0/">CC BY-NC</a>`},
		"CC-BY-NC-3.0":                         {"CC-BY-NC 3.0", "Creative Commons Attribution Non-Commercial 3.0"},
		"CC-BY-NC-ND-4.0":                      {"CC BY–NC–ND 4.0", "CC BY – NC – ND 4.0 International", "Creative Commons Attribution-NonCommercial-NoDerivatives 4.0 International Public License"},
		"CC-BY-NC-ND-3.0-IGO":                  {"CC-IGO BY-NC-ND 3.0", "https://creativecommons.org/licenses/by-nc-nd/3.0/igo/"},
		"CC-BY-3.0-DE":                         {"Attribution 3.0 Germany (CC BY 3.0 DE)"},
		"CC0-1.0":                              {"CC0", "CC0 1.0", "CC Zero", "Creative Commons Zero v1.0 Universal", "Public Domain (CC0)", "https://creativecommons.org/publicdomain/zero/1.0/"},
		"ODbL-1.0":                             {"ODbL", "ODbLv1", "Open Database License v1.0", "https://opendatacommons.org/licenses/odbl/1-0/"},
		"ODC-By-1.0":                           {"ODC-BY-1.0", "Open Data Commons Attribution License"},
		"PDDL-1.0":                             {"PDDL", "Open Data Commons Public Domain Dedication and License"},
		"OGL-UK-3.0":                           {"Open Government Licence v3.0", "http://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"},
		"etalab-2.0":                           {"Licence Ouverte 2.0"},
		"MIT OR Apache-2.0":                    {"MIT or Apache 2.0", "MIT Or Apache-2.0", "MIT || Apache-2.0", "either MIT or Apache 2"},
		"MIT AND CC-BY-4.0":                    {"MIT and CC BY 4.0", "MIT & CC-BY-4.0"},
		"MIT AND ISC AND Zlib":                 {"MIT, ISC and Zlib"},
		"GPL-2.0-or-later OR MIT":              {"GPLv2 or later or MIT", "GPL (>= 2) | MIT + file LICENSE"},
		"CC-BY-4.0 AND CC-BY-SA-4.0":           {"CC BY 4.0 and CC BY-SA 4.0"}, // not one licence with all these words
		"LicenseRef-own":                       {"licenseref-own"},
		"MIT WITH DocumentRef-a:AdditionRef-b": {"MIT with documentref-a:additionref-b"},
		"LGPL-2.0-or-later WITH WxWindows-exception-3.1": {"wxWindows"},
		"GPL-2.0-or-later WITH Classpath-exception-2.0":  {"GPLv2+ with the Classpath exception", "GPL-2.0-or-later w/ classpath exception 2.0"},
		"Artistic-1.0-Perl OR GPL-1.0-or-later":          {"same terms as Perl itself"},
	} {
		for _, s := range inputs {
			if got := Repair(s); got.Expression != want {
				t.Errorf("Repair(%q) = %+v, want %q", s, got, want)
			}
		}
	}
}

// What only a person can say is a question, with what there is to choose from.
func TestRepairAsks(t *testing.T) {
	later := func(base string) []string { return []string{base + "-only", base + "-or-later"} }
	versions := func(id string, versions ...string) (ids []string) {
		for _, v := range versions {
			ids = append(ids, id+"-"+v)
		}
		return ids
	}
	for _, tt := range []struct {
		s, question string   // a part of it
		want        []string // candidates
	}{
		{"GPLv3", "may a later version of GPL-3.0 be used?", later("GPL-3.0")},
		{"GPL-3.0", "may a later version of GPL-3.0 be used?", later("GPL-3.0")},
		{"GPL-3.0 License", "later", later("GPL-3.0")},
		{"GNU General Public License v3.0", "later", later("GPL-3.0")},
		{"AGPLv3", "later", later("AGPL-3.0")},
		{"GNU Affero General Public License version 3", "later", later("AGPL-3.0")},
		{"GNU LGPL v2.1", "later", later("LGPL-2.1")},
		{"https://www.gnu.org/licenses/gpl-3.0.en.html", "later", later("GPL-3.0")},
		{"https://www.gnu.org/licenses/old-licenses/gpl-2.0.txt", "later", later("GPL-2.0")},
		{"GFDL 1.3", "later", later("GFDL-1.3")},
		{"GPL-2.0 WITH Classpath-exception-2.0", "later", []string{"GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-or-later WITH Classpath-exception-2.0"}},
		{"MIT OR GPL-2.0", "later", []string{"MIT OR GPL-2.0-only", "MIT OR GPL-2.0-or-later"}},

		{"CC BY", "which version", versions("CC-BY", "4.0", "3.0", "2.5", "2.0", "1.0")},
		{"CC BY-SA", "which version", versions("CC-BY-SA", "4.0", "3.0", "2.5", "2.0", "1.0")},
		{"Creative Commons Attribution Non-commercial", "which version", versions("CC-BY-NC", "4.0", "3.0", "2.5", "2.0", "1.0")},
		{"Creative Commons Attribution-ShareAlike License", "which version", versions("CC-BY-SA", "4.0", "3.0", "2.5", "2.0", "1.0")},
		{"https://creativecommons.org/licenses/by-nc/", "which version", versions("CC-BY-NC", "4.0", "3.0", "2.5", "2.0", "1.0")},
		{"Apache", "which version", versions("Apache", "2.0", "1.1", "1.0")},
		{"Apache 3.0", "no 3 of it", versions("Apache", "2.0", "1.1", "1.0")},
		{"EPL", "which version", versions("EPL", "2.0", "1.0")},
		{"LGPL", "which version", append(append(later("LGPL-3.0"), later("LGPL-2.1")...), later("LGPL-2.0")...)},
		{"https://www.gnu.org/copyleft/gpl.html", "which version", append(append(later("GPL-3.0"), later("GPL-2.0")...), later("GPL-1.0")...)},
		{"BSD License", "which version", []string{"BSD-3-Clause", "BSD-2-Clause", "BSD-1-Clause", "BSD-4-Clause"}},
		{"Elastic License", "no other version", []string{"Elastic-2.0"}}, // there is a 1.0, which is not on the list
		{"Open Government Licence 2.0", "which of these", []string{"OGL-UK-2.0", "OGL-Canada-2.0"}},
		{"Creative Commons", "which Creative Commons licence", []string{"CC-BY-4.0", "CC-BY-SA-4.0", "CC0-1.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0", "CC-BY-NC-ND-4.0"}},

		{"MIT AND", "follows \"AND\"", []string{"MIT"}},
		{"Apache 2.0 or", "follows \"OR\"", []string{"Apache-2.0"}},
		{"GPL-2.0-only with", "follows \"WITH\"", []string{"GPL-2.0-only"}},
		{"MIT, CC0", "AND", []string{"MIT AND CC0-1.0", "MIT OR CC0-1.0"}},
		{"MIT/Apache-2.0", "OR", []string{"MIT AND Apache-2.0", "MIT OR Apache-2.0"}},
		{"dual licensed under MIT and Apache 2.0", "OR", []string{"MIT AND Apache-2.0", "MIT OR Apache-2.0"}},
		{"GPL 2+, EUPL 1.1", "AND", []string{"GPL-2.0-or-later AND EUPL-1.1", "GPL-2.0-or-later OR EUPL-1.1"}},
		{"GPLv2 or MIT", "GPLv2: may a later version", []string{"GPL-2.0-only OR MIT", "GPL-2.0-or-later OR MIT"}},
		{"ODbLv1, DbCLv1, CC BY-SA", `which licence is "DbCLv1"?`, nil},

		{"Modified CC-BY-NC", "word for word", versions("CC-BY-NC", "4.0", "3.0", "2.5", "2.0", "1.0")},
		{"MIT-style", "word for word", []string{"MIT"}},
		{"CC-BY-SA-3.0-US", "No licence has this name", []string{"CC-BY-3.0-US", "CC-BY-SA-3.0"}},
		{"CC BY 2.0 UK", `what does "uk" add?`, []string{"CC-BY-2.0"}},
		{"MTI", "did you mean MIT?", []string{"MIT"}}, // three letters may be another abbreviation
		{"UNLICENSED", "no licence", []string{"Unlicense"}},
		{"public domain", "by which text", []string{"CC0-1.0", "Unlicense", "PDDL-1.0"}},

		{"", "none is written", nil},
		{" . ", "none is written", nil},
		{"None", "nobody may use the work", nil},
		{"proprietary", "give no right", nil},
		{"Net-SNMP", "without a successor", nil},
		{"our own", "No name", nil},
		{"MIT OR", "which licence follows \"OR\"?", []string{"MIT"}},
		{"-+-", "No name", nil},
		{"NGPLX", "did you mean NGPL?", []string{"NGPL"}},
		{"https://github.com/example/project/blob/main/LICENSE", "An address says where", nil},
		{"https://fedoraproject.org/wiki/Licensing/BSD", "An address says where", nil}, // a page with many
		{"Apache 2.0 with Commons Clause", "Commons Clause", nil},
		{strings.Repeat("MIT ", 1000), "longer than", nil},
	} {
		got := Repair(tt.s)
		if got.Expression != "" || !strings.Contains(got.Question, tt.question) {
			t.Errorf("Repair(%.60q) = %+v, want the question %q", tt.s, got, tt.question)
		}
		if diff := cmp.Diff(tt.want, got.Candidates); diff != "" {
			t.Errorf("Repair(%.60q): candidates (-want +got)\n%s", tt.s, diff)
		}
	}
}

// A slip that was put right is told from a name that is right.
func TestRepairSlip(t *testing.T) {
	for s, want := range map[string]bool{"Apache 2": false, "Apahce 2": true, "Mozilla Public License 2.0": false, "Mozila Public License 2.0": true, "mit": false} {
		if got := Repair(s); got.Slip != want || got.Expression == "" {
			t.Errorf("Repair(%q) = %+v, want Slip %v", s, got, want)
		}
	}
}

// Every id and name of the list leads back to itself, in small letters and
// without its dashes too; a deprecated one to what succeeds it.
func TestRepairList(t *testing.T) {
	for _, l := range Licenses() {
		if l.ID == "Net-SNMP" {
			continue
		}
		inputs := []string{l.ID, strings.ToLower(l.ID), strings.ReplaceAll(l.ID, "-", " "), "https://spdx.org/licenses/" + l.ID + ".html"}
		if l.Name != "" && !l.Deprecated {
			inputs = append(inputs, l.Name, l.Name+" ("+l.ID+")")
		}
		for _, s := range inputs {
			got := Repair(s)
			for _, id := range current(l.ID) {
				if !slices.Contains(got.options(), id) {
					t.Errorf("Repair(%q) = %+v, want %q or a choice with it", s, got, id)
				}
			}
		}
		if !l.Deprecated {
			if got := Repair(l.ID); got.Expression != l.ID {
				t.Errorf("Repair(%q) = %+v", l.ID, got)
			}
		}
	}
}

// Hostile text is answered as fast as any other.
func BenchmarkRepair(b *testing.B) {
	for _, s := range []string{"Apache 2", "Creative Comons Attributoin 4.0", strings.Repeat("Apahce ", 40), strings.Repeat("(MIT)/", 50), strings.Repeat("a,", 150)} {
		b.Run(s[:8], func(b *testing.B) {
			for b.Loop() {
				Repair(s)
			}
		})
	}
}
