package match

import (
	"bytes"
	"slices"
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
yasak* yasaktır ticari yalnızca dilarang komersial cấm
запрещ* коммерч* некоммерч* исключительно заборон* комерц* некомерц* виключно забран* забрањ* комерцијал*
απαγορ* εμπορικ* αποκλειστικ*
ممنوع يمنع يحظر محظور التجاري التجارية تجاري אסור מסחרי`)

// abroadOnly are words such as "only" in other languages. They are names as well,
// so that in a copyright notice they say nothing.
var abroadOnly = newLexicon(`nur seulement solo solamente sólo soltanto apenas só solamente alleen slechts endast enbart kun vain tylko jedynie pouze csak doar
sadece hanya только лише тільки само μόνο فقط בלבד chỉ privat* persoonlijk* personali personales pessoal pessoais`)

// abroadParts are such words in scripts that do not set words apart, or not by
// letters alone.
var abroadParts = [][]byte{
	[]byte("禁"), []byte("不得"), []byte("不可"), []byte("仅"), []byte("僅"), []byte("商业"), []byte("商業"), []byte("商用"), []byte("未经"), []byte("未經"),
	[]byte("限り"), []byte("限る"), []byte("のみ"), []byte("금지"), []byte("상업"), []byte("불가"), []byte("한하여"), []byte("वर्ज"), []byte("निष"), []byte("प्रतिब"), []byte("केवल"),
	[]byte("ห้าม"), []byte("เท่านั้น"), []byte("নিষ"), []byte("தடை"),
}

// limitsAbroad reports whether a part of a text may take something away in another
// language than English.
func limitsAbroad(part []byte) bool {
	return forbidsAbroad(part) || sayAbroad(part, abroadOnly) && countFields(part) > 2
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
	return anyWord(part, func(w []byte) bool { return among(words, w) })
}
