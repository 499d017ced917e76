// NODES: digests by which two models find where they differ, in few bytes.
import { Reader, Writer } from "./bytes";
import { type Digest, low } from "./digest";
import { Dict, type Model, type Node } from "./model";
import { compareKeys, type Path, writeAfter } from "./path";

export const QUERIES_MAX = 1000;

/** What a dict is told in at most. */
const FAN = 16;

const NOTHING = 0;
const LEAF = 1;
const DICT = 2;

/** A node, or the part of a dict between two keys. */
export interface Query {
  path: Path;
  /** The first key of the part. */
  from: string | null;
  /** The key behind the part. */
  to: string | null;
}

export interface Child {
  key: string;
  isDict: boolean;
  low: bigint;
}

/** Children that follow one another. */
export interface Range {
  first: string;
  count: number;
  low: bigint;
}

/** What is told of a node. */
export interface Told {
  digest: Digest;
  isDict: boolean;
  children: Child[] | null;
  ranges: Range[] | null;
}

export function writeQueries(queries: readonly Query[]): Uint8Array {
  const writer = new Writer().varint(queries.length);
  let before: Path = [];
  for (const { path, from, to } of queries) {
    writeAfter(before, path, writer);
    before = path;
    writer.varint((from === null ? 0 : 1) | (to === null ? 0 : 2));
    if (from !== null) writer.text(from);
    if (to !== null) writer.text(to);
  }
  return writer.bytes.slice();
}

/** The answers to so many queries; null where nothing is. */
export function readAnswers(body: Uint8Array, count: number): (Told | null)[] {
  const reader = new Reader(body);
  const all = Array.from({ length: count }, () => readTold(reader));
  if (reader.left > 0) throw reader.wrong("there is more than the answers");
  return all;
}

function readTold(reader: Reader): Told | null {
  const kind = reader.byte();
  if (kind === NOTHING) return null;
  if (kind > DICT) throw reader.wrong("there is no such kind of node");
  const told: Told = { digest: reader.u64() | (reader.u64() << 64n), isDict: kind === DICT, children: null, ranges: null };
  if (kind === LEAF) return told;
  const form = reader.byte();
  const count = reader.count();
  if (count > FAN) throw reader.wrong("a node is told in too many parts");
  if (form > 1) throw reader.wrong("there is no such form of telling a node");
  if (form === 0) told.children = Array.from({ length: count }, () => readChild(reader));
  else told.ranges = Array.from({ length: count }, () => readRange(reader));
  return told;
}

function readChild(reader: Reader): Child {
  const key = reader.text();
  const kind = reader.byte();
  if (kind !== LEAF && kind !== DICT) throw reader.wrong("there is no such kind of node");
  return { key, isDict: kind === DICT, low: reader.u64() };
}

function readRange(reader: Reader): Range {
  const first = reader.text();
  return { first, count: Number(reader.varint()), low: reader.u64() };
}

/** What a dict has between two keys, in order. */
export function between(dict: Dict, from: string | null, to: string | null): [string, Node][] {
  const keys = dict.keys();
  const begin = from === null ? 0 : place(keys, from);
  const end = to === null ? keys.length : place(keys, to);
  return keys.slice(begin, end).map((key) => [key, dict.children.get(key) as Node]);
}

/** Where a key is, or would be. */
function place(keys: readonly string[], key: string): number {
  let [begin, end] = [0, keys.length];
  while (begin < end) {
    const middle = (begin + end) >> 1;
    if (compareKeys(keys[middle] as string, key) < 0) begin = middle + 1;
    else end = middle;
  }
  return begin;
}

/** Whether a part of a dict is here as it is told. */
export function isAlike(model: Model, { path, from, to }: Query, range: Range): boolean {
  const dict = model.node(path);
  const ours = dict instanceof Dict ? between(dict, from, to) : [];
  return ours.length === range.count && low(ours.reduce((sum, [, node]) => sum + node.digest, 0n)) === range.low;
}
