package match

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// decode makes UTF-8 of a text: UTF-16 by its byte order mark; Latin-1 is left
// as it is, for its letters outside ASCII stand in names only. It says why a text
// is none.
func decode(text []byte) (utf []byte, problem string) {
	if len(text) > MaxText {
		return nil, "the text is longer than 4 MiB and was not looked at"
	}
	switch {
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		// Left in place, so that the spans are those of the text as given: the
		// mark is no letter.
	case bytes.HasPrefix(text, []byte("\xff\xfe")) && !bytes.HasPrefix(text, []byte("\xff\xfe\x00\x00")):
		return fromUTF16(text[2:], 0), ""
	case bytes.HasPrefix(text, []byte("\xfe\xff")):
		return fromUTF16(text[2:], 1), ""
	}
	// A NUL stands in no text. Neither do many other control characters.
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, "the text holds NUL bytes: it is not a text file"
	}
	control, broken := 0, 0
	for i := 0; i < len(text); {
		// Nearly all of a text is of ASCII and has no control characters but its line
		// breaks: eight bytes at a time are told to be of letters and blanks.
		for i+8 <= len(text) {
			b := binary.LittleEndian.Uint64(text[i:])
			// Of a byte below 0x20 the subtraction borrows into its high bit. A borrow that
			// goes on may make the bytes behind it look suspect, but not the first.
			suspect := (b | (b - 0x2020202020202020)) & 0x8080808080808080
			if suspect != 0 {
				i += bits.TrailingZeros64(suspect) / 8
				break
			}
			i += 8
		}
		if i == len(text) {
			break
		}
		c := text[i]
		if c < utf8.RuneSelf {
			if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != '\v' && c != 0x1b {
				control++
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			broken++
		}
		i += size
	}
	if control > len(text)/50+2 || broken > len(text)/10+4 {
		return nil, "the text holds many bytes that are no characters: it is not a text file"
	}
	return text, ""
}

// fromUTF16 decodes pairs of bytes, of which the one at low is the lower.
func fromUTF16(text []byte, low int) []byte {
	units := make([]uint16, len(text)/2)
	for i := range units {
		units[i] = uint16(text[2*i+low]) | uint16(text[2*i+1-low])<<8
	}
	return []byte(string(utf16.Decode(units)))
}
