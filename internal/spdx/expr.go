package spdx

import (
	"fmt"
	"slices"
	"strings"
)

// The grammar is that of annex B of SPDX 3.0.1, "SPDX license expressions". Each
// rule of it stands where it is held, with its clause, and TestClauses has a case
// or more for each. In short:
//
//	B.1  idstring             letters, digits, "-" and ".", one or more
//	B.1  license-ref          [DocumentRef-idstring:]LicenseRef-idstring
//	B.1  addition-ref         [DocumentRef-idstring:]AdditionRef-idstring
//	B.1  simple-expression    license-id, license-id+ or license-ref
//	B.1  compound-expression  simple, simple WITH addition, AND, OR, parentheses
//	B.1  white space          none before "+"; around WITH always; around AND and
//	                          OR, unless there is a parenthesis
//	B.2  case                 operators all capitals or all small; identifiers of
//	                          the lists in any case; of a reference the part behind
//	                          the prefix in any case, the prefix as it is spelt
//	B.4.5 precedence          +, WITH, AND, OR, the tightest first
//
// What the annex leaves open is settled so: white space is spaces, tabs and line
// breaks (the annex forbids line breaks in tag:value files only); NONE and
// NOASSERTION, which 3.0.1 has as values of a document's fields and not in the
// grammar, are no expressions.

// Bounds on an expression, against hostile input. Past one of them Parse returns
// an Error.
const (
	MaxExpression = 64 << 10 // bytes
	MaxNesting    = 200      // parentheses inside each other
)

// Op says what an Expr is.
type Op int

// The zero Op is Single.
const (
	Single Op = iota // one licence, perhaps with "+" and an exception
	And              // all of Args apply
	Or               // one of Args may be chosen
)

// An Expr is a licence expression. Parse makes it canonical: identifiers as the
// list spells them, and no And directly inside an And nor Or inside an Or.
type Expr struct {
	Op        Op
	Args      []Expr // of And and Or: two or more, in the order written
	License   string // of Single: an id of the list, LicenseRef-... or DocumentRef-...:LicenseRef-... as written
	Plus      bool   // of Single: "+", or any later version
	Exception string // of Single: an id of the list or AdditionRef-... behind WITH, or ""
}

// ErrorKind says what sort of thing is wrong with an expression.
type ErrorKind int

// The zero ErrorKind is Syntax.
const (
	Syntax           ErrorKind = iota // the words do not make an expression
	UnknownLicense                    // Token stands where a licence should, and is none; try Suggest
	UnknownException                  // Token stands behind WITH, and is no exception
)

// An Error is one thing wrong with an expression. Parse returns the first; the
// unknown identifiers that follow it are in Others.
type Error struct {
	Kind   ErrorKind
	Offset int    // byte at which Token starts; the length of the expression if its end is what is wrong
	Token  string // the offending word, "" at the end; at most 100 bytes of it
	Msg    string // what is wrong and what would be right
	Others []*Error
}

func (e *Error) Error() string { return fmt.Sprintf("at byte %d: %s", e.Offset, e.Msg) }

// maxErrors is how many unknown identifiers of one expression are reported.
const maxErrors = 50

// Parse reads an SPDX licence expression as annex B of SPDX 3.0.1 defines it.
// Operators are AND, OR and WITH in capitals or all in small letters; WITH binds
// tighter than AND, and AND tighter than OR. Identifiers of the lists may be in
// any case and come out as the list spells them; deprecated ones are read like
// others. NONE and NOASSERTION are values of SPDX fields, not expressions.
//
// An error is always an *Error.
func Parse(expr string) (Expr, error) {
	if len(expr) > MaxExpression {
		return Expr{}, &Error{Offset: MaxExpression, Msg: fmt.Sprintf("the expression is longer than %d bytes", MaxExpression)}
	}
	p := &parser{text: expr}
	p.next()
	x := p.or(0)
	if p.syntax == nil && p.tok.kind != end {
		p.unexpected("AND, OR or the end of the expression")
	}
	if p.syntax != nil {
		p.unknown = append(p.unknown, p.syntax)
	}
	if len(p.unknown) > 0 {
		first := p.unknown[0]
		first.Others = p.unknown[1:]
		return Expr{}, first
	}
	return x, nil
}

