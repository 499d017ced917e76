// What a replica refuses, each check alone: a publisher that says what is not so, or a way that spoils it.
import { describe, expect, it } from "vitest";
import { Reader, utf8 } from "./bytes";
import { sectionId } from "./digest";
import { DELTA, DIFF } from "./frame";
import { readOps } from "./op";
import { compareKeys } from "./path";
import { Publisher } from "./publisher";
import { concat, type ToldOp, writeHeader, writeOps } from "./testing";
import { set, World } from "./world";

/** Has the first answers to a verb spoilt. */
function spoil(publisher: Publisher, verb: string, spoilt: (frame: Uint8Array) => Uint8Array, times = 1): void {
  const say = publisher.say.bind(publisher);
  let left = times;
  publisher.say = (id, asked, fields, body) => {
    const said = say(id, asked, fields, body);
    if (asked !== verb || said.frames.length === 0 || left === 0) return said;
    left -= 1;
    return { head: said.head, frames: said.frames.map(spoilt) };
  };
}

/** The frame with another byte in its header. */
function at(place: number): (frame: Uint8Array) => Uint8Array {
  return (frame) => frame.map((byte, at) => (at === place ? byte ^ 1 : byte));
}

/** A frame of other operations that is true in itself. */
function of(...ops: ToldOp[]): (frame: Uint8Array) => Uint8Array {
  return (frame) => {
    const body = writeOps(ops);
    const sum = BigInt.asUintN(128, readOps(body).reduce((sum, op) => sum + op.digest, 0n));
    const header = frame.slice(0, 72);
    const view = new DataView(header.buffer);
    view.setBigUint64(32, BigInt.asUintN(64, sum), true);
    view.setBigUint64(40, sum >> 64n, true);
    view.setUint32(56, ops.length, true);
    return concat(header, body);
  };
}

function filled(ring = 50): World {
  const world = new World(1, new Publisher(1n, [], ring));
  world.publisher.change(Array.from({ length: 8 }, (_, row) => set("rows", `r${row}`, "new")));
  return world;
}

describe("a copy", () => {
  it("is refused if a chunk does not have the digest it says", () => {
    const world = filled();
    spoil(world.publisher, "CHUNK", at(32));
    world.pass(300);
    world.isEqual();
    expect(world.replica.counts).toMatchObject({ mismatches: 1, copies: 2 });
  });

  it("is refused if all chunks together do not have the digest of the cut", () => {
    const world = new World(1);
    world.publisher.change([set("a", "1")]);
    spoil(world.publisher, "CHUNK", of({ op: "DICT", path: [] }));
    world.pass(300);
    world.isEqual();
    expect(world.replica.counts).toMatchObject({ mismatches: 1, copies: 2 });
  });

  it("is refused if it is of another epoch", () => {
    const world = filled();
    spoil(world.publisher, "CHUNK", at(8));
    world.pass(300);
    world.isEqual();
    expect(world.replica.counts).toMatchObject({ malformed: 1, copies: 2 });
  });
});

it("a difference is refused if it does not make the model it says", () => {
  const world = filled(2);
  world.pass(300);
  spoil(world.publisher, "DIFF", of(set("other", "x")));
  for (let row = 0; row < 5; row += 1) world.publisher.change([set("rows", `r${row}`, "done")]);
  world.change(set("b", "2"));
  world.pass(300);
  world.isEqual();
  expect(world.replica.counts).toMatchObject({ diffs: 1, mismatches: 1, repairs: 1 });
  expect(world.replica.model.get(["other"])).toBeUndefined();
});

it("a repair is refused if it does not make the model it says", () => {
  const world = filled(2);
  world.pass(300);
  spoil(world.publisher, "GET", of(set("other", "x")));
  world.publisher.diffs = 1;
  world.publisher.change([set("rows", "r1", "done")]);
  world.publisher.change([set("rows", "r2", "done")]);
  world.publisher.change([set("rows", "r3", "done")]);
  world.change(set("b", "2"));
  world.pass(300);
  world.isEqual();
  expect(world.replica.counts).toMatchObject({ repairs: 1, mismatches: 1, copies: 2 });
});

