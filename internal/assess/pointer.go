package assess

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// hasField reports whether an RFC 6901 pointer names something that the entry's
// file would hold.
func hasField(e *entry.Entry, pointer string) bool {
	_, ok := fieldAt(e, pointer)
	return ok
}

// fieldAt gives what a pointer names. It walks the Go values: to write every entry
// as YAML and read it again for this would cost more than to assess it.
func fieldAt(e *entry.Entry, pointer string) (any, bool) {
	if !strings.HasPrefix(pointer, "/") {
		return nil, false
	}
	v := reflect.ValueOf(e)
	for token := range strings.SplitSeq(pointer[1:], "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		for v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		if t, ok := v.Interface().(entry.Text); ok {
			text := t.ByLanguage("")[token]
			if t.IsPlain() || text == "" {
				return nil, false
			}
			v = reflect.ValueOf(text)
			continue
		}
		switch v.Kind() {
		case reflect.Struct:
			v = fieldByTag(v, token)
		case reflect.Slice:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= v.Len() || strconv.Itoa(i) != token {
				return nil, false
			}
			v = v.Index(i)
			continue
		default:
			return nil, false
		}
		if !v.IsValid() || v.IsZero() {
			return nil, false
		}
	}
	return v.Interface(), true
}

// fieldByTag finds the field of a struct that a key of its file is read into.
func fieldByTag(v reflect.Value, key string) reflect.Value {
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if name == key && name != "" {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}
