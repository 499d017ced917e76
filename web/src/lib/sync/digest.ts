// Digests: BLAKE3 of a node's path and value, cut to 128 bits; a dict's is its own and those of all below it, added.
import { Hasher } from "./blake3";
import { utf8, Writer } from "./bytes";
import type { Path } from "./path";

/** 128 bits; 0 is that of nothing. */
export type Digest = bigint;

const LEAF = 1;
const DICT = 2;

const key = new Hasher();
key.hash(utf8("esker model v1"));
const hasher = new Hasher(key.out);
// Words are the machine's own, and those of all that browsers run on have the low byte first.
const out = new DataView(hasher.out.buffer);

function hash(written: Writer): Digest {
  hasher.hash(written.room, written.length);
  return read(out, 0);
}

/** As frames and answers have it. */
export function read(view: DataView, at: number): Digest {
  return (view.getBigUint64(at + 8, true) << 64n) | view.getBigUint64(at, true);
}

export function add(a: Digest, b: Digest): Digest {
  return BigInt.asUintN(128, a + b);
}

export function low(digest: Digest): bigint {
  return BigInt.asUintN(64, digest);
}

/** 32 hexadecimal digits, the highest first. */
export function toText(digest: Digest): string {
  return digest.toString(16).padStart(32, "0");
}

export function fromText(text: string): Digest {
  if (!/^[0-9a-f]{32}$/.test(text)) throw new Error(`${text} is no digest`);
  return BigInt(`0x${text}`);
}

const scratch = new Writer();

/** The digest of a dict alone, at the first `depth` keys of a path. */
export function ofDict(path: Path, depth = path.length): Digest {
  scratch.cut(0).byte(DICT).varint(depth);
  for (let at = 0; at < depth; at += 1) scratch.text(path[at] as string);
  return hash(scratch);
}

/** The number that frames name a section with. */
export function sectionId(path: Path): bigint {
  return low(ofDict(path));
}

/** A path as hashes have it, kept while operations follow one another: most share most of their keys. */
export class Trail {
  readonly keys: string[] = [];
  readonly #told = new Writer();
  /** Where each key ends. */
  readonly #ends: number[] = [];
  readonly #input = new Writer();

  /** Begins anew. */
  clear(): void {
    this.keys.length = 0;
  }

  #end(depth: number): number {
    return depth === 0 ? 0 : (this.#ends[depth - 1] as number);
  }

  /** Takes a key, whose length and bytes stand there. */
  push(key: string, bytes: Uint8Array, begin: number, end: number): void {
    const depth = this.keys.length;
    this.#ends[depth] = this.#told.cut(this.#end(depth)).part(bytes, begin, end).length;
    this.keys.push(key);
  }

  /** The bytes of all keys, without their lengths. */
  get size(): number {
    let size = 0;
    for (let depth = 0; depth < this.keys.length; depth += 1) {
      const told = this.#end(depth + 1) - this.#end(depth);
      // A length of two bytes counts from 128 on.
      size += told - (told > 128 ? 2 : 1);
    }
    return size;
  }

  /** The digest of a leaf here, whose value stands there. */
  leaf(bytes: Uint8Array, begin: number, end: number): Digest {
    return hash(this.#begin(LEAF).part(bytes, begin, end));
  }

  /** The digest of a dict alone here. */
  dict(): Digest {
    return hash(this.#begin(DICT));
  }

  #begin(kind: number): Writer {
    const depth = this.keys.length;
    return this.#input.cut(0).byte(kind).varint(depth).part(this.#told.room, 0, this.#end(depth));
  }
}
