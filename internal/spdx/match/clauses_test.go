package match

import (
	"slices"
	"strings"
	"testing"
)

const mitText = `The MIT License (MIT)

Copyright (c) 2021 Jane Doe

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
`

const bsdText = `Copyright (c) 2021, Jane Doe
All rights reserved.

Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this
   list of conditions and the following disclaimer.

2. Redistributions in binary form must reproduce the above copyright notice,
   this list of conditions and the following disclaimer in the documentation
   and/or other materials provided with the distribution.

3. Neither the name of the copyright holder nor the names of its
   contributors may be used to endorse or promote products derived from
   this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS"
AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE
IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
`

// A word or two in the middle of a sentence of a licence takes rights away as well.
func TestWordsInTheMiddleChangeTheLicence(t *testing.T) {
	d := load(t)
	for _, tt := range []struct{ text, old, new string }{
		{mitText, "any person", "any natural person"},
		{mitText, "any person", "any living person"},
		{mitText, "any person", "any adult person"},
		{mitText, "any person", "any person in Europe"},
		{mitText, "any person", "any registered person"},
		{mitText, "any person", "any person or charity"},
		{mitText, "any person", "any employee of Acme"},
		{mitText, "any person", "one person"},
		{mitText, "any person", "certain persons"},
		{mitText, "free of charge", "for one Euro"},
		{mitText, "free of charge", "free of charge for a year"},
		{mitText, "free of charge", "free of charge until 2030"},
		{mitText, "free of charge,", "free of charge, at home,"},
		{mitText, "without restriction", "without much restriction"},
		{mitText, "without restriction", "with restriction"},
		{mitText, "modify, merge, publish, distribute, sublicense, and/or sell\ncopies", "modify\ncopies"},
		{mitText, ", and/or sell\ncopies", "\ncopies"},
		{mitText, "copies of the Software, and to permit", "ten copies of the Software, and to permit"},
		{mitText, "to deal\nin", "to look\nat"},
		{mitText, "this software", "this unmodified software"},
		{mitText, "this software", "this beta software"},
		{mitText, "use, copy, modify", "use, copy, privately modify"},
		{mitText, "use, copy", "study, copy"},
		{mitText, "shall be included in all\ncopies", "shall be shown on every start and included in all\ncopies"},
		{mitText, "in all\ncopies", "in all\nadverts"},
		{mitText, "persons to whom", "schools to whom"},
		{mitText, "is hereby granted", "is hereby temporarily granted"},
		{mitText, "is hereby granted", "is hereby granted to Jane"},
		{mitText, "is hereby granted", "was hereby granted until yesterday"},
		{mitText, "Copyright (c) 2021 Jane Doe", "Copyright (c) 2021 Jane Doe, for use at home only"},
		{mitText, "Copyright (c) 2021 Jane Doe", "Copyright (c) 2021 Jane Doe (not for commercial use)"},
		{mitText, "Copyright (c) 2021 Jane Doe", "Copyright (c) 2021 Jane Doe - Commons Clause applies"},
		{mitText, "Copyright (c) 2021 Jane Doe", "Copyright (c) 2021 Jane Doe. Nur für private Zwecke."},
		{mitText, "The MIT License (MIT)", "The MIT License (MIT) with Commons Clause"},
		{mitText, "The MIT License (MIT)", "The Non-Commercial MIT License"},
		{mitText, "The MIT License (MIT)", "The MIT License, personal edition"},
		{mitText, "The MIT License (MIT)", "Restricted MIT License"},
		{mitText, "The MIT License (MIT)", "MIT License (modified)"},
		{bsdText, "are permitted", "by individuals are permitted"},
		{bsdText, "are permitted", "are permitted in Norway"},
		{bsdText, "with or without\nmodification", "without\nmodification"},
		{bsdText, "source and binary forms", "source form"},
		{bsdText, "3. Neither", "3. Binaries carry our logo.\n\n4. Neither"},
		{bsdText, "3. Neither", "3. Changes are sent to us.\n\n4. Neither"},
		{bsdText, "3. Neither", "3. Le logiciel reste chez vous.\n\n4. Neither"},
		{bsdText, "All rights reserved.", "All rights reserved. Internal use."},
	} {
		with := strings.Replace(tt.text, tt.old, tt.new, 1)
		if with == tt.text {
			t.Fatalf("%q is not in the text", tt.old)
		}
		if r := d.Detect([]byte(with)); r.Expression != "" {
			t.Errorf("with %q for %q it passes as %s (%.3f)", tt.new, tt.old, r.Expression, r.Confidence)
		}
	}
}

