// Reads a catalog through a client whose types were generated from openapi.json.
// A key that is not in the document, or has another type there, does not compile.
import createClient from "openapi-fetch";
import type { components, paths } from "./generated.js";

declare const process: { argv: string[] };

const client = createClient<paths>({ baseUrl: process.argv[2]! });

function sure<T>(answer: { data?: T; response: Response }): T {
  if (!answer.response.ok || answer.data === undefined) {
    throw new Error(`${answer.response.url}: ${answer.response.status}`);
  }
  return answer.data;
}

const index = sure(await client.GET("/index.json"));
const list = sure(await client.GET("/dpgs.json"));
const goals: Record<string, number> = {};
for (const item of list.items) {
  const id: string = item.id;
  const entry: components["schemas"]["Entry"] = sure(await client.GET("/dpgs/{id}.json", { params: { path: { id } } }));
  const name: string | null = entry.name;
  if (entry.id !== id || name !== item.name) {
    throw new Error(`${id} is ${entry.id}, ${name}`);
  }
  for (const s of entry.sdgs) {
    goals[s.goal] = (goals[s.goal] ?? 0) + 1;
  }
}
const stats = sure(await client.GET("/stats.json"));
const view = sure(await client.GET("/frameworks/{framework}/{id}.json", { params: { path: { framework: "sdgs", id: "3" } } }));
// The same lists in pages: any number of them, one after the other.
const number = (path: string): string => path.replace(/^.*\/(\d+)\.json$/, "$1");
const paged: string[] = [];
for (const s of sure(await client.GET("/dpgs/pages/index.json")).items) {
  const page = sure(await client.GET("/dpgs/pages/{number}.json", { params: { path: { number: number(s.path) } } }));
  if (page.list_path !== "dpgs.json" || page.items.length !== s.item_count) {
    throw new Error(`${s.path} has ${page.items.length} items of ${page.list_path}`);
  }
  paged.push(...page.items.map((item) => item.id));
}
if (paged.join() !== list.items.map((item) => item.id).join()) {
  throw new Error("the pages are not the list");
}
let searched = 0;
let next: string | null = sure(await client.GET("/search/pages/index.json")).items[0]?.path ?? null;
while (next !== null) {
  const page: components["schemas"]["SearchPage"] = sure(
    await client.GET("/search/pages/{number}.json", { params: { path: { number: number(next) } } }));
  searched += page.items.length;
  next = page.next_path;
}
const whole: string | null = view.pages_path; // null here: the view is short
const missing = await client.GET("/dpgs/{id}.json", { params: { path: { id: "there-is-none" } } });

console.log(JSON.stringify({
  name: index.name,
  total: list.total,
  goals,
  counted: stats.kinds.find((k) => k.name === "dpg")?.by_sdg,
  view: view.total,
  paged: paged.length,
  searched,
  viewPages: whole,
  missing: missing.response.status,
}));
