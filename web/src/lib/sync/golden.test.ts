// The test vectors of esker-sync/1, which every client is held against.
import { describe, expect, it } from "vitest";
import { Reader } from "./bytes";
import { fromText, low, ofDict, sectionId, toText, Trail } from "./digest";
import { readFrame } from "./frame";
import { Dict, Model } from "./model";
import { readAnswers, writeQueries, type Query } from "./nodes";
import { readOps } from "./op";
import { fromJson, type Path, readAfter } from "./path";
import { Junctions } from "./section";
import { concat, fromHex, type Told, type ToldOp, toldValue, writeOps, writePath } from "./testing";
import { readValue } from "./value";
import { vectors } from "./vectors";

interface Refused {
  hex: string;
  why: string;
}

interface Taken<T> {
  refused: Refused[];
  taken: (T & { hex: string; name: string })[];
}

/** Reads all of some bytes. */
function whole<T>(hex: string, read: (reader: Reader) => T): T {
  const reader = new Reader(fromHex(hex));
  const got = read(reader);
  if (reader.left > 0) throw reader.wrong("there is more");
  return got;
}

function refuses(refused: readonly Refused[], read: (hex: string) => unknown): void {
  for (const { hex, why } of refused) expect(() => read(hex), why).toThrow();
}

function built(ops: readonly ToldOp[]): Model {
  const model = new Model();
  for (const op of readOps(writeOps(ops))) model.apply(op);
  return model;
}

describe("reads and refuses", () => {
  it("varints", () => {
    const { taken, refused } = vectors<Taken<{ number: string }>>("varints");
    for (const { hex, number } of taken) expect(String(whole(hex, (reader) => reader.varint()))).toBe(number);
    refuses(refused, (hex) => whole(hex, (reader) => reader.varint()));
  });

  it("values", () => {
    const { taken, refused } = vectors<Taken<{ value: Told }>>("values");
    for (const { hex, name, value } of taken) {
      const got = whole(hex, readValue);
      expect(Object.is(got, toldValue(value)) || typeof got === "object", name).toBe(true);
      expect(got, name).toEqual(toldValue(value));
    }
    refuses(refused, (hex) => whole(hex, readValue));
  });

  it("operations", () => {
    const { taken, refused } = vectors<Taken<{ ops: ToldOp[] }>>("operations");
    for (const { hex, name, ops } of taken) {
      const got = readOps(fromHex(hex));
      expect(got.map((op) => op.path), name).toEqual(ops.map((op) => op.path));
      expect(got.map((op) => ["", "SET", "DEL", "DICT", "CLEAR"][op.act]), name).toEqual(ops.map((op) => op.op));
      expect(got.map((op) => op.value), name).toEqual(ops.map((op) => toldValue(op.value ?? null)));
    }
    refuses(refused, (hex) => readOps(fromHex(hex)));
  });

  it("paths", () => {
    for (const { path, json, dict, section, hex } of vectors<Taken<{ path: Path; json: string; dict: string; section: string }>>("paths").taken) {
      expect(fromJson(json)).toEqual(path);
      expect(toText(ofDict(path))).toBe(dict);
      expect(sectionId(path).toString(16).padStart(16, "0")).toBe(section);
      const trail = new Trail();
      whole(`00${hex}`, (reader) => readAfter(trail, reader));
      expect(trail.keys).toEqual(path);
      expect(trail.dict()).toBe(fromText(dict));
      expect(writePath(path)).toEqual(fromHex(hex));
    }
  });

  it("headers", () => {
    interface Header {
      type: string;
      epoch: string;
      seq: string;
      prev: string;
      section: string;
      digest_after: string;
      operations: number;
      part: number;
      parts: number;
      last: boolean;
      compressed: boolean;
    }
    const { headers, refused } = vectors<{ headers: { hex: string; header: Header }[]; refused: Refused[] }>("frames");
    const types = ["", "DELTA", "HEARTBEAT", "BYE", "CHUNK", "DIFF", "NODES"];
    for (const { hex, header } of headers) {
      const isRead = !header.compressed && Number.isSafeInteger(Number(header.seq)) && Number.isSafeInteger(Number(header.prev));
      if (!isRead) continue;
      const got = readFrame(fromHex(hex), new Uint8Array());
      expect([types[got.kind], got.last, String(got.epoch), String(got.seq), String(got.prev), toText(got.after)]).toEqual([
        header.type, header.last, header.epoch, header.seq, header.prev, header.digest_after,
      ]);
      expect([got.section.toString(16).padStart(16, "0"), got.ops, got.part, got.parts]).toEqual([
        header.section, header.operations, header.part, header.parts,
      ]);
    }
    refuses(refused, (hex) => readFrame(fromHex(hex), new Uint8Array()));
  });
});

