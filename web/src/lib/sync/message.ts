// Messages over the WebSocket: frames with their lengths before them, the first of them a head of `key: value` lines.
import { Malformed, Reader, utf8 } from "./bytes";
import { type Path, fromJson } from "./path";

const decoder = new TextDecoder();

/** The frames of one message. */
export function split(message: Uint8Array): Uint8Array[] {
  const reader = new Reader(message);
  const frames: Uint8Array[] = [];
  while (reader.left > 0) frames.push(reader.take(reader.u32()));
  return frames;
}

export function join(frames: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(frames.reduce((sum, frame) => sum + 4 + frame.length, 0));
  const view = new DataView(message.buffer);
  let at = 0;
  for (const frame of frames) {
    view.setUint32(at, frame.length, true);
    message.set(frame, at + 4);
    at += 4 + frame.length;
  }
  return message;
}

/** What may stand in a head; a list is a line each. */
export type Fields = Record<string, string | number | bigint | readonly Path[]>;

export function request(verb: string, model: string, fields: Fields, body?: Uint8Array): Uint8Array<ArrayBuffer> {
  const line = (key: string, value: unknown): string => `\t${key}: ${String(value)}\n`;
  const lines = Object.entries(fields).map(([key, value]) =>
    typeof value === "object" ? value.map((path) => line(key, JSON.stringify(path))).join("") : line(key, value),
  );
  const head = utf8(`=====esker/1 ${verb} ${model}\n${lines.join("")}`);
  return join(body ? [head, body] : [head]);
}

/** What went wrong, as the publisher or the way to it tells. */
export class Fault extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Whether a message's first frame is the head of a reply. */
export function isReply(head: Uint8Array): boolean {
  return head[0] === 0x3d;
}

/** A reply: its head's fields, and its body. */
export class Reply {
  readonly #fields = new Map<string, string[]>();
  /** The error it tells of; null if all went well. */
  readonly fault: Fault | null;

  constructor(
    head: Uint8Array,
    readonly body: readonly Uint8Array[],
  ) {
    const [name = "", ...lines] = decoder.decode(head).split("\n");
    for (const line of lines) {
      if (!line.startsWith("\t")) break;
      const colon = line.indexOf(":");
      const key = line.slice(1, colon);
      const known = this.#fields.get(key);
      const value = line.slice(colon + 1).replace(/^ /, "");
      if (known) known.push(value);
      else this.#fields.set(key, [value]);
    }
    const [, kind, code = "internal"] = /^=====esker\/1 (OK|ERROR)(?: (.*))?$/.exec(name) ?? [];
    if (!kind) throw new Malformed(`${name} is neither OK nor ERROR`);
    this.fault = kind === "OK" ? null : new Fault(code, this.#fields.get("message")?.join(" ") ?? code);
  }

  get(key: string): string | undefined {
    return this.#fields.get(key)?.[0];
  }

  require(key: string): string {
    const value = this.get(key);
    if (value === undefined) throw new Malformed(`the field ${key} is missing`);
    return value;
  }

  /** The number of a transaction, or a count. */
  count(key: string): number {
    const value = Number(this.require(key));
    if (!Number.isSafeInteger(value) || value < 0) throw new Malformed(`the field ${key} is no count`);
    return value;
  }

  big(key: string): bigint {
    const text = this.require(key);
    if (!/^\d{1,20}$/.test(text)) throw new Malformed(`the field ${key} is no count`);
    return BigInt(text);
  }

  paths(key: string): string[][] {
    return (this.#fields.get(key) ?? []).map(fromJson);
  }

  /** The first frame of the body. */
  frame(): Uint8Array {
    const frame = this.body[0];
    if (!frame) throw new Malformed("the answer has no frame");
    return frame;
  }
}
