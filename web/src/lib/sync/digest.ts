// Digests: BLAKE3 of a node's path and value, cut to 128 bits; a dict's is its own and those of all below it, added.
import { blake3 } from "@noble/hashes/blake3.js";
import { Reader, utf8, Writer } from "./bytes";
import type { Path } from "./path";

/** 128 bits; 0 is that of nothing. */
export type Digest = bigint;

const LEAF = 1;
const DICT = 2;

// Each hash begins with the state of one that has its key already.
const keyed = blake3.create({ key: blake3(utf8("esker model v1")), dkLen: 16 });
const state = keyed.clone();

export function hash(bytes: Uint8Array): Digest {
  return read(keyed._cloneInto(state).update(bytes).digest());
}

/** As frames and answers have it. */
export function read(bytes: Uint8Array): Digest {
  const reader = new Reader(bytes);
  const low = reader.u64();
  return (reader.u64() << 64n) | low;
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
  return hash(scratch.bytes);
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

  /** Takes a key, as its length and its bytes. */
  readonly take = (depth: number, bytes: Uint8Array): void => {
    const begin = depth === 0 ? 0 : (this.#ends[depth - 1] as number);
    this.#ends[depth] = this.#told.cut(begin).raw(bytes).length;
  };

  /** The bytes of all keys, without their lengths. */
  get size(): number {
    const depth = this.keys.length;
    let size = 0;
    for (let at = 0; at < depth; at += 1) {
      const told = (this.#ends[at] as number) - (at === 0 ? 0 : (this.#ends[at - 1] as number));
      // A length of two bytes counts from 128 on.
      size += told - (told > 128 ? 2 : 1);
    }
    return size;
  }

  leaf(value: Uint8Array): Digest {
    return hash(this.#begin(LEAF).raw(value).bytes);
  }

  dict(): Digest {
    return hash(this.#begin(DICT).bytes);
  }

  #begin(kind: number): Writer {
    const depth = this.keys.length;
    const end = depth === 0 ? 0 : (this.#ends[depth - 1] as number);
    return this.#input.cut(0).byte(kind).varint(depth).raw(this.#told.bytes.subarray(0, end));
  }
}
