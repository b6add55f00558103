package assess

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/dpg-registry/dpg-registry/internal/entry"
)

// hasField reports whether an RFC 6901 pointer names something that the entry's
// file would hold. It walks the Go values: to write every entry as YAML and read it
// again for this would cost more than to assess it.
func hasField(e *entry.Entry, pointer string) bool {
	if !strings.HasPrefix(pointer, "/") {
		return false
	}
	v := reflect.ValueOf(e)
	for token := range strings.SplitSeq(pointer[1:], "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		for v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		if t, ok := v.Interface().(entry.Text); ok {
			if t.IsPlain() || t.ByLanguage("")[token] == "" {
				return false
			}
			v = reflect.ValueOf(token) // text has nothing below it
			continue
		}
		switch v.Kind() {
		case reflect.Struct:
			v = fieldByTag(v, token)
		case reflect.Slice:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= v.Len() || strconv.Itoa(i) != token {
				return false
			}
			v = v.Index(i)
			continue
		default:
			return false
		}
		if !v.IsValid() || v.IsZero() {
			return false
		}
	}
	return true
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
