// Searches through a client whose types were generated from what the server says of
// its searches. A key that is not in the document, or has another type there, does
// not compile.
import createClient from "openapi-fetch";
import type { components, paths } from "./generated.js";

declare const process: { argv: string[] };

const client = createClient<paths>({ baseUrl: process.argv[2]! });

const found = await client.GET("/search", { params: { query: { q: "giude", kind: ["resource"], per_page: 2 } } });
if (found.data === undefined) {
  throw new Error(`${found.response.url}: ${found.response.status}`);
}
const items: components["schemas"]["SearchItem"][] = found.data.items;
const refused = await client.GET("/search", { params: { query: { page: 0 } } });
const problem: components["schemas"]["Problem"] | undefined = refused.error;

console.log(JSON.stringify({
  total: found.data.total,
  pages: found.data.page_count,
  ids: items.map((item) => item.id),
  forms: found.data.words[0]?.forms,
  kinds: found.data.facets.find((facet) => facet.facet === "kind")?.values.map((value) => `${value.id} ${value.count}`),
  refused: problem?.status,
}));
