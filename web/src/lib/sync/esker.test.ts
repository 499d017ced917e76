// What a project's own pages see.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type * as Told from "../../../public/esker";
import * as own from "../esker";
import * as esker from "./esker";
import type { Path } from "./path";
import { Publisher } from "./publisher";
import { FakeSocket } from "./socket";
import type { ToldOp } from "./testing";

function set(...path: string[]): ToldOp {
  return { op: "SET", path: path.slice(0, -1), value: path.at(-1) as string };
}

let publisher: Publisher;
let socket: FakeSocket;
let model: esker.LiveModel;

function change(...ops: ToldOp[]): void {
  socket.tell(publisher.change(ops));
}

beforeEach(async () => {
  vi.useFakeTimers();
  publisher = new Publisher(1n);
  publisher.change([set("stages", "plan", "state", "fresh"), set("stages", "cut", "state", "fresh"), set("stages", "__proto__", "state", "odd")]);
  socket = new FakeSocket(publisher);
  model = esker.model("project", { url: "ws://nowhere", connect: () => socket });
  socket.open();
  await vi.advanceTimersByTimeAsync(10);
  await model.ready;
});

afterEach(() => {
  model.close();
  vi.useRealTimers();
});

it("has what its types say", () => {
  const told: Omit<typeof Told, "default"> = own;
  const all: (typeof Told)["default"] = own.default;
  expect([all.model, all.resource, all.whatIf]).toEqual([told.model, told.resource, told.whatIf]);
});

describe("a model", () => {
  it("is there when it is ready, with the publisher's digest", () => {
    expect([model.state, model.online, model.seq, model.epoch, model.fault]).toEqual(["live", true, 1, "1", ""]);
    expect(BigInt(`0x${model.digest}`)).toBe(publisher.model.digest);
    expect(model.get(["stages", "plan", "state"])).toBe("fresh");
    expect(model.get(["stages", "none"])).toBeUndefined();
    expect(model.get(["stages", "plan", "state", "below"])).toBeUndefined();
    expect(model.keys(["stages"])).toEqual(["__proto__", "cut", "plan"]);
    expect(model.keys(["stages", "plan", "state"])).toEqual([]);
  });

  it("has no key that is special, and nothing that could be changed", () => {
    const stages = model.get(["stages"]) as Record<string, unknown>;
    expect(Object.keys(stages)).toEqual(["__proto__", "cut", "plan"]);
    expect(model.get(["stages", "__proto__", "state"])).toBe("odd");
    expect(Object.getPrototypeOf(stages)).toBeNull();
    expect(({} as Record<string, unknown>)["state"]).toBeUndefined();
    expect(() => Object.assign(stages, { more: 1 })).toThrow();
  });

  it("gives the same object for what has not changed", () => {
    const before = model.get() as Record<string, Record<string, object>>;
    change(set("stages", "plan", "state", "stale"));
    const after = model.get() as Record<string, Record<string, object>>;
    expect(after).not.toBe(before);
    expect(after["stages"]?.["plan"]).toEqual({ state: "stale" });
    expect(after["stages"]?.["cut"]).toBe(before["stages"]?.["cut"]);
    expect(before["stages"]?.["plan"]).toEqual({ state: "fresh" });
    expect(model.get()).toBe(after);
  });

  it("tells what changed once for each picture", () => {
    const drawn: (() => void)[] = [];
    vi.stubGlobal("requestAnimationFrame", (draw: () => void) => drawn.push(draw));
    vi.stubGlobal("document", { visibilityState: "visible" });
    const told: (readonly Path[])[] = [];
    const end = model.on("change", (paths) => told.push(paths));
    change(set("stages", "plan", "state", "a"));
    change(set("stages", "plan", "state", "b"), set("stages", "cut", "state", "b"));
    expect([told.length, drawn.length]).toEqual([0, 1]);
    drawn.pop()?.();
    expect(told).toEqual([[["stages", "plan", "state"], ["stages", "cut", "state"]]]);
    change({ op: "DEL", path: ["stages"] });
    drawn.pop()?.();
    expect(told.at(-1)).toEqual([["stages"]]);
    end();
    change(set("x", "y"));
    expect(drawn.length).toBe(0);
    vi.unstubAllGlobals();
  });

  it("tells of more than can be told as of all, also where nobody looks", () => {
    const told: (readonly Path[])[] = [];
    model.on("change", (paths) => told.push(paths));
    for (let at = 0; at < 10_001; at += 100) change(...Array.from({ length: 100 }, (_, row) => set("rows", String(at + row), "x")));
    vi.advanceTimersByTime(1_000);
    expect(told).toEqual([[[]]]);
  });

  it("calls others although one fails", () => {
    const errors: unknown[] = [];
    vi.stubGlobal("reportError", (error: unknown) => errors.push(error));
    const states: string[] = [];
    model.on("state", () => {
      throw new Error("mine");
    });
    model.on("state", (state) => states.push(state));
    socket.end();
    expect([states, errors.length, model.online]).toEqual([["stale"], 1, false]);
    expect(model.get(["stages", "plan", "state"])).toBe("fresh");
    vi.unstubAllGlobals();
  });
});
