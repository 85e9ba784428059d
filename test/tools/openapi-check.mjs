// openapi-check.mjs [--spec FILE] [JOURNAL]... - is proto/ccp.openapi.yaml a valid OpenAPI 3.1 document, are
// its own examples valid, and does every message of the journals fit the schema of its operation?
//
// A journal has one JSON object a line:
//   {"path":"/requests/download","direction":"request"|"response","status":200,"body":{...}}
// Prints TAP; exits 1 if anything is not ok.  The packages are looked for beside this file, or, with
// CERTFERRY_TOOLS=DIR, in DIR/node_modules.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(process.env.CERTFERRY_TOOLS ?? here, "package.json"));
const load = async (name) => import(pathToFileURL(require.resolve(name)));
const yaml = (await load("yaml")).default;
const Ajv2020 = (await load("ajv/dist/2020.js")).default.default;
const addFormats = (await load("ajv-formats")).default.default;
const { Validator } = await load("@seriousme/openapi-schema-validator");

let count = 0, failed = 0;
function result(ok, what, why = []) {
  count++;
  if (!ok) failed++;
  console.log(`${ok ? "ok" : "not ok"} ${count} - ${what.replaceAll("#", "\\#")}`);
  if (!ok) for (const line of why.slice(0, 20)) console.log(`# ${line}`);
  return ok;
}

function finish() {
  console.log(`1..${count}`);
  process.exit(failed === 0 && count > 0 ? 0 : 1);
}

// ---- the document ------------------------------------------------------------------------------------

const args = process.argv.slice(2);
let file = join(here, "..", "..", "proto", "ccp.openapi.yaml");
if (args[0] === "--spec") [, file] = args.splice(0, 2);
const spec = yaml.parse(readFileSync(file, "utf8"), { merge: false, uniqueKeys: true });
const checked = await new Validator().validate(structuredClone(spec));
result(spec.openapi?.startsWith("3.1."), `OpenAPI version ${spec.openapi}`);
if (!result(checked.valid, "the document is valid OpenAPI", [JSON.stringify(checked.errors)])) finish();

// Strict: a misspelt keyword in a schema is an error, not a rule that never applies.
const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true, allowUnionTypes: true });
addFormats(ajv);
for (const keyword of ["openapi", "info", "jsonSchemaDialect", "servers", "security", "tags", "paths", "components"])
  ajv.addKeyword(keyword);
ajv.addSchema(spec, "ccp");

const pointer = (...parts) => parts.map((p) => `/${p.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
const compiled = new Map();
function compile(at) {
  if (!compiled.has(at)) compiled.set(at, ajv.compile({ $ref: `ccp#${encodeURI(at)}` }));
  return compiled.get(at);
}

for (const name of Object.keys(spec.components.schemas)) {
  try {
    compile(pointer("components", "schemas", name));
    result(true, `schema ${name} compiles`);
  } catch (e) {
    result(false, `schema ${name} compiles`, [e.message]);
  }
}
if (failed > 0) finish();

// ---- operations --------------------------------------------------------------------------------------

// Where the schema of a body is, following a $ref to a shared response; null: this body is not described.
function content(owner, at) {
  if (owner?.$ref) return content(owner.$ref.slice(2).split("/").reduce((o, k) => o[k], spec), owner.$ref.slice(1));
  const media = owner?.content?.["application/json"];
  return media ? { media, at: at + pointer("content", "application/json", "schema") } : null;
}

const operations = [];
for (const [path, item] of Object.entries(spec.paths))
  for (const method of ["get", "post", "patch", "put", "delete"]) {
    const op = item[method];
    if (!op) continue;
    const base = pointer("paths", path, method);
    const bodies = { request: content(op.requestBody, base + pointer("requestBody")), response: {} };
    for (const [status, answer] of Object.entries(op.responses))
      bodies.response[status] = content(answer, base + pointer("responses", status));
    operations.push({ path, method, bodies });
  }

function check(body, where, what) {
  const valid = compile(where.at);
  const ok = valid(body);
  return result(ok, what, (valid.errors ?? []).map((e) => `${e.instancePath || "/"} ${e.message} ${JSON.stringify(e.params)}`));
}

for (const op of operations)
  for (const [name, where] of [["request", op.bodies.request], ...Object.entries(op.bodies.response)]) {
    if (where?.media.example !== undefined) check(where.media.example, where, `example ${op.method} ${op.path} ${name}`);
    for (const [key, example] of Object.entries(where?.media.examples ?? {}))
      check(example.value, where, `example ${key} ${op.method} ${op.path} ${name}`);
  }

// ---- journals ----------------------------------------------------------------------------------------

// A service may lie below any base path: the longest operation that the path ends with counts.
function find(path) {
  const discovery = "/.well-known/ccp";
  return operations.filter((op) => (op.method === "post" || op.path === discovery) && path.endsWith(op.path))
    .sort((a, b) => b.path.length - a.path.length)[0];
}

function message(line, name) {
  let m;
  try {
    m = JSON.parse(line);
  } catch (e) {
    return result(false, `${name} is JSON`, [e.message]);
  }
  const op = find(String(m.path));
  const what = `${name} ${m.path} ${m.direction}${m.direction === "response" ? ` ${m.status}` : ""}`;
  if (!op) return result(false, what, ["no such operation"]);
  let where = null;
  if (m.direction === "request") where = op.bodies.request;
  else if (m.direction === "response") {
    const key = String(m.status) in op.bodies.response ? String(m.status) : "default";
    if (key === "default" && m.status < 400) return result(false, what, ["this status is not described"]);
    where = op.bodies.response[key];
  }
  if (!where) return result(false, what, ["no such body is described"]);
  return check(m.body, where, what);
}

for (const journal of args) {
  const lines = readFileSync(journal, "utf8").split("\n");
  let messages = 0;
  lines.forEach((line, i) => {
    if (line.trim() === "") return;
    messages++;
    message(line, `${journal}:${i + 1}`);
  });
  if (messages === 0) result(false, `${journal} has messages`);
}
finish();
