// Bytes as docs/sync.md writes them: varints, texts, and a reader that trusts nobody.

/** What cannot be read, and where. */
export class Malformed extends Error {}

/** The longest text that is read by hand: beyond it the decoder's own start is repaid. */
const SHORT = 24;

/** Bytes beyond which a view of them pays. */
const LONG = 256;

// Texts are told apart by their bytes: a byte order mark is part of them, and what is not UTF-8 is refused.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Reads bytes from the front. */
export class Reader {
  at = 0;

  constructor(readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  wrong(what: string): Malformed {
    return new Malformed(`${what}, at byte ${this.at}`);
  }

  byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw this.wrong("it ends too early");
    this.at += 1;
    return byte;
  }

  /** So many bytes; they stay those of the message. */
  take(count: number): Uint8Array {
    if (count > this.left) throw this.wrong("it ends too early");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /** An unsigned integer: a number up to 49 bits, a bigint beyond. */
  varint(): number | bigint {
    let value = 0;
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && scale > 1) throw this.wrong("a varint is longer than it need be");
        return value;
      }
    }
    let large = BigInt(value);
    for (let shift = 49; shift <= 63; shift += 7) {
      const byte = this.byte();
      if (shift === 63 && (byte & 0x7f) > 1) throw this.wrong("a varint has more than 64 bits");
      large |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte < 0x80) {
        if (byte === 0) throw this.wrong("a varint is longer than it need be");
        return large;
      }
    }
    throw this.wrong("a varint has more than 64 bits");
  }

  /** A varint that counts what follows, each of which takes at least a byte. */
  count(): number {
    const count = this.varint();
    if (count > this.left) throw this.wrong("it announces more than there is");
    return Number(count);
  }

  text(): string {
    const length = this.count();
    const end = this.at + length;
    if (length <= SHORT) {
      let text = "";
      let at = this.at;
      for (; at < end; at += 1) {
        const byte = this.bytes[at] as number;
        if (byte >= 0x80) break;
        text += String.fromCharCode(byte);
      }
      if (at === end) {
        this.at = end;
        return text;
      }
    }
    try {
      return decoder.decode(this.take(length));
    } catch {
      throw this.wrong("a text is not UTF-8");
    }
  }

  /** 64 bits as a bigint. */
  u64(): bigint {
    const low = this.u32();
    return (BigInt(this.u32()) << 32n) | BigInt(low);
  }

  u32(): number {
    const bytes = this.take(4);
    return ((bytes[0] as number) | ((bytes[1] as number) << 8) | ((bytes[2] as number) << 16) | ((bytes[3] as number) << 24)) >>> 0;
  }
}

/** Bytes that grow. */
export class Writer {
  #bytes = new Uint8Array(256);
  length = 0;

  #room(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  byte(byte: number): this {
    this.#room(1);
    this.#bytes[this.length++] = byte;
    return this;
  }

  varint(value: number): this {
    let left = value;
    for (; left >= 0x80; left = Math.floor(left / 128)) this.byte((left % 128) | 0x80);
    return this.byte(left);
  }

  raw(bytes: Uint8Array): this {
    return this.part(bytes, 0, bytes.length);
  }

  /** Some of the bytes. They are few: one after the other is faster than a view of them. */
  part(bytes: Uint8Array, begin: number, end: number): this {
    this.#room(end - begin);
    if (end - begin > LONG) this.#bytes.set(bytes.subarray(begin, end), this.length);
    else for (let at = begin; at < end; at += 1) this.#bytes[this.length + at - begin] = bytes[at] as number;
    this.length += end - begin;
    return this;
  }

  text(text: string): this {
    const bytes = utf8(text);
    return this.varint(bytes.length).raw(bytes);
  }

  /** Forgets all behind this place. */
  cut(length: number): this {
    this.length = length;
    return this;
  }

  /** The bytes that were written, and more: valid until more is. */
  get room(): Uint8Array {
    return this.#bytes;
  }

  /** What was written: valid until more is. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}
