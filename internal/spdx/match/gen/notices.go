package main

import (
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/spdx/match"
)

// notices are the words that some licences ask to be put at the head of files.
// They say what the text alone does not: whether a later version may be chosen.
func notices() []match.Source {
	var all []match.Source
	add := func(text string, ids ...string) {
		all = append(all, match.Source{IDs: ids, Kind: match.Header, Text: text})
	}
	// A GNU notice names the program and goes on with what it is hoped to be.
	addGNU := func(text, name, id string) {
		const program = "This program"
		tail := program + " is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY; without even the implied warranty of MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE. See the " + name +
			" for more details. You should have received a copy of the " + name + " along with this program. If not, see <https://www.gnu.org/licenses/>."
		head := "This file is part of " + program + ". "
		s := match.Source{IDs: []string{id}, Kind: match.Header, Text: head + text + " " + tail}
		s.Optional = []match.Span{{Start: 0, End: len(head)}, {Start: len(head) + len(text), End: len(s.Text)}}
		for at := 0; ; {
			n := strings.Index(s.Text[at:], program)
			if n < 0 {
				break
			}
			s.Fill = append(s.Fill, match.Span{Start: at + n, End: at + n + len(program)})
			at += n + len(program)
		}
		all = append(all, s)
	}
	type licence struct{ id, name, version string }
	var gnu []licence
	for _, f := range []struct {
		id, name string
		versions []string
	}{
		{"GPL", "GNU General Public License", []string{"1", "2", "3"}},
		{"LGPL", "GNU Lesser General Public License", []string{"2.1", "3"}},
		{"LGPL", "GNU Library General Public License", []string{"2"}},
		{"AGPL", "GNU Affero General Public License", []string{"3"}},
	} {
		for _, v := range f.versions {
			gnu = append(gnu, licence{f.id, f.name, v})
		}
	}
	for _, g := range gnu {
		id := g.id + "-" + g.version
		if !strings.Contains(g.version, ".") {
			id += ".0"
		}
		for _, can := range []string{"you can redistribute it and/or modify it", "you may redistribute it and/or modify it"} {
			for _, published := range []string{" as published by the Free Software Foundation", ""} {
				terms := "This program is free software; " + can + " under the terms of the " + g.name
				for _, either := range []string{"either ", ""} {
					addGNU(terms+published+"; "+either+"version "+g.version+" of the License, or (at your option) any later version.", g.name, id+"-or-later")
				}
				addGNU(terms+published+"; version "+g.version+" of the License.", g.name, id+"-only")
				addGNU(terms+published+", version "+g.version+".", g.name, id+"-only")
				addGNU(terms+" version "+g.version+published+".", g.name, id+"-only")
			}
		}
	}
	add(`Permission is granted to copy, distribute and/or modify this document under the terms of the GNU Free Documentation License, Version 1.3 or any later version published by the Free Software Foundation; with no Invariant Sections, no Front-Cover Texts, and no Back-Cover Texts.`, "GFDL-1.3-no-invariants-or-later")
	add(`Permission is granted to copy, distribute and/or modify this document under the terms of the GNU Free Documentation License, Version 1.2 or any later version published by the Free Software Foundation; with no Invariant Sections, no Front-Cover Texts, and no Back-Cover Texts.`, "GFDL-1.2-no-invariants-or-later")
	add(`Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file except in compliance with the License. You may obtain a copy of the License at http://www.apache.org/licenses/LICENSE-2.0 Unless required by applicable law or agreed to in writing, software distributed under the License is distributed on an "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the License for the specific language governing permissions and limitations under the License.`, "Apache-2.0")
	add(`This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy of the MPL was not distributed with this file, You can obtain one at http://mozilla.org/MPL/2.0/.`, "MPL-2.0")
	add(`This Source Code Form is "Incompatible With Secondary Licenses", as defined by the Mozilla Public License, v. 2.0.`, "MPL-2.0-no-copyleft-exception")
	add(`This program and the accompanying materials are made available under the terms of the Eclipse Public License 2.0 which is available at https://www.eclipse.org/legal/epl-2.0/`, "EPL-2.0")
	add(`All rights reserved. This program and the accompanying materials are made available under the terms of the Eclipse Public License v1.0 which accompanies this distribution, and is available at http://www.eclipse.org/legal/epl-v10.html`, "EPL-1.0")
	add(`Distributed under the Boost Software License, Version 1.0. (See accompanying file LICENSE_1_0.txt or copy at http://www.boost.org/LICENSE_1_0.txt)`, "BSL-1.0")
	add(`Licensed under the EUPL, Version 1.2 or – as soon they will be approved by the European Commission – subsequent versions of the EUPL (the "Licence"); You may not use this work except in compliance with the Licence. You may obtain a copy of the Licence at: https://joinup.ec.europa.eu/software/page/eupl Unless required by applicable law or agreed to in writing, software distributed under the Licence is distributed on an "AS IS" basis, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the Licence for the specific language governing permissions and limitations under the Licence.`, "EUPL-1.2")
	return all
}
