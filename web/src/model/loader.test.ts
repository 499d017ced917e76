// The loader: the latest wish wins, the old value stays, another subject drops what is under way.
import { describe, expect, it } from "vitest";
import { Loader } from "./loader.svelte";

/** A load that ends when told to. */
function held(): { load: (signal: AbortSignal) => Promise<string>; end: (value: string) => void; fail: () => void; signal: () => AbortSignal | undefined } {
  let end: (value: string) => void = () => undefined;
  let fail: () => void = () => undefined;
  let given: AbortSignal | undefined;
  const promise = new Promise<string>((resolve, reject) => {
    end = resolve;
    fail = () => reject(new Error("no"));
  });
  return { load: (signal) => ((given = signal), promise), end, fail, signal: () => given };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe("Loader", () => {
  it("finishes what is under way, then loads only the newest wish", async () => {
    const loader = new Loader<string>();
    const [one, two, three] = [held(), held(), held()];
    loader.want({ subject: "s", version: "1", load: one.load });
    loader.want({ subject: "s", version: "2", load: two.load });
    loader.want({ subject: "s", version: "3", load: three.load });
    one.end("first");
    await settled();
    expect(loader.value).toBe("first");
    expect(two.signal()).toBeUndefined();
    three.end("third");
    await settled();
    expect([loader.value, loader.loading]).toEqual(["third", false]);
  });

  it("drops another subject's load and value at once", async () => {
    const loader = new Loader<string>();
    const [old, next] = [held(), held()];
    loader.want({ subject: "a", version: "1", load: old.load });
    loader.want({ subject: "b", version: "1", load: next.load });
    expect(old.signal()?.aborted).toBe(true);
    old.end("old");
    await settled();
    expect(loader.value).toBeNull();
    next.end("next");
    await settled();
    expect(loader.value).toBe("next");
  });

  it("keeps the value beside an error, and tries again when asked", async () => {
    const loader = new Loader<string>();
    const bad = held();
    loader.want({ subject: "s", version: "1", load: () => Promise.resolve("good") });
    await settled();
    let tries = 0;
    loader.want({ subject: "s", version: "2", load: (signal) => (tries++ === 0 ? bad.load(signal) : Promise.resolve("better")) });
    bad.fail();
    await settled();
    expect([loader.value, loader.error?.message]).toEqual(["good", "no"]);
    loader.again();
    await settled();
    expect([loader.value, loader.error]).toEqual(["better", null]);
  });

  it("does nothing for the wish it already has", async () => {
    const loader = new Loader<string>();
    let loads = 0;
    const wish = { subject: "s", version: "1", load: () => Promise.resolve(String(++loads)) };
    loader.want(wish);
    await settled();
    loader.want(wish);
    await settled();
    expect(loads).toBe(1);
  });
});