describe("a frame", () => {
  it("is not applied if what its section had before is missing", () => {
    const world = new World(1, new Publisher(1n), [["a"]]);
    world.pass(100);
    world.publisher.change([set("a", "x", "1")]);
    world.change(set("a", "y", "2"));
    world.pass(100);
    world.isEqual();
    expect(world.replica.counts).toMatchObject({ mismatches: 0, replays: 1 });
  });

  it("is refused if it changes another section", () => {
    const world = filled();
    world.pass(300);
    const [sent] = world.publisher.change([set("a", "1")]);
    const after = world.publisher.model.digestAt(["a"]);
    const header = writeHeader({ kind: DELTA, epoch: 1n, seq: 2, last: true, after, section: sectionId(["a"]), ops: 2 });
    expect(sent?.header.length).toBe(header.length);
    world.send([{ section: ["a"], header, body: writeOps([set("a", "1"), set("b", "2")]) }]);
    world.pass(100);
    world.isEqual();
    expect(world.replica.counts.malformed).toBe(1);
  });

  it("that is level with another digest is noticed also in a new epoch", () => {
    for (const sections of [[], [["rows"]]]) {
      const world = new World(1, new Publisher(1n), sections);
      for (let row = 0; row < 20; row += 1) world.change(set("rows", `r${row}`, "new"));
      world.pass(300);
      world.change(set("rows", "r1", "done"));
      world.publisher = new Publisher(2n, [], 50, world.publisher.model);
      world.change(set("rows", "r2", "done"));
      world.pass(200);
      world.isEqual();
      for (const op of readOps(writeOps([set("rows", "r7", "else")]))) world.replica.model.apply(op);
      world.pass(1500);
      world.isEqual();
    }
  });
});

it("keys are in the order of their bytes, and a byte order mark is part of a text", () => {
  const keys = ["", "a", "aa", "é", "\ud7ff", "\ufeffa", "\uffff", "\u{10000}", "\u{10ffff}"];
  expect([...keys].reverse().sort(compareKeys)).toEqual(keys);
  const bytes = utf8("\ufeffa");
  expect(new Reader(concat(Uint8Array.of(bytes.length), bytes)).text()).toBe("\ufeffa");
});

describe("a difference without an end", () => {
  /** Has every DIFF tell the same page, behind which there are more. */
  function endless(world: World, ops: readonly ToldOp[], most: number): () => number {
    const { publisher } = world;
    const say = publisher.say.bind(publisher);
    let pages = 0;
    const body = writeOps(ops);
    publisher.say = (id, asked, fields, sent) => {
      if (asked !== "DIFF") return say(id, asked, fields, sent);
      pages += 1;
      if (pages > most) throw new Error("it goes on for ever");
      const { head } = say(id, "CUT", fields, sent);
      const header = writeHeader({ kind: DIFF, epoch: 1n, seq: publisher.seq, ops: ops.length });
      return { head: concat(head, utf8('\tnext: ["x"]\n')), frames: [concat(header, body)] };
    };
    return () => pages;
  }

  for (const [name, count, most] of [["of operations", 60_000, 2], ["of pages", 0, 10_000]] as const) {
    it(`${name} is given up for a repair`, () => {
      const world = filled(2);
      world.pass(300);
      const pages = endless(world, Array.from({ length: count }, (_, row) => set("rows", "r1", String(row))), most);
      for (let row = 0; row < 5; row += 1) world.publisher.change([set("rows", `r${row}`, "done")]);
      world.change(set("b", "2"));
      world.pass(300);
      for (let left = 100; left > 0 && world.replica.state !== "live"; left -= 1) world.pass(1000);
      world.isEqual();
      expect(pages()).toBe(most);
      expect(world.replica.counts).toMatchObject({ diffs: 1, mismatches: 1, repairs: 1 });
    });
  }
});
