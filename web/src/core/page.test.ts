// The small readers: messages, routes, numbers, texts, differences.
import { describe, expect, it } from "vitest";
import { age, axisTicks, duration, number, person, size } from "./format";
import { groups } from "./groups";
import { readRoute, readSort, withParams, writeRoute, writeSort } from "./route";
import { decodeText, diffCounts, hexLines, prettyJson, readDiff, shapeOf } from "./text";
import { Reader } from "./project";
import { standing } from "./standing";
import { readLog, type Version } from "./wire";

const ENTRY = { resource: "raw/plan", revision: "a".repeat(40), previous: null, size: 3, time: "2026-11-21T07:00:00Z", author: "Ann", stage: null };

const MODEL = {
  about: { project: "p", version: "1", head: null, warnings: [], runner: true, as_of: null, stages: ["b", "a"], views: [] },
  resources: { "raw/plan": ENTRY },
  stages: { a: stageOf("a", "fresh"), b: stageOf("b", "fresh") },
  problems: {},
  views: { v: { name: "v", title: "", resource: "r", kind: "" } },
};

function stageOf(name: string, state: string) {
  return { name, kind: "stage", inputs: [], outputs: [], program: "", state, behind: false };
}

describe("the model", () => {
  it("is read with what may be left out, in the order that is told beside it", () => {
    expect(new Reader().read(MODEL)).toMatchObject({
      runs: [],
      whatIfs: [],
      stages: [{ name: "b" }, { name: "a" }],
      views: [{ title: "v" }],
      resources: [{ time: 1795244400000, inputs: [], durationMs: null }],
    });
    expect(new Reader().read({})).toBeNull();
  });

  it("is read anew only where it changed", () => {
    const reader = new Reader();
    const [first, second] = [reader.read(MODEL), reader.read({ ...MODEL, stages: { ...MODEL.stages, a: stageOf("a", "stale") } })];
    expect(second?.resources[0]).toBe(first?.resources[0]);
    expect(second?.stages.map((stage) => stage.state)).toEqual(["fresh", "stale"]);
  });

  it("says what is wrong and where", () => {
    const bad = { ...MODEL, resources: { x: { ...ENTRY, size: 5n } } };
    expect(() => new Reader().read(bad)).toThrow('"resources.x.size" must be a number, found "5"');
    const log = JSON.stringify({ entries: [ENTRY, { ...ENTRY, size: "x" }] });
    expect(() => readLog(log)).toThrow('"entries[1].size" must be a number');
  });

  it("stands as its worst part does", () => {
    const state = new Reader().read(MODEL);
    if (!state) throw new Error("no state");
    expect(standing(state, 0)).toMatchObject({ kind: "good", title: "Everything is fresh" });
    const [stage] = state.stages;
    if (!stage) throw new Error("no stage");
    const late = { ...state, stages: [{ ...stage, state: "stale" as const }] };
    expect(standing(late, 0)).toMatchObject({ kind: "late", lines: ["not computed from the newest: b"] });
    expect(standing({ ...late, runs: [{ stage: "b", since: 0, progress: "1/2" }] }, 0)).toMatchObject({ kind: "busy", lines: ["b: 1/2"] });
    expect(standing({ ...late, runner: false }, 0)).toMatchObject({ title: "No runner works here" });
    const problem = { id: "b", stage: "b", summary: "no", hint: "", detail: "", count: 1, since: 0, retryAt: null, acknowledged: null, muted: null };
    expect(standing({ ...late, problems: [problem] }, 0)).toMatchObject({ kind: "bad", title: "One problem", lines: ["b: no"] });
    const muted = { ...problem, muted: { by: "ann", at: 0, note: "", until: 10 } };
    expect(standing({ ...state, problems: [muted] }, 9)).toMatchObject({ kind: "late", title: "Fresh but for what is muted", lines: ["1 problem muted"] });
    expect(standing({ ...state, problems: [muted] }, 10)).toMatchObject({ kind: "bad", title: "One problem" });
    expect(standing({ ...state, problems: [muted, problem] }, 9)).toMatchObject({ kind: "bad", title: "One problem" });
    const known = { ...problem, acknowledged: { by: "ann", at: 0, note: "", until: null } };
    expect(standing({ ...state, problems: [known] }, 9)).toMatchObject({ kind: "late", title: "One problem, acknowledged", lines: ["b: no"] });
    expect(standing({ ...state, problems: [known, problem] }, 9)).toMatchObject({ kind: "bad", title: "One problem", lines: ["b: no", "1 problem acknowledged"] });
  });
});

