// Frames: a header of 72 bytes, and what it says of the body behind it.
import { Malformed } from "./bytes";
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
  if (header.length !== HEADER) throw new Malformed("a header has 72 bytes");
  const view = new DataView(header.buffer, header.byteOffset, HEADER);
  if (view.getUint16(0) !== 0xe51c) throw new Malformed("this is no frame of a model");
  if (header[2] !== 1) throw new Malformed("the frame is of another version");
  const kind = header[3] as number;
  if (kind < DELTA || kind > NODES) throw new Malformed("there is no such type of frame");
  const flags = view.getUint16(4, true);
  // Nothing was asked for that may be compressed.
  if ((flags & ~LAST) !== 0) throw new Malformed("the frame has flags of another version");
  if (header[6] !== 1 || header[7] !== 1) throw new Malformed("the frame has another codec or digest");
  const frame: Frame = {
    kind,
    last: (flags & LAST) !== 0,
    epoch: view.getBigUint64(8, true),
    seq: count(view, 16),
    prev: count(view, 24),
    after: read(view, 32),
    section: view.getBigUint64(48, true),
    ops: view.getUint32(56, true),
    part: view.getUint16(60, true),
    parts: view.getUint16(62, true),
    body,
  };
  if (frame.part >= frame.parts) throw new Malformed("the frame is a part of none");
  if (body.length > BODY_MAX) throw new Malformed("the body is too large");
  return frame;
}

/** Header and body in one. */
export function readOne(bytes: Uint8Array): Frame {
  return readFrame(bytes.subarray(0, HEADER), bytes.subarray(HEADER));
}

/** A number of a transaction: no publisher comes to 2^53. */
function count(view: DataView, at: number): number {
  const value = view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
  if (!Number.isSafeInteger(value)) throw new Malformed("a transaction's number is too large");
  return value;
}
