// Leaves: what a model holds at its ends. What is read cannot be changed, for it was verified.
import type { Reader } from "./bytes";
import { compareKeys } from "./path";

/** A leaf. Integers beyond 2^53 are bigints; a record is an object without a prototype. */
export type Value = null | boolean | number | bigint | string | Uint8Array | readonly Value[] | { readonly [name: string]: Value };

const VALUE_MAX = 16 * 1024 * 1024 - 128 * 1024;
const LISTS_MAX = 64;

export function readValue(reader: Reader): Value {
  const begin = reader.at;
  const value = nested(reader, 0);
  if (reader.at - begin > VALUE_MAX) throw reader.wrong("a leaf is too large");
  return value;
}

function nested(reader: Reader, lists: number): Value {
  const kind = reader.byte();
  switch (kind) {
    case 0:
      return null;
    case 1:
      return false;
    case 2:
      return true;
    case 3:
      return zigzag(reader.varint());
    case 4: {
      const value = reader.varint();
      if (value < 1n << 63n) throw reader.wrong("an integer is not in its own form");
      return value;
    }
    case 5:
      return float(reader);
    case 6:
      return reader.text();
    case 7:
      // A copy: the message it came in can go.
      return reader.take(reader.count()).slice();
    case 8:
    case 9:
      if (lists === LISTS_MAX) throw reader.wrong("lists are too deep in lists");
      return kind === 8 ? list(reader, lists + 1) : record(reader, lists + 1);
    default:
      throw reader.wrong("there is no such kind of leaf");
  }
}

function zigzag(value: number | bigint): number | bigint {
  if (typeof value === "number") return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  const whole = (value >> 1n) ^ -(value & 1n);
  const number = Number(whole);
  return Number.isSafeInteger(number) ? number : whole;
}

const floats = new DataView(new ArrayBuffer(8));

function float(reader: Reader): number {
  floats.setUint32(0, reader.u32(), true);
  floats.setUint32(4, reader.u32(), true);
  const value = floats.getFloat64(0, true);
  if (Number.isNaN(value) && floats.getBigUint64(0, true) !== 0x7ff8000000000000n) throw reader.wrong("a NaN is not the one there is");
  return value;
}

function list(reader: Reader, lists: number): Value {
  const values: Value[] = [];
  for (let left = reader.count(); left > 0; left -= 1) values.push(nested(reader, lists));
  return Object.freeze(values);
}

function record(reader: Reader, lists: number): Value {
  const values: Record<string, Value> = Object.create(null);
  let last: string | null = null;
  for (let left = reader.count(); left > 0; left -= 1) {
    const name = reader.text();
    if (last !== null && compareKeys(last, name) >= 0) throw reader.wrong("the names of a record are not in order");
    values[name] = nested(reader, lists);
    last = name;
  }
  return Object.freeze(values);
}