// Nor is it the plain licence with a sentence beside it, in whatever language.
func TestSentencesBesideChangeTheLicence(t *testing.T) {
	t.Parallel()
	d := load(t)
	for _, clause := range []string{
		"Commons Clause",
		"Commons Clause License Condition v1.0",
		"+ Commons Clause",
		"Kommerzielle Nutzung ist verboten.",
		"Die Nutzung zu militärischen Zwecken ist untersagt.",
		"Nur für den privaten Gebrauch.",
		"Weiterverkauf nicht gestattet.",
		"Nutzung nur mit schriftlicher Genehmigung des Autors.",
		"Gewerbliche Nutzer benötigen eine Lizenz.",
		"Toute utilisation commerciale est interdite.",
		"Usage personnel uniquement.",
		"La redistribution est soumise à autorisation.",
		"Réservé à un usage non commercial.",
		"Queda prohibido el uso comercial.",
		"Solo para uso personal.",
		"No se permite la reventa.",
		"É proibido o uso comercial.",
		"Apenas para uso pessoal.",
		"Uso commerciale vietato.",
		"È vietata la vendita.",
		"Commercieel gebruik is verboden.",
		"Alleen voor persoonlijk gebruik.",
		"Kommersiell användning är förbjuden.",
		"Użycie komercyjne jest zabronione.",
		"Коммерческое использование запрещено.",
		"Только для личного использования.",
		"Комерційне використання заборонено.",
		"禁止商业使用。",
		"仅供个人学习使用。",
		"未经许可不得转载。",
		"商用利用を禁じます。",
		"個人利用に限ります。",
		"상업적 이용을 금지합니다.",
		"يمنع الاستخدام التجاري.",
		"Ticari kullanım yasaktır.",
		"व्यावसायिक उपयोग वर्जित है।",
		"Dilarang digunakan untuk tujuan komersial.",
		"Cấm sử dụng cho mục đích thương mại.",
		"For non-profits.",
		"Ethical use only.",
		"Academic use.",
		"Hippocratic License applies in addition.",
		"Customers of Acme are excluded.",
		"AI training: no.",
		"No AI training.",
		"Not for weapons.",
		"Trial version: valid for 30 days.",
		"Patents are not licensed.",
		"Derivatives stay private.",
		"Hosting it for others is reserved to us.",
		"Ask before you sell it.",
		"One copy per household.",
		"You owe the author a beer for each sale.",
	} {
		for name, text := range map[string]string{"MIT": mitText, "BSD-3-Clause": bsdText} {
			paragraphs := strings.SplitAfter(text, "\n\n")
			lines := strings.SplitAfter(text, "\n")
			for place, with := range map[string]string{
				"as the title":              clause + "\n\n" + text,
				"below the owner":           strings.Join(slices.Insert(slices.Clone(paragraphs), len(paragraphs)/3+1, clause+"\n\n"), ""),
				"between the paragraphs":    strings.Join(slices.Insert(slices.Clone(paragraphs), len(paragraphs)-1, clause+"\n\n"), ""),
				"in the middle of a line's": strings.Join(slices.Insert(slices.Clone(lines), len(lines)/2, clause+"\n"), ""),
				"on the last line":          strings.TrimSpace(text) + " " + clause + "\n",
				"after the end":             text + "\n---\n\n" + clause + "\n",
			} {
				if r := d.Detect([]byte(with)); r.Expression != "" {
					t.Errorf("%s with %q %s passes as %s (%.3f)", name, clause, place, r.Expression, r.Confidence)
				}
			}
		}
	}
}

