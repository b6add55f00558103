package dpg

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dpg-registry/dpg-registry/internal/cli"
)

// An inLine is a line of standard input.
type inLine struct {
	number  int // from 1, blank lines counted
	text    []byte
	tooLong bool // the text was not kept
	most    int  // bytes that a line may have
}

// A lineError is what every command answers to a line that it cannot use.
type lineError struct {
	Line  int             `json:"line"`
	ID    json.RawMessage `json:"id,omitempty"` // as the line gave it; absent where that cannot be told
	Error string          `json:"error"`
}

func (l inLine) fail(id json.RawMessage, format string, args ...any) lineError {
	return lineError{l.number, id, fmt.Sprintf(format, args...)}
}

// decode reads the object of a line into a struct, whose fields are told one by
// one, so that a value of the wrong sort hides no other. Where that is not possible
// it says why.
func (l inLine) decode(into any, id *json.RawMessage) (fault *lineError) {
	fail := func(format string, args ...any) *lineError {
		e := l.fail(*id, format, args...)
		return &e
	}
	switch {
	case l.tooLong:
		return fail("the line is longer than %d bytes", l.most)
	case !utf8.Valid(l.text):
		return fail("the line is not UTF-8")
	}
	err := json.Unmarshal(l.text, into)
	if err == nil {
		if bytes.HasPrefix(bytes.TrimSpace(l.text), []byte("null")) {
			return fail("the line is null, not a JSON object")
		}
		return nil
	}
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		if wrong.Field != "" {
			return fail("%q is of the kind %s, which does not belong there", wrong.Field, wrong.Value)
		}
		return fail("the line is of the kind %s, not a JSON object", wrong.Value)
	}
	return fail("the line is not JSON: %v", err)
}

// eachLine answers every line of standard input that is not blank with a line of
// JSON, several at a time and in their order. No more lines are held than are
// worked on. A line of more than most bytes comes without its text. answer reports
// whether all was well with the line; where it was not, the error is ErrFound.
func eachLine(ctx context.Context, o *cli.IO, jobs, most int, answer func(inLine) (out any, ok bool)) error {
	if jobs == 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	type reply struct {
		line []byte
		ok   bool
	}
	type question struct {
		inLine
		reply chan reply
	}
	todo := make(chan question)
	order := make(chan chan reply, 2*jobs)
	var failed error // of reading; set before order is closed
	go func() {
		defer close(order)
		defer close(todo)
		in := bufio.NewReaderSize(o.In, 64<<10)
		for number := 1; ; number++ {
			line, tooLong, err := readLine(in, most)
			if err != nil {
				if !errors.Is(err, io.EOF) {
					failed = fmt.Errorf("read standard input: %w", err)
				}
				return
			}
			if len(bytes.TrimSpace(line)) == 0 && !tooLong {
				continue
			}
			q := question{inLine{number, line, tooLong, most}, make(chan reply, 1)}
			select {
			case order <- q.reply:
			case <-ctx.Done():
				return
			}
			select {
			case todo <- q:
			case <-ctx.Done():
				return
			}
		}
	}()
	var workers sync.WaitGroup
	for range jobs {
		workers.Go(func() {
			for q := range todo {
				out, ok := answer(q.inLine)
				q.reply <- reply{encodeLine(out), ok}
			}
		})
	}
	found := false
	for next := range order {
		select {
		case r := <-next:
			found = found || !r.ok
			if _, err := o.Out.Write(r.line); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	workers.Wait()
	switch {
	case failed != nil:
		return failed
	case ctx.Err() != nil:
		return ctx.Err()
	case found:
		return cli.ErrFound
	}
	return nil
}

// encodeLine writes one line of JSON. Characters that nobody sees, or that change how
// the rest is seen, are escaped: who reads the line as JSON gets them, a terminal does not.
func encodeLine(out any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(out); err != nil { // strings and finite numbers; only a bug gets here
		return []byte(`{"error":"the answer cannot be written"}` + "\n")
	}
	line := b.Bytes()
	if !bytes.ContainsFunc(line, hiddenRune) {
		return line
	}
	escaped := make([]byte, 0, 2*len(line))
	for _, r := range string(line) { // such characters stand in strings alone, so an escape is JSON
		switch {
		case !hiddenRune(r):
			escaped = utf8.AppendRune(escaped, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, high, low)
		default:
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		}
	}
	return escaped
}

// hiddenRune reports whether a character is not seen where it stands: one that controls
// a terminal, changes the direction of text, has no width, or has no meaning yet.
func hiddenRune(r rune) bool {
	return r != '\n' && r != ' ' && !unicode.IsGraphic(r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || unicode.Is(unicode.Variation_Selector, r)
}

// readLine reads a line without its end. One of more than so many bytes is read to
// its end and not kept.
func readLine(in *bufio.Reader, most int) (line []byte, tooLong bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		whole := err == nil
		if whole {
			part = part[:len(part)-1]
		}
		if len(line)+len(part) > most {
			line, tooLong = nil, true
		}
		if !tooLong {
			line = append(line, part...)
		}
		switch {
		case whole:
			return bytes.TrimSuffix(line, []byte("\r")), tooLong, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && (len(line) > 0 || tooLong):
			return line, tooLong, nil
		default:
			return nil, false, err
		}
	}
}
