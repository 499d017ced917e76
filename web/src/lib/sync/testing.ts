// For tests alone: what a publisher writes, and the test vectors.
import { fromHex, type Told, toldValue } from "./vectors";
import { utf8, Writer } from "./bytes";
import { toText } from "./digest";
import { CLEAR, DELETE, DICT, SET } from "./op";
import { type Path, writeAfter } from "./path";

export interface ToldOp {
  op: "SET" | "DEL" | "DICT" | "CLEAR";
  path: Path;
  value?: Told;
}

const ACTS = { SET, DEL: DELETE, DICT, CLEAR };

/** Operations one behind the other. */
export function writeOps(ops: readonly ToldOp[]): Uint8Array {
  const writer = new Writer();
  let before: Path = [];
  for (const { op, path, value } of ops) {
    writer.byte(ACTS[op]);
    writeAfter(before, path, writer);
    before = path;
    if (op === "SET") writeValue(value ?? null, writer);
  }
  return writer.bytes.slice();
}

function writeBig(value: bigint, writer: Writer): void {
  let left = value;
  for (; left >= 0x80n; left >>= 7n) writer.byte(Number(left & 0x7fn) | 0x80);
  writer.byte(Number(left));
}

function writeValue(told: Told, writer: Writer): void {
  if (told === null) writer.byte(0);
  else if (typeof told === "boolean") writer.byte(told ? 2 : 1);
  else if (typeof told === "string") writer.byte(6).text(told);
  else if (Array.isArray(told)) {
    writer.byte(8).varint(told.length);
    for (const value of told) writeValue(value, writer);
  } else if ("integer" in told) {
    const value = BigInt(told.integer);
    const isLarge = value >= 1n << 63n;
    writer.byte(isLarge ? 4 : 3);
    writeBig(isLarge ? value : value >= 0n ? 2n * value : -2n * value - 1n, writer);
  } else if ("float" in told) writer.byte(5).raw(fromHex(told.float).reverse());
  else if ("bytes" in told) {
    const bytes = fromHex(told.bytes);
    writer.byte(7).varint(bytes.length).raw(bytes);
  } else {
    writer.byte(9).varint(told.record.length);
    for (const [name, value] of told.record) {
      writer.text(name);
      writeValue(value, writer);
    }
  }
}

export interface HeaderOf {
  kind: number;
  last?: boolean;
  epoch: bigint;
  seq: number;
  prev?: number;
  after?: bigint;
  section?: bigint;
  ops?: number;
  part?: number;
  parts?: number;
}

/** A header as it travels. */
export function writeHeader(header: HeaderOf): Uint8Array {
  const bytes = new Uint8Array(72);
  const view = new DataView(bytes.buffer);
  bytes.set([0xe5, 0x1c, 1, header.kind, header.last ? 2 : 0, 0, 1, 1]);
  view.setBigUint64(8, header.epoch, true);
  view.setBigUint64(16, BigInt(header.seq), true);
  view.setBigUint64(24, BigInt(header.prev ?? 0), true);
  bytes.set(fromHex(toText(header.after ?? 0n)).reverse(), 32);
  view.setBigUint64(48, header.section ?? 0n, true);
  view.setUint32(56, header.ops ?? 0, true);
  view.setUint16(60, header.part ?? 0, true);
  view.setUint16(62, header.parts ?? 1, true);
  return bytes;
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const writer = new Writer();
  for (const part of parts) writer.raw(part);
  return writer.bytes.slice();
}

/** A path as digests and heartbeats have it: a count and the keys. */
export function writePath(path: Path): Uint8Array {
  const writer = new Writer().varint(path.length);
  for (const key of path) writer.text(key);
  return writer.bytes.slice();
}

export { fromHex, type Told, toldValue, utf8 };