type kind int

const (
	end kind = iota
	word
	open
	shut
	and
	or
	with
)

type token struct {
	kind   kind
	offset int
	text   string
}

// parser goes on after an unknown identifier, so that all are reported at once,
// and stops at the first fault of syntax, which makes a guess of what follows.
type parser struct {
	text    string
	at      int
	tok     token
	last    token // the one before tok
	unknown []*Error
	syntax  *Error
}

// next reads a token. B.1: a parenthesis ends a word, so that it may stand in for
// the white space beside AND and OR; "+" does not, so it has to touch its licence.
func (p *parser) next() {
	p.last = p.tok
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	start := p.at
	if start == len(p.text) {
		p.tok = token{kind: end, offset: start}
		return
	}
	switch p.text[start] {
	case '(':
		p.at++
		p.tok = token{open, start, "("}
		return
	case ')':
		p.at++
		p.tok = token{shut, start, ")"}
		return
	}
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n()", p.text[p.at]) < 0 {
		p.at++
	}
	p.tok = token{word, start, p.text[start:p.at]}
	switch p.tok.text { // B.2: all in capitals or all in small letters
	case "AND", "and":
		p.tok.kind = and
	case "OR", "or":
		p.tok.kind = or
	case "WITH", "with":
		p.tok.kind = with
	}
}

// or, and and single are the precedence of B.4.5 from the loosest to the tightest.
func (p *parser) or(depth int) Expr {
	return p.join(depth, Or, or, p.and)
}

func (p *parser) and(depth int) Expr {
	return p.join(depth, And, and, p.single)
}

// join reads operands as long as the operator stands between them. Both
// operators are associative, so an operand of the same kind is taken apart.
func (p *parser) join(depth int, op Op, operator kind, operand func(int) Expr) Expr {
	x := operand(depth)
	if p.syntax != nil || p.tok.kind != operator {
		return x
	}
	joined := Expr{Op: op}
	add := func(x Expr) {
		if x.Op == op {
			joined.Args = append(joined.Args, x.Args...)
		} else {
			joined.Args = append(joined.Args, x)
		}
	}
	add(x)
	for p.syntax == nil && p.tok.kind == operator {
		p.next()
		add(operand(depth))
	}
	return joined
}

func (p *parser) single(depth int) Expr {
	switch p.tok.kind {
	case open:
		if depth == MaxNesting {
			p.fail(p.tok, fmt.Sprintf("parentheses are nested more than %d deep", MaxNesting))
			return Expr{}
		}
		opened := p.tok
		p.next()
		x := p.or(depth + 1)
		switch {
		case p.syntax != nil:
			return Expr{}
		case p.tok.kind == end:
			p.fail(opened, `"(" is never closed by ")"`)
			return Expr{}
		case p.tok.kind != shut:
			p.unexpected(`AND, OR or ")"`)
			return Expr{}
		}
		p.next()
		switch { // B.1: "+" belongs to a license-id, WITH to a simple-expression
		case p.tok.kind == with:
			p.fail(p.tok, fmt.Sprintf(`%q must follow one licence, not a group in parentheses`, p.tok.text))
		case p.tok.kind == word && strings.HasPrefix(p.tok.text, "+"):
			p.fail(p.tok, `"+" must follow the identifier of one licence, not a group in parentheses`)
		}
		return x
	case word:
		x := p.license(p.tok)
		p.next()
		if p.syntax == nil && p.tok.kind == with {
			p.next()
			if p.tok.kind != word {
				p.unexpected("an exception")
				return Expr{}
			}
			x.Exception = p.exception(p.tok)
			p.next()
		}
		return x
	}
	p.unexpected("a licence")
	return Expr{}
}

