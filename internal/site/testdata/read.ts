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
const missing = await client.GET("/dpgs/{id}.json", { params: { path: { id: "there-is-none" } } });

console.log(JSON.stringify({
  name: index.name,
  total: list.total,
  goals,
  counted: stats.kinds.find((k) => k.name === "dpg")?.by_sdg,
  view: view.total,
  missing: missing.response.status,
}));
