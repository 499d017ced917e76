// A stand-in for the server while working on the page: serves dist/ and the contract of /api with invented data.
// node dev/mock.mjs [--port 8000] [--every 4000] [--items 18] [--plan FILE] [--empty] [--problem]
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { sampleItems, samplePlan, sampleTable } from "./sample.mjs";

const { values: args } = parseArgs({
  options: {
    port: { type: "string", default: "8000" },
    every: { type: "string", default: "0" },
    items: { type: "string", default: "18" },
    plan: { type: "string" },
    empty: { type: "boolean", default: false },
    problem: { type: "boolean", default: false },
  },
});
const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const SOCKET_KEY = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const hash = (text) => createHash("sha1").update(text).digest("hex");
const epoch = hash(String(Date.now())).slice(0, 12);
const items = sampleItems(Number(args.items));
const log = new Map();
const clients = new Set();
let seq = 0;
let head = null;

function put(resource, content, made) {
  const entries = log.get(resource) ?? [];
  const previous = entries[0]?.revision ?? null;
  if (entries[0]?.content === content) return;
  head = hash(`${head}${resource}${content}`);
  const entry = {
    resource, revision: head, previous, blob: hash(content), size: Buffer.byteLength(content), content_type: made.type ?? null,
    time: new Date(Date.now() - (made.ago ?? 0)).toISOString(), author: made.author ?? "esker", summary: made.summary ?? "", stage: made.stage ?? null,
    inputs: (made.from ?? []).map((name) => ({ resource: name, revision: log.get(name)[0].revision })), duration_ms: made.ms ?? null, content,
  };
  log.set(resource, [entry, ...entries]);
}

function flow(summary, ago = 0) {
  const raw = `=====plan\n${sampleTable(items).trimEnd().split("\n").map((line) => `\t${line}`).join("\n")}\n`;
  put("raw/plan", raw, { author: "Ada Planner <ada@example.org>", summary, ago });
  put("conditioned/plan", sampleTable(items), { stage: "condition", from: ["raw/plan"], ms: 12, summary: "stage condition", ago, type: "text/tab-separated-values" });
  put("params/plan", JSON.stringify({ start: "2026-11-18", end: "2027-02-05", big: 1 }), { author: "Ada Planner <ada@example.org>", summary: "parameters", ago, type: "application/json" });
  put("results/plan", args.plan ? readFileSync(args.plan, "utf8") : samplePlan(items), {
    stage: "schedule", from: ["conditioned/plan", "params/plan"], ms: 38, summary: "stage schedule", ago,
  });
}

function state() {
  const bad = args.problem;
  const none = log.size === 0;
  const stage = (name, inputs, outputs, program, state, behind = false) => ({ name, kind: "stage", inputs, outputs, program, state, behind });
  return {
    type: "state", project: "qplan", version: "0.1.0", epoch, seq, head,
    resources: [...log.values()].map(([{ content, ...entry }]) => entry),
    stages: [
      { name: "plan", kind: "source", inputs: [], outputs: ["raw/plan"], program: "file plan.txt", state: none ? "waiting" : "fresh", behind: false },
      stage("condition", ["raw/plan"], ["conditioned/plan"], "esker qplan condition", none ? "waiting" : bad ? "problem" : "fresh", bad),
      stage("schedule", ["conditioned/plan", "params/plan"], ["results/plan"], "esker qplan schedule", none ? "waiting" : bad ? "stale" : "fresh", bad),
    ].slice(args.empty ? 1 : 0),
    problems: bad
      ? [{
          id: "condition", stage: "condition", summary: "exited with 65: stream \"qplan work v1\", line 12, field 4: estimate \"3f\" is not a number",
          hint: "mend line 12 of raw/plan and put it again; the last good version stays in use", count: 2, since: new Date(Date.now() - 400000).toISOString(),
          retry_at: null, detail: "reading 18 items\nesker: warning item 7 has no track\nerror: stream \"qplan work v1\", line 12, field 4: estimate \"3f\" is not a number\n",
        }]
      : [],
    views: [
      { name: "capacity", title: "Capacity", resource: "results/plan", kind: "plan" },
      { name: "work", title: "Work", resource: "conditioned/plan", kind: "table" },
      { name: "params", title: "Parameters", resource: "params/plan", kind: "text" },
    ],
  };
}

