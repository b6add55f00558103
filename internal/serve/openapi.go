package serve

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/dpg-registry/dpg-registry/internal/search"
)

type object = map[string]any

// statusOf gives the statuses of the responses that go by a name.
var statusOf = map[string]string{
	"NotModified": "304", "BadRequest": "400", "NotFound": "404", "MethodNotAllowed": "405", "AddressTooLong": "414", "TooManyRequests": "429",
}

// OpenAPI describes searches in an index for programs, in OpenAPI 3.1. It stands
// beside the catalog's own openapi.json, not in it: the catalog is the same bytes
// wherever it is put, and only here can it be searched.
func OpenAPI(ix *search.Index) ([]byte, error) {
	text := func(about string) object { return object{"type": "string", "description": about} }
	orNull := func(about string) object {
		return object{"type": []string{"string", "null"}, "description": about}
	}
	number := func(about string) object { return object{"type": "integer", "minimum": 0, "description": about} }
	list := func(of object) object { return object{"type": "array", "items": of} }
	record := func(properties object) object {
		var required []string
		for name := range properties {
			required = append(required, name)
		}
		return object{"type": "object", "properties": properties, "required": slices.Sorted(slices.Values(required))}
	}
	ref := func(name string) object { return object{"$ref": "#/components/schemas/" + name} }
	schemas := object{
		"SearchResult": record(object{
			"schema_version": text("Version of the shape of the catalog's responses."),
			"license":        orNull("SPDX expression for what the people of this registry wrote."),
			"attribution": object{"type": []string{"object", "null"}, "additionalProperties": object{"type": "string"},
				"description": "The credit asked for, by language."},
			"query": record(object{
				"q":       text("As it was sent. It is what somebody typed: data, never markup."),
				"filters": object{"type": "object", "additionalProperties": list(object{"type": "string"}), "description": "Values by facet, as the catalog spells them."},
			}),
			"total":      number("How many entries were found."),
			"page":       number("This page, from 1."),
			"per_page":   number("How many entries a page has."),
			"page_count": number("How many pages there are."),
			"partial":    object{"type": "boolean", "description": "No entry has all the words; those are here that have the most of them."},
			"words": list(record(object{
				"word":  text("A word of the query, in lower case without accents."),
				"forms": list(object{"type": "string", "description": "A word of the catalog that it stood for."}),
			})),
			"items":  list(ref("SearchItem")),
			"facets": list(ref("SearchFacet")),
		}),
		"SearchItem": record(object{
			"id": text("The entry's id, unique in its kind."), "kind": text("Its kind."),
			"path": text("Where it is published, relative to api/v1/."), "name": orNull("Its name."),
			"snippet": orNull("The part of its description that the query is about, as plain text."),
			"score":   object{"type": "number", "minimum": 0, "description": "How well it fits; to be compared within one answer only."},
		}),
		"SearchFacet": record(object{
			"facet": text("The name of the parameter that filters by it."), "value_count": number("How many values there are, also those not listed."),
			"values": list(record(object{
				"id": text("What to filter for."), "name": orNull("In the registry's language."),
				"count":    number("Entries that a filter for this value leaves, other facets' filters in force."),
				"selected": object{"type": "boolean", "description": "Whether the query filters for it."},
			})),
		}),
		"Problem": record(object{
			"type": text("Always about:blank."), "title": text("The status in words."),
			"status": number("The HTTP status."), "detail": text("What is wrong and what would be right."),
		}),
	}
	params := []object{}
	for _, name := range ix.Parameters() {
		p := object{"name": name, "in": "query", "required": false}
		switch name {
		case "q":
			p["description"] = "Words to look for. Small typing errors are forgiven, accents and case are of no matter, and the last word may be a beginning."
			p["schema"] = object{"type": "string", "maxLength": search.MaxText}
		case "page":
			p["description"] = "Which page, from 1."
			p["schema"] = object{"type": "integer", "minimum": 1, "maximum": search.MaxPage, "default": 1}
		case "per_page":
			p["description"] = "How many entries a page has."
			p["schema"] = object{"type": "integer", "minimum": 1, "maximum": search.MaxPerPage, "default": 20}
		default:
			p["description"] = "Only entries with this " + name + ", or with one of several where it is given again. " +
				"A value of a known list that no entry has finds none; of what has no such list (sectors, say), only values that entries have are taken."
			p["schema"] = object{"type": "array", "items": object{"type": "string"}, "maxItems": search.MaxValues}
			p["style"], p["explode"] = "form", true
		}
		params = append(params, p)
	}
	header := func(about string) object {
		return object{"description": about, "schema": object{"type": "string"}}
	}
	problem := func(about string, headers object) object {
		r := object{"description": about, "content": object{"application/problem+json": object{"schema": ref("Problem")}}}
		if headers != nil {
			r["headers"] = headers
		}
		return r
	}
	tagged := object{"ETag": header("Names these bytes; send it back in If-None-Match.")}
	// These are what the catalog's files are answered with too, here: elsewhere a
	// host may answer as it likes.
	responses := object{
		"NotModified":      object{"description": "What If-None-Match names still holds.", "headers": tagged},
		"BadRequest":       problem("A parameter is not one of those described, or has a value that it cannot have.", nil),
		"NotFound":         problem("There is no such file, or nothing to search in.", nil),
		"MethodNotAllowed": problem("Only GET, HEAD and OPTIONS are answered.", object{"Allow": header("What is.")}),
		"AddressTooLong":   problem("The address is too long.", nil),
		"TooManyRequests":  problem("Too many requests from one address.", object{"Retry-After": header("In how many seconds there may be another.")}),
	}
	with := func(ok object, names ...string) object {
		out := object{"200": ok}
		for _, name := range names {
			out[statusOf[name]] = object{"$ref": "#/components/responses/" + name}
		}
		return out
	}
	media := func(schema, example any) object {
		return object{"application/json": object{"schema": schema, "example": example}}
	}
	first := object{}
	if data, err := json.Marshal(ix.Search(search.Query{PerPage: 1})); err != nil {
		return nil, err
	} else if err := json.Unmarshal(data, &first); err != nil {
		return nil, err
	}
	doc := object{
		"openapi": "3.1.0",
		"info": object{"title": "Search", "version": "1.0", "contact": object{"name": "Those who run this server"},
			"description": "Searches in a catalog, where it is served by dpg serve. The catalog's files are described in ../openapi.json; what else is " +
				"answered for them here is among the responses below. HEAD is answered as GET is, without the body."},
		"servers": []object{{"url": "..", "description": "The catalog's api/v1/ folder."}},
		"tags":    []object{{"name": "search", "description": "Ranked searches with counts."}},
		"paths": object{
			"/search": object{"get": object{
				"operationId": "search", "summary": "Find entries", "tags": []string{"search"}, "parameters": params,
				"description": "Live entries that have the words and the properties, the best first, with counts of what a further filter would leave.",
				"responses": with(object{"description": "A page of what was found.", "content": media(ref("SearchResult"), first), "headers": tagged},
					"NotModified", "BadRequest", "NotFound", "MethodNotAllowed", "AddressTooLong", "TooManyRequests"),
			}},
			"/search/openapi.json": object{"get": object{
				"operationId": "describeSearch", "summary": "This document", "tags": []string{"search"},
				"description": "What can be asked, and what is answered.",
				"responses": with(object{"description": "OpenAPI 3.1.", "headers": tagged,
					"content": object{"application/json": object{"schema": object{"type": "object", "additionalProperties": true}}}},
					"NotModified", "NotFound", "MethodNotAllowed", "AddressTooLong", "TooManyRequests"),
			}},
		},
		"components": object{"schemas": schemas, "responses": responses},
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b) // it sorts the keys of maps
	enc.SetIndent("", "  ")
	err := enc.Encode(doc)
	return b.Bytes(), err
}
