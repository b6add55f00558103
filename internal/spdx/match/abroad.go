package match

import (
	"bytes"
	"slices"
	"unicode"
	"unicode/utf8"
)

// Words beside a licence may take something away in any language. Those of English
// are weighed one by one; of other languages these are known, by their beginnings:
// to forbid, commerce, a purpose, to resell.
var abroad = newLexicon(`verboten untersag* gestattet nichtkommerziell* kommerziell* gewerblich* weiterverkauf* zweck* zwecke genehmigung* ausschließlich
interdit* uniquement exclusivement autorisation* revente commerciale* commerciaux réservé*
prohib* únicamente exclusivamente reventa comercial* comerciais autorización autorização proib* proíb* somente revenda
vietat* esclusivamente rivendita commerciali commerciale autorizzazione
verboden uitsluitend commercieel commerciële toestemming wederverkoop doorverkoop
förbjud* forbudt forbudte kommersiel* kommerciel* uteslutande udelukkende
kielletty kielletään kaupalli* ainoastaan
zabronion* zabrania* wyłącznie komercyj* zakázán* zakaz* výhradně komerčn* kereskedelmi tilos kizárólag interzis* comercială
kibiashara biashara marufuku kasuwanci komersyal* bawal ipinagbabawal merkatar* debekat* tregtar* ndaluar* nekomerc* nekomerč* komerci* aizlieg* draudž* mitteäri* äriot* keelatud
tráchtála* toirmisc* masnachol* gwahardd* kommersië* varotra komercial* komercijal* zabranj* prepovedan* kwezentengiselwano* ngokwezentengiselwano* ezohwebo thương ganacsi* òwò
yasak* yasaktır ticari yalnızca dilarang komersial cấm
запрещ* коммерч* некоммерч* исключительно заборон* комерц* некомерц* виключно забран* забрањ* комерцијал*
απαγορ* εμπορικ* αποκλειστικ*
ممنوع يمنع يحظر محظور التجاري التجارية تجاري تجاری مجاز اجازت אסור מסחרי`)

// abroadOnly are words such as "only" in other languages. They are names as well,
// so that in a copyright notice they say nothing.
var abroadOnly = newLexicon(`nur seulement solo solamente sólo soltanto apenas só solamente alleen slechts endast enbart kun vain tylko jedynie pouze csak doar
sadece hanya только лише тільки само μόνο فقط בלבד chỉ privat* persoonlijk* personali personales pessoal pessoais`)

// abroadParts are such words in scripts that do not set words apart, or not by
// letters alone.
var abroadParts = [][]byte{
	[]byte("禁"), []byte("不得"), []byte("不可"), []byte("仅"), []byte("僅"), []byte("商业"), []byte("商業"), []byte("商用"), []byte("未经"), []byte("未經"),
	[]byte("限り"), []byte("限る"), []byte("のみ"), []byte("금지"), []byte("상업"), []byte("불가"), []byte("한하여"), []byte("वर्ज"), []byte("निष"), []byte("प्रतिब"), []byte("केवल"),
	[]byte("अनुमति"), []byte("व्यावसायिक"), []byte("অনুমতি"), []byte("বাণিজ্যিক"), []byte("அனுமதி"), []byte("வணிக"), []byte("ንግድ"), []byte("አይፈቀድ"), []byte("စီးပွား"),
	[]byte("ห้าม"), []byte("เท่านั้น"), []byte("নিষ"), []byte("தடை"),
}

// limitsAbroad reports whether a part of a text may take something away in another
// language than English.
func limitsAbroad(part []byte) bool {
	return forbidsAbroad(part) || sayAbroad(part, abroadOnly) && countFields(part) > 2
}

// otherScript reports whether a part of a text is mostly in a script other than
// Latin, and long enough to say something. Which of its words take something away is
// known for few languages, so a sentence of it is held for one that may.
func otherScript(part []byte) bool {
	latin, other := 0, 0
	for _, r := range string(part) {
		switch {
		case unicode.Is(unicode.Latin, r):
			latin++
		case unicode.IsLetter(r):
			other++
		}
	}
	return other >= 12 && other > latin
}

// caselessSentence reports whether a line is of enough words, in a script without
// capitals, to be more than somebody's name.
func caselessSentence(line []byte) bool {
	return otherScript(line) && (countFields(line) >= 4 || utf8.RuneCount(line) > 24) && !bytes.ContainsFunc(line, unicode.IsUpper)
}

// owners are words for copyright that a notice begins with.
var owners = [][]byte{[]byte("版权"), []byte("版權"), []byte("著作権"), []byte("著作權"), []byte("저작권"), []byte("авторск"), []byte("правообладатель"), []byte("πνευματικά"),
	[]byte("कॉपीराइट"), []byte("ลิขสิทธิ์"), []byte("حقوق"), []byte("זכויות")}

// ownsAbroad reports whether a part of a text is a copyright notice in another
// script, with a year.
func ownsAbroad(part []byte) bool {
	lower := bytes.ToLower(bytes.TrimLeft(part, decoration+" ("))
	return hasYear(part) && slices.ContainsFunc(owners, func(o []byte) bool { return bytes.HasPrefix(lower, o) })
}

// forbidsAbroad reports it of words that are nobody's name.
func forbidsAbroad(part []byte) bool { return sayAbroad(part, abroad) || partAbroad(part) }

func partAbroad(part []byte) bool {
	if !bytes.ContainsFunc(part, func(r rune) bool { return r >= 0x900 }) {
		return false
	}
	return slices.ContainsFunc(abroadParts, func(p []byte) bool { return bytes.Contains(part, p) })
}

func sayAbroad(part []byte, words *lexicon) bool {
	for _, c := range part {
		if c >= utf8.RuneSelf {
			part = bytes.ToLower(part)
			break
		}
	}
	return anyWord(part, words, nil)
}
