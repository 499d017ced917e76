// Paths: lists of keys, their order, their limits and their forms.
import { Malformed, type Reader, type Writer } from "./bytes";

export type Path = readonly string[];

export const DEPTH_MAX = 512;
export const KEY_MAX = 1024;
export const PATH_MAX = 65_536;

/** The order of keys: that of their bytes in UTF-8, which is not that of UTF-16. */
export function compareKeys(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let at = 0; at < end; at += 1) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for what comes behind all other units. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

export function startsWith(path: Path, prefix: Path): boolean {
  return prefix.length <= path.length && prefix.every((key, at) => key === path[at]);
}

export function isSame(a: Path, b: Path): boolean {
  return a.length === b.length && startsWith(a, b);
}

/** How many keys two paths begin with alike. */
export function shared(a: Path, b: Path): number {
  let count = 0;
  while (count < a.length && count < b.length && a[count] === b[count]) count += 1;
  return count;
}

/** A path that is read: it is given each key, and where it stands with its length. */
export interface Taker {
  readonly keys: string[];
  push(key: string, bytes: Uint8Array, begin: number, end: number): void;
}

/** Reads a path, told by what differs, over the one before it. */
export function readAfter(taker: Taker, reader: Reader): void {
  const path = taker.keys;
  const same = reader.varint();
  if (same > path.length) throw reader.wrong("a path shares more keys than there were");
  path.length = Number(same);
  const more = reader.count();
  if (path.length + more > DEPTH_MAX) throw reader.wrong("a path has too many keys");
  for (let count = 0; count < more; count += 1) {
    const begin = reader.at;
    const key = reader.text();
    if (reader.at - begin > KEY_MAX + 2) throw reader.wrong("a key is too long");
    taker.push(key, reader.bytes, begin, reader.at);
  }
}

export function writeAfter(before: Path, path: Path, writer: Writer): void {
  const same = shared(before, path);
  writer.varint(same).varint(path.length - same);
  for (const key of path.slice(same)) writer.text(key);
}

export function toJson(path: Path): string {
  return JSON.stringify(path);
}

export function fromJson(text: string): string[] {
  const path: unknown = JSON.parse(text);
  if (!Array.isArray(path) || !path.every((key) => typeof key === "string")) throw new Malformed("a path is a JSON array of texts");
  return path;
}