// What takes nothing away hides no licence.
func TestHarmlessWordsBeside(t *testing.T) {
	d := load(t)
	for _, beside := range []string{
		"See NOTICE for the list of contributors.",
		"Credits: Jane Doe, John Roe and many others.",
		"Logo by Ana Pérez.",
		"This project was started in 2015 at the University of Somewhere.",
		"https://github.com/example/widget",
		"Maintained by the Widget team <team@example.org>",
		"Thanks to everybody who helped.",
		"Based on widget.js by Jane Doe.",
		"Widget 2.3.1",
		"=====================",
		"Lizenz: MIT",
		"Licence : MIT",
		"Copyright © 2019–2024 Universität Zürich",
		"(c) Les contributeurs de Widget",
		"版权所有 (c) 2020 某某公司",
		"Made with ♥ in Lisbon",
	} {
		for place, with := range map[string]string{"first": beside + "\n\n" + mitText, "last": mitText + "\n" + beside + "\n"} {
			if r := d.Detect([]byte(with)); r.Expression != "MIT" {
				t.Errorf("MIT with %q %s: found %q (%s)", beside, place, r.Expression, r.Note)
			}
		}
	}
}

// A line beside a licence that takes something away, in languages whose words are not
// all known too, leaves no licence: above it, below it and behind its owner. One that
// names an owner, a title or the licence itself changes nothing.
func TestLinesBesideInAnyLanguage(t *testing.T) {
	d := load(t)
	for _, tt := range []struct {
		line  string
		plain bool
	}{
		{"व्यावसायिक उपयोग की अनुमति नहीं है", false},
		{"ለትርፍ ሥራ ማዋል ክልክል ነው", false}, // no word of it is on a list
		{"லாப நோக்கத்திற்காகப் பயன்படுத்தக் கூடாது", false},
		{"စီးပွားဖြစ် အသုံးပြုခွင့်မရှိပါ", false},
		{"استفاده تجاری مجاز نیست", false},
		{"Si kwa matumizi ya kibiashara", false},
		{"Ba don amfanin kasuwanci ba", false},
		{"Nie vir kommersiële gebruik nie", false},
		{"Tik nekomerciniam naudojimui", false},
		{"Không dùng cho mục đích thương mại", false},
		{"CC BY-NC 4.0", false},
		{"https://creativecommons.org/licenses/by-nc-sa/4.0/", false},
		{"Proprietary License", false},
		{"Modified MIT License", false},
		{"All rights reserved, not for production", false},
		{"Copyright (c) 2020 Jane Doe, excluding residents of Exampleland", false},
		{"Copyright (c) 2020 Jane Doe, subject to the terms of EULA.txt", false},
		{"版权所有 (c) 2020 张三", true},
		{"著作権 2020 山田太郎", true},
		{"Авторские права (c) 2019 Иван Иванов", true},
		{"Copyright (c) 2020 Иван Иванов, Пётр Петров, Сергей Сергеев", true},
		{"Лицензия MIT", true},
		{"本项目基于 MIT 许可证", true},
		{"All rights reserved.", true},
		{"https://creativecommons.org/", true},
	} {
		for _, text := range []string{tt.line + "\n\n" + mitText, mitText + "\n" + tt.line + "\n", strings.Replace(mitText, "Jane Doe\n", "Jane Doe\n"+tt.line+"\n", 1)} {
			if got := d.Detect([]byte(text)).Expression; (got == "MIT") != tt.plain {
				t.Errorf("with %q, a text is detected as %q, note %q; it is the plain licence: %v", tt.line, got, d.Detect([]byte(text)).Note, tt.plain)
			}
		}
	}
}
