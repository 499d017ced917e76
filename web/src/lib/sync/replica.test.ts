// A replica against a publisher, through loss, disorder, repetition and restarts: it ends equal, and says what it is worth.
import { describe, expect, it } from "vitest";
import { BYE } from "./frame";
import { Model } from "./model";
import { readOps } from "./op";
import type { Path } from "./path";
import { Publisher, type Sent } from "./publisher";
import { type ToldOp, writeOps } from "./testing";
import { random, set, storm, World } from "./world";

/** How many worlds are tried. */
const SEEDS = 60;

describe("a replica", () => {
  it("copies a model, and follows each change of it", () => {
    const world = new World(1);
    for (let row = 0; row < 100; row += 1) world.publisher.change([set("rows", `r${row}`, "state", "new")]);
    world.pass(200);
    world.isEqual();
    expect(world.replica.model.get(["rows", "r7", "state"])).toBe("new");
    expect(world.changed).toEqual([null]);
    world.change(set("rows", "r7", "state", "done"), set("more", "x", "y"));
    world.pass(1);
    world.isEqual();
    expect(world.changed.at(-1)).toEqual([["rows", "r7", "state"], ["more", "x"]]);
    expect(world.replica.counts).toMatchObject({ applied: 1, copies: 1, losses: 0, replays: 0 });
    // Once the copy is there, what came since it was made is asked for.
    expect(world.states).toEqual(["catching-up", "live"]);
  });

  it("waits for what comes in another order, and drops what comes twice", () => {
    const world = new World(2);
    world.pass(50);
    const [first, second] = [world.publisher.change([set("a", "1")]), world.publisher.change([set("b", "2")])];
    world.send([...second, ...second]);
    world.pass(10);
    world.send([...first, ...first, ...second]);
    world.pass(10);
    world.isEqual();
    expect(world.replica.counts).toMatchObject({ replays: 0, duplicates: 2 });
  });

  it("does not take a transaction of many frames for lost while it comes", () => {
    const world = new World(3);
    world.pass(50);
    const wide = (value: string) => Array.from({ length: 20 }, (_, section) => set(`s${section}`, "x", value));
    for (const value of ["1", "2"]) {
      for (const frame of world.publisher.change(wide(value))) {
        world.send([frame]);
        world.pass(15);
      }
    }
    world.isEqual();
    expect(world.replica.counts).toMatchObject({ losses: 0, replays: 0 });
    // What comes behind a gap does not close it.
    const frames = world.publisher.change(wide("3"));
    frames.splice(3, 1);
    for (const frame of frames.slice(0, 6)) {
      world.send([frame]);
      world.pass(8);
    }
    world.isEqual();
    expect(world.replica.counts).toMatchObject({ losses: 1, replays: 1 });
  });

  it("replays what was lost", () => {
    const world = new World(3);
    world.pass(50);
    world.publisher.change([set("a", "1")]);
    world.change(set("b", "2"));
    world.pass(100);
    world.isEqual();
    expect(world.replica.counts).toMatchObject({ losses: 1, replays: 1, diffs: 0 });
  });

  it("asks what has changed if that cannot be replayed, and repairs if that is not known either", () => {
    for (const [diffs, counts] of [[500, { diffs: 1, repairs: 0 }], [10, { repairs: 1, copies: 1 }]] as const) {
      const world = new World(4, new Publisher(1n, [], 20));
      world.publisher.diffs = diffs;
      world.publisher.change(Array.from({ length: 300 }, (_, row) => set("rows", `r${row}`, "new")));
      world.pass(300);
      for (let row = 0; row < 100; row += 1) world.publisher.change([set("rows", `r${row * 2}`, "done")]);
      world.change(set("b", "2"));
      world.pass(500);
      world.isEqual();
      expect(world.replica.counts).toMatchObject({ replays: 1, ...counts });
    }
  });

  it("notices the loss of the last change by a heartbeat", () => {
    const world = new World(5);
    world.pass(50);
    world.publisher.change([set("a", "1")]);
    world.pass(1200);
    world.isEqual();
    expect(world.replica.counts.losses).toBe(1);
  });

  it("is stale after three seconds of silence, and says when it is no longer", () => {
    const world = new World(6);
    world.pass(1500);
    world.replica.disconnected();
    expect(world.states.at(-1)).toBe("stale");
    world.loss = 1;
    world.replica.connected(world.now);
    world.pass(100);
    expect(world.states.at(-1)).toBe("live");
    world.pass(3000);
    expect(world.states.at(-1)).toBe("stale");
    world.pass(1000);
    expect(world.reconnects).toBeGreaterThan(0);
    world.loss = 0;
    world.pass(1100);
    world.isEqual();
  });

  it("takes over a publisher that begins anew, with the same model or another", () => {
    const world = new World(7);
    world.change(set("a", "1"));
    world.pass(100);
    world.publisher = new Publisher(2n, [], 50, world.publisher.model);
    world.send(world.publisher.heartbeats());
    world.pass(100);
    world.isEqual();
    expect(world.replica.counts).toMatchObject({ copies: 1, repairs: 0 });
    world.send(new Publisher(1n).heartbeats(BYE));
    world.pass(10);
    expect(world.replica.counts.zombies).toBe(1);
    expect(world.states.at(-1)).toBe("live");
    world.send(world.publisher.heartbeats(BYE));
    world.pass(1);
    expect(world.states.at(-1)).toBe("stale");
    world.publisher = new Publisher(3n);
    world.change(set("b", "1"));
    world.pass(100);
    world.isEqual();
    expect(world.replica.model.get(["a"])).toBeUndefined();
  });

  it("repairs a model that differs without anything having been missed", () => {
    const world = new World(8);
    world.change(...Array.from({ length: 500 }, (_, row) => set("rows", `r${row}`, "new")));
    world.pass(1500);
    for (const op of readOps(writeOps([set("rows", "r77", "else"), set("rows", "more", "x"), { op: "DEL", path: ["rows", "r3"] }]))) world.replica.model.apply(op);
    world.pass(1200);
    world.isEqual();
    expect(world.replica.counts).toMatchObject({ mismatches: 1, repairs: 1, copies: 1 });
    expect(world.changed.at(-1)).toEqual(expect.arrayContaining([["rows", "r77"], ["rows", "more"], ["rows", "r3"]]));
  });

  it("does not apply a transaction that does not have the digest it says", () => {
    const world = new World(9);
    world.change(set("a", "1"));
    world.pass(50);
    const [sent] = world.publisher.change([set("a", "2")]) as [Sent];
    world.send([{ ...sent, body: writeOps([set("a", "3")]) }]);
    world.pass(5);
    expect(world.states.at(-1)).toBe("catching-up");
    world.pass(100);
    world.isEqual();
    expect(world.replica.counts.mismatches).toBe(1);
  });

  it("asks at its own pace while it is too slow, and hears everything again afterwards", () => {
    const world = new World(10);
    world.pass(50);
    for (let loss = 0; loss < 3; loss += 1) {
      world.publisher.change([set("a", String(loss))]);
      world.change(set("b", String(loss)));
      world.pass(100);
    }
    expect(world.replica.counts.losses).toBe(3);
    world.pass(200);
    world.isEqual();
    expect(world.hears).toEqual([false, true]);
    expect(world.replica.counts.diffs).toBeGreaterThan(0);
  });

  it("follows some sections alone", () => {
    const world = new World(11, new Publisher(1n, [["junction"]]), [["junction", "s1"], ["s2"]]);
    storm(world, 100);
    world.pass(1500);
    world.isEqual();
    expect(world.replica.model.get(["junction", "s0"])).toBeUndefined();
    expect(world.replica.counts.mismatches).toBe(0);
  });

  it("rests longer each time something fails", () => {
    const world = new World(12);
    world.publisher.say = () => new Publisher(1n).say(0, "CHUNK", { cut: 9 });
    world.pass(60_000);
    expect(world.replica.state).toBe("syncing");
    expect(world.asks).toBeGreaterThan(7);
    expect(world.asks).toBeLessThan(15);
  });
});