function frame(message) {
  const body = Buffer.from(JSON.stringify(message));
  const start = body.length < 126 ? Buffer.from([0x81, body.length]) : Buffer.from([0x81, 126, body.length >> 8, body.length & 255]);
  return Buffer.concat([start, body]);
}

function tell(message) {
  for (const socket of clients) socket.write(frame(message));
}

function find(resource, at) {
  const entries = log.get(resource) ?? [];
  if (at === null) return entries[0];
  const day = Date.parse(at);
  return entries.find((entry) => entry.revision.startsWith(at)) ?? (Number.isNaN(day) ? undefined : entries.find((entry) => Date.parse(entry.time) <= day));
}

function refuse(answer, status, code, message, hint) {
  answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ error: { code, message, hint } }));
}

/** A whole-file unified diff: enough to see the page's side of it. */
function diff(resource, from, to) {
  const a = from.content.trimEnd().split("\n");
  const b = to.content.trimEnd().split("\n");
  const lines = [];
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    if (a[i] === b[i]) lines.push(` ${a[i]}`);
    else lines.push(...(a[i] === undefined ? [] : [`-${a[i]}`]), ...(b[i] === undefined ? [] : [`+${b[i]}`]));
  }
  return a.join() === b.join() ? "" : `--- a/${resource}\n+++ b/${resource}\n@@ -1,${a.length} +1,${b.length} @@\n${lines.join("\n")}\n`;
}

function api(url, answer) {
  const resource = url.searchParams.get("resource") ?? "";
  const entry = find(resource, url.searchParams.get("at") ?? url.searchParams.get("to"));
  const unknown = (what) => refuse(answer, 404, "not-found", `cannot find ${resource} at ${what}`, "esker log shows the revisions there are");
  if (url.pathname === "/api/log") {
    const entries = (log.get(resource) ?? []).slice(0, Number(url.searchParams.get("limit") ?? 50)).map(({ content, ...rest }) => rest);
    answer.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ entries }));
  } else if (!entry) {
    unknown(url.searchParams.get("at") ?? "head");
  } else if (url.pathname === "/api/get") {
    answer.writeHead(200, {
      "content-type": entry.content_type ?? "application/octet-stream", "x-esker-revision": entry.revision, "x-esker-at": head, etag: `"${entry.revision}"`,
    }).end(entry.content);
  } else {
    const from = find(resource, url.searchParams.get("from"));
    if (!from) unknown(url.searchParams.get("from"));
    else answer.writeHead(200, { "content-type": "text/plain; charset=utf-8" }).end(diff(resource, from, entry));
  }
}

const server = createServer((request, answer) => {
  const url = new URL(request.url, "http://mock");
  answer.setHeader("content-security-policy", "default-src 'self'");
  if (url.pathname.startsWith("/api/")) return api(url, answer);
  const path = normalize(url.pathname === "/" ? "/index.html" : url.pathname);
  try {
    answer.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" }).end(readFileSync(join(DIST, path)));
  } catch {
    answer.removeHeader("content-type");
    refuse(answer, 404, "not-found", `no page ${path}`, "run npm run build");
  }
});

server.on("upgrade", (request, socket) => {
  const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + SOCKET_KEY).digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  clients.add(socket);
  const leave = () => {
    clients.delete(socket);
    socket.destroy();
  };
  for (const event of ["close", "end", "error"]) socket.on(event, leave);
  socket.resume();
  socket.write(frame(state()));
});

if (!args.empty) {
  flow("first plan", 7_200_000);
  items[2].estimates.Server = 2.5;
  flow("search is smaller than thought", 900_000);
}
setInterval(() => tell({ type: "heartbeat", epoch, seq }), 5_000);
if (Number(args.every) > 0) {
  let turn = 0;
  setInterval(() => {
    turn += 1;
    const item = items[turn % items.length];
    const skill = Object.keys(item.estimates)[0] ?? "Server";
    item.estimates[skill] = (item.estimates[skill] ?? 0) + (turn % 2 === 0 ? 1.5 : -0.5);
    flow(`estimate of “${item.name}” changed`);
    seq += 1;
    tell(state());
  }, Number(args.every));
}
server.listen(Number(args.port), "127.0.0.1", () => process.stdout.write(`mock at http://127.0.0.1:${server.address().port}\n`));