// license reads a simple-expression of B.1: license-id, license-id"+" or
// license-ref. B.2: identifiers of the list may be in any case.
func (p *parser) license(t token) Expr {
	if isReference(t.text, "LicenseRef-") {
		return Expr{License: t.text}
	}
	id, plus := strings.CutSuffix(t.text, "+")
	if l, ok := Lookup(id); ok {
		return Expr{License: l.ID, Plus: plus}
	}
	if p.punctuated(t) {
		return Expr{}
	}
	msg := fmt.Sprintf("%q is not an identifier of the SPDX licence list", clip(t.text))
	if x, ok := Exception(t.text); ok {
		msg = fmt.Sprintf("%q is an exception, which stands behind a licence and WITH", x.ID)
	} else if strings.EqualFold(t.text, "NONE") || strings.EqualFold(t.text, "NOASSERTION") {
		msg = fmt.Sprintf("%q is a value of fields in SPDX documents, not a licence", t.text)
	} else if t.text == "+" {
		msg = `"+" must follow its licence without a space`
	} else if plus && isReference(id, "LicenseRef-") {
		msg = fmt.Sprintf(`"+" may follow an identifier of the SPDX licence list only, and %q is none`, clip(id))
	} else if why := badReference(t.text, "LicenseRef-"); why != "" {
		msg = why
	}
	p.miss(UnknownLicense, t, msg)
	return Expr{}
}

// exception reads an addition-expression of B.1: license-exception-id or
// addition-ref.
func (p *parser) exception(t token) string {
	if isReference(t.text, "AdditionRef-") {
		return t.text
	}
	if x, ok := Exception(t.text); ok {
		return x.ID
	}
	if p.punctuated(t) {
		return ""
	}
	msg := fmt.Sprintf("%q is not an identifier of the SPDX list of licence exceptions", clip(t.text))
	if l, ok := Lookup(t.text); ok {
		msg = fmt.Sprintf("%q is a licence; behind WITH stands an exception", l.ID)
	} else if isReference(t.text, "LicenseRef-") {
		msg = fmt.Sprintf("%q stands for a licence; behind WITH stands an exception, or AdditionRef- and a name", clip(t.text))
	} else if why := badReference(t.text, "AdditionRef-"); why != "" {
		msg = why
	}
	p.miss(UnknownException, t, msg)
	return ""
}

const documentRef = "DocumentRef-"

// isReference holds s to license-ref or addition-ref of B.1. B.2: the prefixes
// are matched as they are spelt.
func isReference(s, prefix string) bool {
	if rest, ok := strings.CutPrefix(s, documentRef); ok {
		document, ref, ok := strings.Cut(rest, ":")
		if !ok || !isIDString(document) {
			return false
		}
		s = ref
	}
	name, ok := strings.CutPrefix(s, prefix)
	return ok && isIDString(name)
}

// badReference says what is wrong with what was meant as a reference; "" of
// anything else.
func badReference(s, prefix string) string {
	document, ref, qualified := strings.Cut(s, ":")
	if !qualified {
		document, ref = "", s
	}
	_, toDocument := cutPrefixFold(document, documentRef)
	name, toText := cutPrefixFold(ref, prefix)
	switch {
	case qualified && !toDocument, qualified && !toText:
		return ""
	case !qualified && !toText:
		if _, ok := cutPrefixFold(s, documentRef); ok {
			return fmt.Sprintf("%q names a document only: write %sNAME:%sNAME", clip(s), documentRef, prefix)
		}
		return ""
	case toDocument && !strings.HasPrefix(document, documentRef), !strings.HasPrefix(ref, prefix):
		right := prefix + name
		if toDocument {
			right = documentRef + document[len(documentRef):] + ":" + right
		}
		return fmt.Sprintf("%q must be spelt %q: capitals matter in the prefix", clip(s), clip(right))
	}
	return fmt.Sprintf("%q needs a name of letters, digits, \"-\" and \".\" behind its prefix", clip(s))
}

