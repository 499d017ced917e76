// Frames: a header of 72 bytes, and what it says of the body behind it.
import { Malformed, Reader } from "./bytes";
import { type Digest, read } from "./digest";

export const HEADER = 72;
const BODY_MAX = 16 * 1024 * 1024;

export const DELTA = 1;
export const HEARTBEAT = 2;
export const BYE = 3;
export const CHUNK = 4;
export const DIFF = 5;
export const NODES = 6;

const LAST = 2;

export interface Frame {
  kind: number;
  /** Whether it is the last of its kind. */
  last: boolean;
  epoch: bigint;
  seq: number;
  prev: number;
  /** Of the section, behind this frame. */
  after: Digest;
  section: bigint;
  ops: number;
  part: number;
  parts: number;
  body: Uint8Array;
}

export function readFrame(header: Uint8Array, body: Uint8Array): Frame {
  const reader = new Reader(header);
  if (header.length !== HEADER) throw reader.wrong("a header has 72 bytes");
  if (reader.byte() !== 0xe5 || reader.byte() !== 0x1c) throw reader.wrong("this is no frame of a model");
  if (reader.byte() !== 1) throw reader.wrong("the frame is of another version");
  const kind = reader.byte();
  if (kind < DELTA || kind > NODES) throw reader.wrong("there is no such type of frame");
  const flags = reader.byte() | (reader.byte() << 8);
  // Nothing was asked for that may be compressed.
  if ((flags & ~LAST) !== 0) throw reader.wrong("the frame has flags of another version");
  if (reader.byte() !== 1 || reader.byte() !== 1) throw reader.wrong("the frame has another codec or digest");
  const frame: Frame = {
    kind,
    last: (flags & LAST) !== 0,
    epoch: reader.u64(),
    seq: count(reader),
    prev: count(reader),
    after: read(reader.take(16)),
    section: reader.u64(),
    ops: reader.u32(),
    part: reader.byte() | (reader.byte() << 8),
    parts: reader.byte() | (reader.byte() << 8),
    body,
  };
  if (frame.part >= frame.parts) throw reader.wrong("the frame is a part of none");
  if (body.length > BODY_MAX) throw reader.wrong("the body is too large");
  return frame;
}

/** Header and body in one. */
export function readOne(bytes: Uint8Array): Frame {
  return readFrame(bytes.subarray(0, HEADER), bytes.subarray(HEADER));
}

/** A number of a transaction: no publisher comes to 2^53. */
function count(reader: Reader): number {
  const low = reader.u32();
  const value = reader.u32() * 2 ** 32 + low;
  if (!Number.isSafeInteger(value)) throw new Malformed("a transaction's number is too large");
  return value;
}