describe("has the same digests", () => {
  it("of leaves", () => {
    for (const { path, value, digest } of vectors<{ leaves: { path: Path; value: Told; digest: string }[] }>("digests").leaves) {
      const [op] = readOps(writeOps([{ op: "SET", path, value }]));
      expect(toText(op?.digest ?? 0n), JSON.stringify(path)).toBe(digest);
    }
  });

  it("of models", () => {
    for (const { name, ops, digest, nodes, at } of vectors<{ name: string; ops: ToldOp[]; digest: string; nodes: number; at: { path: Path; digest: string }[] }[]>("models")) {
      const model = built(ops);
      expect(toText(model.digest), name).toBe(digest);
      expect(model.nodes, name).toBe(nodes);
      for (const node of at) expect(toText(model.digestAt(node.path)), `${name} at ${JSON.stringify(node.path)}`).toBe(node.digest);
    }
  });

  it("behind each frame that a publisher sends", () => {
    interface Published {
      junctions: Path[];
      transactions: { digest: string; frames: { header: string; body: string }[] }[];
    }
    const { junctions, transactions } = vectors<Published>("published");
    const sections = new Junctions(junctions);
    const model = built(junctions.filter((path) => path.length > 0).map((path) => ({ op: "DICT", path })));
    for (const { digest, frames } of transactions) {
      for (const { header, body } of frames) {
        const frame = readFrame(fromHex(header), fromHex(body));
        const ops = readOps(frame.body);
        for (const op of ops) model.apply(op);
        const section = sections.section(ops[0]?.path ?? []) ?? [];
        expect(ops.length).toBe(frame.ops);
        expect(sections.isNamed(section, frame.section)).toBe(true);
        expect(toText(model.digestAt(section))).toBe(toText(frame.after));
      }
      expect(toText(model.digest)).toBe(digest);
    }
  });
});

it("asks and reads NODES", () => {
  interface Answer {
    kind: string;
    digest?: string;
    children?: { key: string; kind: string; low: string }[];
    ranges?: { first: string; count?: number; children?: number; low: string }[];
  }
  const { ops, digest, queries, answers, told } = vectors<{ ops: ToldOp[]; digest: string; queries: string; answers: string; told: { query: Query; answer: Answer }[] }>("nodes");
  expect(toText(built(ops).digest)).toBe(digest);
  expect(writeQueries(told.map(({ query }) => query))).toEqual(fromHex(queries));
  const got = readAnswers(fromHex(answers), told.length);
  const model = built(ops);
  told.forEach(({ query, answer }, at) => {
    const node = got[at];
    if (answer.kind === "nothing") return expect(node).toBeNull();
    expect(node?.digest).toBe(fromText(answer.digest ?? ""));
    expect(node?.isDict).toBe(model.node(query.path) instanceof Dict);
    expect(node?.children?.map((child) => [child.key, child.low])).toEqual(answer.children?.map((child) => [child.key, BigInt(`0x${child.low}`)]));
    expect(node?.ranges?.map((range) => [range.first, range.low])).toEqual(answer.ranges?.map((range) => [range.first, BigInt(`0x${range.low}`)]));
    for (const child of node?.children ?? []) expect(low(model.digestAt([...query.path, child.key]))).toBe(child.low);
  });
  expect(() => readAnswers(concat(fromHex(answers), new Uint8Array(1)), told.length)).toThrow();
});
