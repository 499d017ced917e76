import { blake3 } from "@noble/hashes/blake3.js";
import { expect, it } from "vitest";
import { Hasher } from "./blake3";

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) % 251);
}

// Blocks, chunks and trees of all shapes begin and end near these lengths.
const edges = [0, 64, 128, 1024, 2048, 3072, 4096, 5120, 7168, 8192, 16384, 31744, 102400];
const lengths = edges.flatMap((edge) => [edge - 1, edge, edge + 1]).filter((length) => length >= 0);

it("hashes as another library does, with a key and without", () => {
  const key = bytes(32);
  const words = new Int32Array(key.slice().buffer);
  for (const length of lengths) {
    const input = bytes(length);
    const [plain, keyed] = [new Hasher(), new Hasher(words)];
    plain.hash(input);
    keyed.hash(input);
    expect(new Uint8Array(plain.out.buffer), `${length} bytes`).toEqual(blake3(input));
    expect(new Uint8Array(keyed.out.buffer), `${length} bytes with a key`).toEqual(blake3(input, { key }));
  }
});

it("takes as many bytes as it is told", () => {
  const hasher = new Hasher();
  hasher.hash(bytes(100), 64);
  expect(new Uint8Array(hasher.out.buffer)).toEqual(blake3(bytes(100).subarray(0, 64)));
});
