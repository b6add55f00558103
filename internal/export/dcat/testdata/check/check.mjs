// Reads Turtle and JSON-LD, and says as JSON what each holds as N-Quads, and what
// a validator of shapes finds in the Turtle: node check.mjs DATA.ttl DATA.jsonld SHAPES.ttl
import fs from 'node:fs';
import jsonld from 'jsonld';
import N3 from 'n3';
import SHACLValidator from 'rdf-validate-shacl';

const [ttl, json, shapes] = process.argv.slice(2);
const parse = (file) => new N3.Store(new N3.Parser().parse(fs.readFileSync(file, 'utf8')));
// One writer for both, so that only what is held is compared.
const lines = (quads) => {
  const writer = new N3.Writer({format: 'N-Quads'});
  return [...new Set(quads.map((q) => writer.quadToString(q.subject, q.predicate, q.object, q.graph).trim()))].sort();
};
const data = parse(ttl);
const fetched = [];
const documentLoader = (url) => { fetched.push(url); throw new Error('fetched ' + url); };
const quads = await jsonld.toRDF(JSON.parse(fs.readFileSync(json, 'utf8')), {format: 'application/n-quads', documentLoader});
const report = await new SHACLValidator(parse(shapes)).validate(data);
console.log(JSON.stringify({
  turtle: lines(data.getQuads()),
  jsonld: lines(new N3.Parser({format: 'N-Quads'}).parse(quads)),
  fetched,
  conforms: report.conforms,
  results: report.results.map((r) => [r.focusNode?.value, r.path?.value, r.message.map((m) => m.value).join('; '), r.value?.value].join(' | ')).sort(),
}));
