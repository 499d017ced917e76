// Operations: how a model changes, as bodies of frames have them.
import { Reader } from "./bytes";
import { type Digest, Trail } from "./digest";
import { KEY_MAX, PATH_MAX, type Path, readAfter } from "./path";
import { readValue, type Value } from "./value";

export const SET = 1;
export const DELETE = 2;
export const DICT = 3;
export const CLEAR = 4;

const OPS_MAX = 65_536;

export interface Op {
  path: Path;
  act: number;
  /** What is set; null otherwise. */
  value: Value;
  /** Of the leaf, or of the dict alone; 0 of nothing. */
  digest: Digest;
}

// One for all: making one costs more than reading an operation.
const trail = new Trail();

/** Reads all operations of a body, hashing each once. */
export function readOps(body: Uint8Array): Op[] {
  const reader = new Reader(body);
  trail.clear();
  const ops: Op[] = [];
  while (reader.left > 0) {
    if (ops.length === OPS_MAX) throw reader.wrong("there are too many operations");
    ops.push(readOp(reader));
  }
  return ops;
}

function readOp(reader: Reader): Op {
  const act = reader.byte();
  if (act < SET || act > CLEAR) throw reader.wrong("there is no such operation");
  readAfter(trail, reader);
  // Few paths come near: counting is for those that may.
  if (trail.keys.length * KEY_MAX > PATH_MAX && trail.size > PATH_MAX) throw reader.wrong("the keys of a path are too long together");
  if (trail.keys.length === 0 && act <= DELETE) throw reader.wrong("the model itself is no leaf and stays");
  const path = trail.keys.slice();
  if (act === DELETE) return { path, act, value: null, digest: 0n };
  if (act !== SET) return { path, act, value: null, digest: trail.dict() };
  const begin = reader.at;
  const value = readValue(reader);
  return { path, act, value, digest: trail.leaf(reader.bytes, begin, reader.at) };
}
