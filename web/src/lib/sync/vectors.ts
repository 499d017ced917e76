// For tests alone: the vectors that all clients are held against, and how they tell values.
import type { Value } from "./value";

/** A value, so that no reader of JSON gets it wrong. */
export type Told =
  | null
  | boolean
  | string
  | { integer: string }
  | { float: string; about?: string }
  | { bytes: string }
  | { record: [string, Told][] }
  | Told[];

const files: Record<string, unknown> = import.meta.glob("../../../../crates/esker-replica/tests/golden/sync/*.json", { eager: true, import: "default" });

export function vectors<T>(name: string): T {
  const found = Object.entries(files).find(([path]) => path.endsWith(`/${name}.json`));
  if (!found) throw new Error(`there are no vectors ${name}`);
  return found[1] as T;
}

export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

/** A value as a replica has it. */
export function toldValue(told: Told): Value {
  if (told === null || typeof told !== "object") return told;
  if (Array.isArray(told)) return told.map(toldValue);
  if ("integer" in told) {
    const number = Number(told.integer);
    return Number.isSafeInteger(number) ? number : BigInt(told.integer);
  }
  if ("float" in told) return new DataView(fromHex(told.float).buffer as ArrayBuffer).getFloat64(0);
  if ("bytes" in told) return fromHex(told.bytes);
  const record: Record<string, Value> = Object.create(null);
  for (const [name, value] of told.record) record[name] = toldValue(value);
  return record;
}
