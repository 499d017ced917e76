// BLAKE3 as its specification says, of few bytes at a time: one leaf of a live model is hashed for each cell that changes, and
// what general libraries do around each hash costs several times what the hash does.

const IV = Int32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);
const ORDER = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
const ROUNDS = 7;
const BLOCK = 64;
const CHUNK = 1024;

const CHUNK_START = 1;
const CHUNK_END = 2;
const PARENT = 4;
const ROOT = 8;
const KEYED = 16;

/** Which word of the block each round takes when. */
const schedule = new Uint8Array(ROUNDS * 16);
for (let at = 0; at < schedule.length; at += 1) schedule[at] = at < 16 ? at : (schedule[at - 16 - (at % 16) + (ORDER[at % 16] as number)] as number);

const v = new Int32Array(16);
const m = new Int32Array(16);

function mix(a: number, b: number, c: number, d: number, x: number, y: number): void {
  let [va, vb, vc, vd] = [v[a] as number, v[b] as number, v[c] as number, v[d] as number];
  va = (va + vb + x) | 0;
  vd ^= va;
  vd = (vd >>> 16) | (vd << 16);
  vc = (vc + vd) | 0;
  vb ^= vc;
  vb = (vb >>> 12) | (vb << 20);
  va = (va + vb + y) | 0;
  vd ^= va;
  vd = (vd >>> 8) | (vd << 24);
  vc = (vc + vd) | 0;
  vb ^= vc;
  vb = (vb >>> 7) | (vb << 25);
  v[a] = va;
  v[b] = vb;
  v[c] = vc;
  v[d] = vd;
}

function word(at: number): number {
  return m[schedule[at] as number] as number;
}

/** Works the block in `m` into a chaining value. */
function compress(cv: Int32Array, counter: number, length: number, flags: number): void {
  v.set(cv);
  for (let at = 0; at < 4; at += 1) v[8 + at] = IV[at] as number;
  v[12] = counter | 0;
  v[13] = Math.floor(counter / 2 ** 32) | 0;
  v[14] = length;
  v[15] = flags;
  for (let at = 0; at < schedule.length; at += 16) {
    mix(0, 4, 8, 12, word(at), word(at + 1));
    mix(1, 5, 9, 13, word(at + 2), word(at + 3));
    mix(2, 6, 10, 14, word(at + 4), word(at + 5));
    mix(3, 7, 11, 15, word(at + 6), word(at + 7));
    mix(0, 5, 10, 15, word(at + 8), word(at + 9));
    mix(1, 6, 11, 12, word(at + 10), word(at + 11));
    mix(2, 7, 8, 13, word(at + 12), word(at + 13));
    mix(3, 4, 9, 14, word(at + 14), word(at + 15));
  }
  for (let at = 0; at < 8; at += 1) cv[at] = (v[at] as number) ^ (v[at + 8] as number);
}

/** Takes up to 64 bytes into `m`. */
function load(bytes: Uint8Array, begin: number, end: number): void {
  m.fill(0);
  for (let at = begin; at < end; at += 1) {
    const place = at - begin;
    m[place >> 2] = (m[place >> 2] as number) | ((bytes[at] as number) << (8 * (place & 3)));
  }
}

/** The chaining value of a chunk; of all there is, if it is the root. */
function chunk(cv: Int32Array, bytes: Uint8Array, begin: number, end: number, flags: number): void {
  const counter = begin / CHUNK;
  let at = begin;
  do {
    const next = Math.min(at + BLOCK, end);
    const edges = (at === begin ? CHUNK_START : 0) | (next === end ? CHUNK_END | flags : flags & KEYED);
    load(bytes, at, next);
    compress(cv, counter, next - at, edges);
    at = next;
  } while (at < end);
}

/** Hashes bytes, with a key of 8 words or without one; the first 4 words are `out`'s afterwards. */
export class Hasher {
  readonly out = new Int32Array(8);
  readonly #key: Int32Array;
  readonly #flags: number;

  constructor(key?: Int32Array) {
    this.#key = key ?? IV;
    this.#flags = key ? KEYED : 0;
  }

  hash(bytes: Uint8Array, length = bytes.length): void {
    this.out.set(this.#key);
    if (length <= CHUNK) return chunk(this.out, bytes, 0, length, this.#flags | ROOT);
    this.#tree(bytes, 0, length, ROOT);
  }

  /** The left part of a tree has as many whole chunks as a power of two that leaves something to the right. */
  #tree(bytes: Uint8Array, begin: number, end: number, root: number): void {
    this.out.set(this.#key);
    if (end - begin <= CHUNK) return chunk(this.out, bytes, begin, end, this.#flags);
    let left = CHUNK;
    while (2 * left < end - begin) left *= 2;
    this.#tree(bytes, begin, begin + left, 0);
    const first = this.out.slice();
    this.#tree(bytes, begin + left, end, 0);
    m.set(first);
    m.set(this.out, 8);
    this.out.set(this.#key);
    compress(this.out, 0, BLOCK, PARENT | this.#flags | root);
  }
}
