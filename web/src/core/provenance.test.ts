// Where versions came from and what was made of them: diamonds once, missing ones said, no end.
import { describe, expect, it } from "vitest";
import { NODES_MAX, originsOf, usesOf } from "./provenance";
import type { Made, Stage, Version } from "./wire";

const version = (resource: string, revision: string, ...inputs: Made[]): Version => ({
  resource, revision, inputs, previous: null, blob: "", size: 0, contentType: null, time: 0, author: "", summary: "", stage: null, program: "", code: "", engine: "", host: "", durationMs: null,
});
const raw = version("raw/a", "1");
const left = version("left", "2", raw);
const right = version("right", "3", raw);
const end = version("end", "4", left, right);
const all = [raw, left, right, end];
const find = async (made: Made): Promise<Version | null> => all.find((one) => one.resource === made.resource && one.revision === made.revision) ?? null;

describe("originsOf", () => {
  it("goes back to the beginning, and meets a diamond's root once in full", async () => {
    const { origins, cut } = await originsOf([end], find);
    expect(cut).toBe(false);
    expect(origins[0]?.from.map((one) => [one.made.resource, one.from.map((below) => [below.made.resource, below.again])])).toEqual([
      ["left", [["raw/a", false]]],
      ["right", [["raw/a", true]]],
    ]);
  });

  it("says what is no longer there, and ends", async () => {
    const { origins } = await originsOf([version("x", "9", { resource: "gone", revision: "0" })], find);
    expect(origins[0]?.from[0]).toMatchObject({ version: null, from: [] });
    const endless = async (made: Made): Promise<Version> => version(made.resource, made.revision, { resource: "r", revision: `${made.revision}x` });
    expect((await originsOf([version("r", "x", { resource: "r", revision: "xx" })], endless)).cut).toBe(true);
    expect(NODES_MAX).toBeGreaterThan(20);
  });
});

describe("usesOf", () => {
  it("follows stages to what was made of just this version", async () => {
    const stage = (inputs: string[], outputs: string[]) => ({ name: "", kind: "stage", inputs, outputs, program: "", state: null, behind: false }) satisfies Stage;
    const stages = [stage(["raw/a"], ["left"]), stage(["left", "right"], ["end"])];
    const older = version("left", "0", version("raw/a", "0"));
    const uses = await usesOf([raw], stages, async (resource) => [...all, older].filter((one) => one.resource === resource));
    expect(uses).toEqual([left, end]);
  });
});
