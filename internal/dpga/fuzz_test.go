package dpga

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"
)

// FuzzConvert takes one text as a nominee and one as its screening record.
func FuzzConvert(f *testing.F) {
	f.Add(`{"name":"X","aliases":["",1,null,[],{"a":2}],"SDGs":[[3,"t"],4,{"SDGNumber":"5"},{}],"license":["MIT",{"spdx":" "}],"name":"Y"}`,
		`{"name":"Z","clearOwnership":{"isOwnershipExplicit":"Yes","copyrightURL":["a"]},"doNoHarm":{"inappropriateIllegalContent":{"type":["x"," "]}},"locations":{"deploymentCountries":["India","Global",""]}}`)
	f.Add(`{"type":"aimodel","stage":"DPG","repositoryURL":"x","repositories":[{"name":"","url":""}],"organizations":[{"contact_email":"a"}]}`, `{"privacy":{"isPrivacyCompliant":["x"]},"NonPII":"x","standards":{"supportStandards":"Mostly"},"locations":[]}`)
	f.Add(`{"description":"\ud800 \u0000 \ufeff \u0085\n  x\t"}`, `[]`)
	f.Add("{\"name\":\"\u2028 # : - ? {\",\"website\":\"~\",\"aliases\":[\"yes\",\"1e3\",\"\\n\\n x\",\" \\t\\n\"]}", `{"standards":{"standardsList":["- a\n- b\n","\r\n"]}}`)
	f.Fuzz(func(t *testing.T, nominee, record string) {
		input := fstest.MapFS{
			"nominees/x.y.json":           &fstest.MapFile{Data: []byte(nominee)},
			"archive/x-y.json":            &fstest.MapFile{Data: []byte(record)},
			"digitalpublicgoods/x.y.json": &fstest.MapFile{Data: []byte(record)},
		}
		made, report := convert(t, input)
		for _, c := range made {
			checkEncoding(t, c)
		}
		if strings.Contains(nominee+record, `\`) {
			// Two keys may differ in half a surrogate pair only, which the
			// plain reading of the files makes one.
			return
		}
		checkAccounts(t, input, report)
		checkPointers(t, made, report)
		if _, err := json.Marshal(report); err != nil {
			t.Error(err)
		}
	})
}