func cutPrefixFold(s, prefix string) (after string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

func isIDString(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return s != ""
}

// punctuated reports the commas, slashes and the like that people write in
// place of an operator.
func (p *parser) punctuated(t token) bool {
	i := strings.IndexAny(t.text, ",;/|&")
	if i < 0 {
		return false
	}
	p.fail(token{offset: t.offset + i, text: t.text[i : i+1]},
		fmt.Sprintf("%q is not an operator: write AND where all the licences apply, OR where one may be chosen", t.text[i:i+1]))
	return true
}

func (p *parser) miss(k ErrorKind, t token, msg string) {
	if len(p.unknown) < maxErrors {
		p.unknown = append(p.unknown, &Error{Kind: k, Offset: t.offset, Token: clip(t.text), Msg: msg})
	}
}

func (p *parser) fail(t token, msg string) {
	if p.syntax == nil {
		p.syntax = &Error{Offset: t.offset, Token: clip(t.text), Msg: msg}
	}
}

func (p *parser) unexpected(want string) {
	t := p.tok
	switch {
	case p.syntax != nil:
	case t.kind == end && p.last == token{}:
		p.fail(t, "no licence is given")
	case t.kind == end:
		p.fail(t, fmt.Sprintf("the expression ends after %q, where %s should follow", clip(p.last.text), want))
	case t.kind == word && slices.Contains([]string{"AND", "OR", "WITH"}, strings.ToUpper(t.text)):
		p.fail(t, fmt.Sprintf("operator %q must be written %s or %s", t.text, strings.ToUpper(t.text), strings.ToLower(t.text)))
	default:
		if t.kind == word && p.punctuated(t) {
			return
		}
		p.fail(t, fmt.Sprintf("%q stands where %s should", clip(t.text), want))
	}
}

// clip keeps a hostile word from filling a report.
func clip(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

// String writes the expression with the fewest parentheses. Parse reads it back
// as an equal Expr.
func (x Expr) String() string {
	var b strings.Builder
	x.write(&b)
	return b.String()
}

func (x Expr) write(b *strings.Builder) {
	if x.Op == Single {
		b.WriteString(x.License)
		if x.Plus {
			b.WriteByte('+')
		}
		if x.Exception != "" {
			b.WriteString(" WITH " + x.Exception)
		}
		return
	}
	operator := " AND "
	if x.Op == Or {
		operator = " OR "
	}
	for i, arg := range x.Args {
		if i > 0 {
			b.WriteString(operator)
		}
		if x.Op == And && arg.Op == Or {
			b.WriteByte('(')
			arg.write(b)
			b.WriteByte(')')
		} else {
			arg.write(b)
		}
	}
}

// Equivalent reports whether two expressions say the same but for order and
// repetition: AND and OR are commutative (B.4.2, B.4.3), and names behind
// LicenseRef- and AdditionRef- may be in any case (B.2). It does not distribute
// AND over OR, and takes no licence for another.
func Equivalent(a, b Expr) bool { return a.key() == b.key() }

// key is the same for expressions that are Equivalent.
func (x Expr) key() string {
	if x.Op == Single {
		return strings.ToLower(x.String())
	}
	var keys []string
	seen := map[string]bool{}
	for _, arg := range x.Args {
		if k := arg.key(); !seen[k] {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	if len(keys) == 1 {
		return keys[0]
	}
	return fmt.Sprintf("%d(%s)", x.Op, strings.Join(keys, ","))
}

// Licenses lists the licences that the expression names, each once, in the
// order of their first mention, without "+" and exceptions.
func (x Expr) Licenses() []string {
	var ids []string
	seen := map[string]bool{}
	x.each(func(s Expr) {
		if s.License != "" && !seen[s.License] {
			seen[s.License] = true
			ids = append(ids, s.License)
		}
	})
	return ids
}

// each calls f for every Single of the expression, from left to right.
func (x Expr) each(f func(Expr)) {
	if x.Op == Single {
		f(x)
	}
	for _, arg := range x.Args {
		arg.each(f)
	}
}
