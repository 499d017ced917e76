// The small readers: messages, routes, numbers, texts, differences.
import { describe, expect, it } from "vitest";
import { age, axisTicks, duration, number, person, size } from "./format";
import { groups } from "./groups";
import { readRoute, readSort, withParams, writeRoute, writeSort } from "./route";
import { decodeText, diffCounts, hexLines, prettyJson, readDiff, shapeOf } from "./text";
import { readLog, readMessage, type Version } from "./wire";

const ENTRY = { resource: "raw/plan", revision: "a".repeat(40), previous: null, size: 3, time: "2026-11-21T07:00:00Z", author: "Ann", stage: null };

describe("readMessage", () => {
  it("reads a state and fills in what may be left out", () => {
    const message = readMessage(JSON.stringify({ type: "state", project: "p", epoch: "e", seq: 1, head: null, resources: [ENTRY], views: [{ name: "v", resource: "r" }] }));
    expect(message).toMatchObject({
      type: "state",
      state: { stages: [], problems: [], warnings: [], views: [{ title: "v", kind: "" }], resources: [{ time: 1795244400000, inputs: [], durationMs: null }] },
    });
  });

  it("leaves messages it does not know alone, and says what is wrong with others", () => {
    expect(readMessage('{"type":"later"}')).toEqual({ type: "other" });
    expect(() => readMessage('{"type":"heartbeat","epoch":1,"seq":1}')).toThrow('"epoch" must be a text, found 1');
    const bad = JSON.stringify({ entries: [ENTRY, { ...ENTRY, size: "x" }] });
    expect(() => readLog(bad)).toThrow('"entries[1].size" must be a number');
  });
});

describe("routes", () => {
  it("go there and back", () => {
    for (const hash of ["#/", "#/?track=Core", "#/view/capacity?at=abc&track=&triage=1.5", "#/resources", "#/r/raw/plan?from=a&show=changes", "#/problems"]) {
      const { page, name, params } = readRoute(hash);
      expect(writeRoute(page, name, params)).toBe(hash);
    }
    expect(readRoute("#/r/raw/a%20b%3F")).toMatchObject({ page: "resource", name: "raw/a b?" });
    expect(writeRoute("resource", "raw/a b?")).toBe("#/r/raw/a%20b%3F");
  });

  it("survive nonsense", () => {
    expect(readRoute("#/nowhere/at/all?x=1")).toEqual({ page: "view", name: "", params: {} });
    expect(readRoute("#/r/%E0%A4%A")).toMatchObject({ name: "%E0%A4%A" });
    expect(readRoute("")).toEqual({ page: "view", name: "", params: {} });
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
    expect([size(12), size(2048), size(5 * 1024 * 1024)]).toEqual(["12 B", "2 KiB", "5 MiB"]);
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
