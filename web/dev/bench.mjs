// How many updates a second /esker.js verifies: node dev/bench.mjs DIST/esker.js [ROWS] [UPDATES]
// A WebSocket of its own plays the publisher: a model of so many rows of six fields, then so many transactions of one changed cell each.
import { pathToFileURL } from "node:url";
import { blake3 } from "@noble/hashes/blake3.js";

const [module, rows = 5_000, updates = 200_000] = process.argv.slice(2);
const { default: esker } = await import(pathToFileURL(module).href);

const text = new TextEncoder();
const key = blake3(text.encode("esker model v1"));
const fields = ["state", "tries", "host", "since", "progress", "note"];

const varint = (number) => (number < 0x80 ? [number] : [(number & 0x7f) | 0x80, ...varint(Math.floor(number / 128))]);
const told = (key) => [...varint(key.length), ...text.encode(key)];
const path = (keys) => [...varint(keys.length), ...keys.flatMap(told)];
function hash(bytes) {
  const view = new DataView(blake3(Uint8Array.from(bytes), { key, dkLen: 16 }).slice().buffer);
  return (view.getBigUint64(8, true) << 64n) | view.getBigUint64(0, true);
}
const leaf = (keys, value) => hash([1, ...path(keys), ...value]);
const dict = (keys) => hash([2, ...path(keys)]);
const add = (a, b) => BigInt.asUintN(128, a + b);

function message(...frames) {
  const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + 4 + frame.length, 0));
  let at = 0;
  for (const frame of frames) {
    new DataView(bytes.buffer).setUint32(at, frame.length, true);
    bytes.set(frame, at + 4);
    at += 4 + frame.length;
  }
  return bytes.buffer;
}

function header(kind, { seq, prev = 0, after, section = 0n, ops, last = 0 }) {
  const bytes = new Uint8Array(72);
  const view = new DataView(bytes.buffer);
  bytes.set([0xe5, 0x1c, 1, kind, last ? 2 : 0, 0, 1, 1]);
  [1, seq, prev].forEach((number, at) => view.setBigUint64(8 + 8 * at, BigInt(number), true));
  view.setBigUint64(32, BigInt.asUintN(64, after), true);
  view.setBigUint64(40, after >> 64n, true);
  view.setBigUint64(48, section, true);
  view.setUint32(56, ops, true);
  view.setUint16(62, 1, true);
  return bytes;
}

const name = (row) => `task ${String(row).padStart(6, "0")}`;
const value = (number) => [6, ...told(`value ${number}`)];
const digests = new Map();
let section = dict(["tasks"]);
const ops = [[3, 0, 0], [3, 0, 1, ...told("tasks")]];
for (let row = 0; row < rows; row += 1) {
  ops.push([3, 0, 2, ...told("tasks"), ...told(name(row))]);
  section = add(section, dict(["tasks", name(row)]));
  for (const field of fields) {
    const keys = ["tasks", name(row), field];
    const digest = leaf(keys, value(row));
    digests.set(keys[1] + field, digest);
    section = add(section, digest);
    ops.push([1, 0, 3, ...keys.flatMap(told), ...value(row)]);
  }
}
const whole = add(section, dict([]));
const chunk = Uint8Array.from(ops.flat());
const topic = text.encode("esker-sync/1 bench\0tasks\0");
const events = [];
const id = BigInt.asUintN(64, dict(["tasks"]));
for (let seq = 1; seq <= updates; seq += 1) {
  const keys = ["tasks", name((seq * 7919) % rows), fields[seq % 6]];
  const digest = leaf(keys, value(seq));
  section = add(section, digest - digests.get(keys[1] + keys[2]));
  digests.set(keys[1] + keys[2], digest);
  const body = Uint8Array.from([1, 0, ...path(keys), ...value(seq)]);
  events.push(message(topic, header(1, { seq, prev: seq - 1, after: section, section: id, ops: 1, last: 1 }), body));
}

let socket;
class Socket {
  constructor() {
    socket = this;
    setTimeout(() => this.onopen());
  }
  send(bytes) {
    const said = new TextDecoder().decode(bytes);
    const number = /id: (\d+)/.exec(said)?.[1];
    const ok = (lines, ...body) => setTimeout(() => this.onmessage({ data: message(text.encode(`=====esker/1 OK\n\tid: ${number}\n\tepoch: 1\n${lines}`), ...body) }));
    const cut = `\tseq: 0\n\tdigest: ${whole.toString(16).padStart(32, "0")}\n\tcut: 1\n\tnodes: ${rows * 7 + 2}\n\tjunction: []\n`;
    if (/ CHUNK /.test(said)) {
      if (/index: 0/.test(said)) ok("", new Uint8Array([...header(4, { seq: 0, after: whole, ops: ops.length, last: 1 }), ...chunk]));
    } else ok(cut);
  }
  close() {}
}

const begun = performance.now();
const model = esker.model("bench", { url: "", connect: () => new Socket() });
await model.ready;
console.log(`${rows} rows of ${fields.length} fields copied and verified in ${(performance.now() - begun).toFixed(0)} ms`);
model.on("change", () => {});
for (const part of [events.slice(0, events.length / 2), events.slice(events.length / 2)]) {
  const begin = performance.now();
  for (const data of part) socket.onmessage({ data });
  const ms = performance.now() - begin;
  console.log(`${part.length} updates verified in ${ms.toFixed(0)} ms: ${((part.length / ms) * 1000).toFixed(0)} a second, ${((ms / part.length) * 1000).toFixed(1)} µs each`);
}
const whole2 = add(section, dict([]));
if (model.digest !== whole2.toString(16).padStart(32, "0")) throw new Error("the digests differ");
console.log(`digest ${model.digest}, as the publisher's; ${JSON.stringify(model.counts)}`);
model.close();
