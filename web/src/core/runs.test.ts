// Runs and problems as the server tells them.
import { describe, expect, it } from "vitest";
import { readProblems, shown } from "./problems";
import { exitCode, joined, readDetail, readRuns, runText, type RunList } from "./runs";
import type { Problem } from "./wire";

const RUN = {
  id: "a1", stage: "condition", ended: "problem", started: "2026-11-20T17:00:00Z", duration_ms: 12,
  inputs: [{ resource: "raw/plan", revision: "b2" }], outputs: [], host: null, warnings: ["empty column"],
  summary: "python3 condition.py exited 3: no such row", hint: "mend it", count: 2, since: "2026-11-20T16:00:00Z", retry_at: null,
};

function list(ids: string[], next: string | null): RunList {
  const runs = ids.map((id) => ({ ...RUN, id }));
  return { ...readRuns(JSON.stringify({ runs, next })) };
}

describe("runs", () => {
  it("are read, those that went well without a failure", () => {
    const good = { ...RUN, id: "c3", ended: "stored", host: "planning", summary: null, hint: null, count: null, since: null };
    const { runs, next } = readRuns(JSON.stringify({ runs: [RUN, good], next: "a1 run/condition" }));
    expect(next).toBe("a1 run/condition");
    expect(runs[0]).toMatchObject({ ended: "problem", durationMs: 12, host: null, failure: { count: 2, since: Date.parse("2026-11-20T16:00:00Z") } });
    expect(runs[1]).toMatchObject({ ended: "stored", host: "planning", failure: null });
  });

  it("that end in a way this page does not know are not shown as good", () => {
    expect(readRuns(JSON.stringify({ runs: [{ ...RUN, ended: "new" }], next: null })).runs[0]?.ended).toBe("problem");
  });

  it("say where they are not as expected", () => {
    expect(() => readRuns(JSON.stringify({ runs: [{ ...RUN, started: 5 }], next: null }))).toThrow(/runs\[0\]\.started/);
  });

  it("have what their program said", () => {
    expect(readDetail(JSON.stringify({ ...RUN, detail: "Traceback" }))).toMatchObject({ detail: "Traceback", run: { id: "a1" } });
    expect(readDetail(JSON.stringify({ ...RUN, detail: null })).detail).toBe("");
  });

  it("are joined with what is known as long as they reach it", () => {
    const known = list(["3", "2", "1"], "more");
    const ids = (all: RunList) => all.runs.map((run) => run.id).join("");
    expect(ids(joined(known, list(["5", "4", "3"], "x")))).toBe("54321");
    expect(joined(known, list(["5", "4", "3"], "x")).next).toBe("more");
    expect(ids(joined(known, list(["9", "8"], "x")))).toBe("98");
    expect(ids(joined(known, list(["3"], null)))).toBe("3");
    expect(ids(joined(null, list(["3"], "x")))).toBe("3");
  });

  it("are found by what is written in them", () => {
    const [run] = readRuns(JSON.stringify({ runs: [RUN], next: null })).runs;
    expect(run && runText(run)).toContain("raw/plan b2");
    expect(run && runText(run)).toContain("no such row");
  });

  it("tell their exit code if their program ended itself", () => {
    expect(exitCode("sh a.sh exited 3: no")).toBe("3");
    expect(exitCode("python3 x exited with 1")).toBe("1");
    expect(exitCode("sh a.sh was killed")).toBeNull();
  });
});

describe("problems", () => {
  const told = {
    id: "7f7e1df", stage: "condition", summary: "it broke", hint: "mend it", detail: "at length", count: 1, since: "2026-11-20T17:00:00Z", not_before: null,
    inputs: [{ resource: "raw/plan", revision: "b2" }], behind: ["schedule"],
    acknowledged: { by: "ann", at: "2026-11-20T18:00:00Z", note: "known", until: null }, muted: null,
  };
  const known = { by: "ann", at: Date.parse("2026-11-20T18:00:00Z"), note: "known", until: null };
  const live: Problem = { id: "condition", stage: "condition", summary: "it broke", hint: "mend it", detail: "at length", count: 3, since: Date.parse(told.since), retryAt: null, acknowledged: known, muted: null };
  const read = (all: object[]) => readProblems(JSON.stringify(all));

  it("are what the live model tells, with what else is known", () => {
    const [one] = shown([live], read([told]), true, 0);
    expect(one).toMatchObject({ key: "condition", id: "7f7e1df", count: 3, known: true, behind: ["schedule"], acknowledged: { by: "ann", note: "known", until: null } });
  });

  it("are shown at once, before more is known of them", () => {
    expect(shown([live], [], false, 0)).toMatchObject([{ key: "condition", known: false, inputs: [] }]);
  });

  it("of another failure do not lend what was said of them", () => {
    expect(shown([{ ...live, since: 5, acknowledged: null }], read([told]), false, 0)).toMatchObject([{ known: false, acknowledged: null }]);
  });

  it("that the model does not tell are shown if they are of now; what is muted comes last", () => {
    const muted = { ...told, id: "0000001", since: "2026-11-19T17:00:00Z", muted: told.acknowledged };
    const other = { ...told, id: "0000002", since: "2026-11-18T17:00:00Z" };
    expect(shown([live], read([muted, told, other]), true, 0).map((one) => one.key)).toEqual(["condition", "0000002", "0000001"]);
    expect(shown([], read([told]), false, 0)).toEqual([]);
  });

  it("are muted until the time that was said, and no longer", () => {
    const muted = { ...live, muted: { ...known, until: 1_000 } };
    expect(shown([muted], [], false, 999)).toMatchObject([{ muted: { by: "ann" } }]);
    expect(shown([muted], [], false, 1_000)).toMatchObject([{ muted: null, acknowledged: { by: "ann" } }]);
  });

  it("that only warn are no failures", () => {
    expect(read([{ ...told, summary: null, hint: null, detail: null, count: null, since: null }])).toEqual([]);
  });
});
