package spdx

import (
	"fmt"
	"slices"
	"strings"
)

// Bounds on an expression. Past one of them Parse returns an Error.
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
	License   string // of Single: an id of the list, LicenseRef-... or DocumentRef-...:LicenseRef-...
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
// tighter than AND, and AND tighter than OR. Identifiers may be in any case.
// NONE and NOASSERTION are values of SPDX fields, not expressions.
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
	switch p.tok.text {
	case "AND", "and":
		p.tok.kind = and
	case "OR", "or":
		p.tok.kind = or
	case "WITH", "with":
		p.tok.kind = with
	}
}

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
		if p.tok.kind == with {
			p.fail(p.tok, fmt.Sprintf(`%q must follow one licence, not a group in parentheses`, p.tok.text))
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

func (p *parser) license(t token) Expr {
	id, plus := strings.CutSuffix(t.text, "+")
	if ref, ok := reference(t.text, "LicenseRef-"); ok {
		return Expr{License: ref}
	}
	if l, ok := Lookup(id); ok {
		return Expr{License: l.ID, Plus: plus}
	}
	if p.punctuated(t) {
		return Expr{}
	}
	msg := fmt.Sprintf("%q is not an identifier of the SPDX licence list", clip(t.text))
	if x, ok := Exception(t.text); ok {
		msg = fmt.Sprintf("%q is an exception, which stands behind a licence and WITH", x.ID)
	} else if t.text == "+" {
		msg = `"+" must follow its licence without a space`
	}
	p.miss(UnknownLicense, t, msg)
	return Expr{}
}

func (p *parser) exception(t token) string {
	if ref, ok := reference(t.text, "AdditionRef-"); ok {
		return ref
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
	}
	p.miss(UnknownException, t, msg)
	return ""
}

// reference reads LicenseRef-x or DocumentRef-y:LicenseRef-x, or the same with
// AdditionRef-, and writes the prefixes as SPDX does.
func reference(s, prefix string) (canonical string, ok bool) {
	const document = "DocumentRef-"
	if name, ok := cutPrefixFold(s, document); ok {
		doc, rest, ok := strings.Cut(name, ":")
		if !ok || !isIDString(doc) {
			return "", false
		}
		canonical, s = document+doc+":", rest
	}
	name, ok := cutPrefixFold(s, prefix)
	return canonical + prefix + name, ok && isIDString(name)
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