describe("routes", () => {
  it("go there and back", () => {
    for (const hash of ["#/", "#/pipeline/clean?wi=two", "#/commit/abc?at=2026-11-20", "#/view/capacity?at=abc&track=&triage=1.5", "#/resources", "#/r/raw/plan?from=a&show=changes", "#/problems"]) {
      const { page, name, params } = readRoute(hash);
      expect(writeRoute(page, name, params)).toBe(hash);
    }
    expect(readRoute("#/r/raw/a%20b%3F")).toMatchObject({ page: "resource", name: "raw/a b?" });
    expect(writeRoute("resource", "raw/a b?")).toBe("#/r/raw/a%20b%3F");
  });

  it("survive nonsense", () => {
    expect(readRoute("#/nowhere/at/all?x=1")).toEqual({ page: "overview", name: "", params: {} });
    expect(readRoute("#/r/%E0%A4%A")).toMatchObject({ name: "%E0%A4%A" });
    expect(readRoute("")).toEqual({ page: "overview", name: "", params: {} });
  });

  it("set and drop parameters", () => {
    const route = readRoute("#/?track=Core&find=x");
    expect(withParams(route, { track: null, triage: "2" }).params).toEqual({ find: "x", triage: "2" });
    expect(writeSort(readSort("-end", { column: "rank", down: false }))).toBe("-end");
    expect(readSort("-", { column: "rank", down: false }).column).toBe("rank");
  });
});

describe("format", () => {
  it("writes numbers, sizes, times and people briefly", () => {
    expect([0, 5.600001, -6.2, 1234.5, 1e-4, -1e-4, NaN, -Infinity].map(number)).toEqual(["0", "5.6", "−6.2", "1,235", "<0.01", "−<0.01", "NaN", "−∞"]);
    expect([12, 2048, 5 * 1024 ** 2, 1.5 * 1024 ** 3, 2 * 1024 ** 4].map(size)).toEqual(["12 B", "2 KiB", "5 MiB", "1.5 GiB", "2 TiB"]);
    expect([duration(12), duration(1500), duration(61_000)]).toEqual(["12 ms", "1.5 s", "1 min 1 s"]);
    expect(age(0, 3 * 3_600_000)).toBe("3 h ago");
    expect(["Ann <a@b.c>", "<a@b.c>", "Ann", ""].map(person)).toEqual(["Ann", "<a@b.c>", "Ann", "unknown"]);
  });

  it("puts round marks on axes, from zero to the end", () => {
    expect(axisTicks(17.6, 8)).toEqual([0, 5, 10, 15, 20]);
    expect(axisTicks(0, 8)).toEqual([0, 1]);
    expect(axisTicks(Infinity, 8)).toEqual([0, 1]);
  });
});

describe("groups", () => {
  it("follow the data from raw to results", () => {
    const versions = ["results/plan", "zeta", "raw/b", "raw/a"].map((resource) => ({ ...ENTRY, resource }) as unknown as Version);
    expect(groups(versions).map((group) => [group.kind, group.versions.map((one) => one.resource)])).toEqual([
      ["raw", ["raw/a", "raw/b"]],
      ["results", ["results/plan"]],
      ["", ["zeta"]],
    ]);
    expect(groups(versions, "PLAN")).toHaveLength(1);
  });
});

describe("texts", () => {
  it("are told from what is not text", () => {
    expect(decodeText(new TextEncoder().encode("ä\n"))).toBe("ä\n");
    expect(decodeText(Uint8Array.of(0xff, 0xfe))).toBeNull();
    expect(decodeText(Uint8Array.of(65, 0, 66))).toBeNull();
    expect(hexLines(Uint8Array.of(0, 65, 255))[0]).toMatch(/^000000 {2}00 41 ff +·A·$/);
  });

  it("are shown by their shape", () => {
    expect(shapeOf("=====a\n", null)).toBe("stacked");
    expect(shapeOf('{"a": [1]}', null)).toBe("json");
    expect(shapeOf("{a}", null)).toBe("text");
    expect(shapeOf("a,b\n1,2\n", null)).toBe("table");
    expect(shapeOf("Hello, world\nand, so, on\n", null)).toBe("text");
    expect(shapeOf(null, "text/csv")).toBe("binary");
  });

  it("lay JSON out without touching a digit", () => {
    expect(prettyJson('{"a":[1.10,12345678901234567890],"b\\"[":{},"c":[]}')).toBe(
      '{\n  "a": [\n    1.10,\n    12345678901234567890\n  ],\n  "b\\"[": {},\n  "c": []\n}',
    );
    expect(prettyJson("{")).toBeNull();
  });
});

describe("readDiff", () => {
  it("numbers the lines and tells a header from content that looks like one", () => {
    const lines = readDiff("--- a/x\n+++ b/x\n@@ -3,3 +3,3 @@ title\n same\n--- removed\n+++ added\n\\ No newline at end of file\n end\n");
    expect(lines.map((line) => [line.kind, line.text, line.before, line.after])).toEqual([
      ["file", "--- a/x", null, null],
      ["file", "+++ b/x", null, null],
      ["place", "@@ -3,3 +3,3 @@ title", null, null],
      ["same", "same", 3, 3],
      ["removed", "-- removed", 4, null],
      ["added", "++ added", null, 4],
      ["file", "\\ No newline at end of file", null, null],
      ["same", "end", 5, 5],
    ]);
    expect(diffCounts(lines)).toEqual({ added: 1, removed: 1 });
    expect(readDiff("")).toEqual([]);
  });
});