describe("whatever happens, a replica ends equal", () => {
  for (const sections of [[], [["junction", "s1"], ["s2"], ["s0"]]] as Path[][]) {
    it(sections.length === 0 ? "of the whole model" : "of some sections", () => {
      for (let seed = 0; seed < SEEDS; seed += 1) {
        const world = new World(seed, new Publisher(1n, [["junction"]], 10 + Math.floor(random(seed)() * 100)), sections);
        for (let round = 0; round < 4; round += 1) {
          world.loss = world.pick() < 0.5 ? world.pick() / 4 : 0;
          world.late = world.pick() < 0.5 ? world.pick() / 2 : 0;
          storm(world, 40);
          if (world.pick() < 0.2) {
            const model = world.pick() < 0.5 ? world.publisher.model : undefined;
            world.publisher = new Publisher(world.publisher.epoch + 1n, [["junction"]], 30, model);
          }
          if (world.pick() < 0.2) {
            world.replica.disconnected();
            world.asked = [];
            storm(world, 10);
            world.replica.connected(world.now);
          }
        }
        world.loss = world.late = 0;
        world.pass(40_000);
        try {
          world.isEqual();
        } catch (error) {
          throw new Error(`seed ${seed}: ${String(error)} ${JSON.stringify(world.replica.counts)}`);
        }
      }
    }, 60_000);
  }
});

it("a model that is worked out anew has the digest that was kept", () => {
  const world = new World(20);
  storm(world, 100);
  world.pass(2000);
  world.isEqual();
  const anew = new Model();
  const walk = (path: Path, value: unknown): ToldOp[] =>
    typeof value === "object" && value !== null
      ? [{ op: "DICT", path } as ToldOp, ...Object.entries(value).flatMap(([key, below]) => walk([...path, key], below))]
      : [{ op: "SET", path, value: { integer: String(value) } }];
  for (const op of readOps(writeOps(walk([], world.replica.model.get([]))))) anew.apply(op);
  expect(anew.digest).toBe(world.replica.model.digest);
});
