// What a what-if says of itself, unsaved edits as they are kept, and what a result is made from.
import { describe, expect, it } from "vitest";
import { draftKey, readDraft, writeDraft, type Draft } from "./drafts";
import { withRank } from "./edits";
import { inputsOf, rankedRows } from "./inputs";
import { sheetsOf } from "./sheet";
import { editJson, editLine, lasts, readCase, sayEdit } from "./whatif";
import type { Stage } from "./wire";

const CASE = {
  id: "two",
  title: "Two",
  owner: "Ada <ada@x>",
  created: "2026-11-22T10:00:00Z",
  expires: null,
  base: "b",
  about: "a",
  changes: 4,
  state: "problem",
  summary: "condition: it failed",
  edits: [
    { number: 1, at: "r:Work[Id=A].Rank", rank: 2, found: 7 },
    { number: 2, at: "r:Work", add: { Id: "N", Name: "" }, to: "after Id=A", found: null },
    { number: 3, at: "r:Work[Id=B]", move: "before Id=A", found: "after C" },
    { number: 4, at: "r:Work[Id=C]", remove: true, found: { Id: "C", Name: "c" } },
    { number: 5, at: "r:/a/b", set: "3" },
  ],
  runs: [{ stage: "condition", ended: "problem", started: "2026-11-22T10:00:00Z", duration_ms: 1200, outputs: [], summary: "it failed", hint: null, detail: "row 5", warnings: [] }],
  skipped: ["mail"],
  ask: { number: 3, what: "apply", onto: null, by: null, why: null, settle: [{ edit: 1, side: "mine" }] },
  answer: { number: 3, revision: null, summary: "1 conflict", conflicts: [{ edit: 1, at: "r:Work[Id=A].Rank", kind: "both changed it", base: "7", theirs: "6", mine: null }] },
  applied: null,
};

describe("a what-if", () => {
  const read = readCase(JSON.stringify(CASE));

  it("is read with its edits, runs and conflicts", () => {
    expect(read).toMatchObject({ state: "problem", skipped: ["mail"], expires: null, ask: { number: 3, what: "apply", settle: [{ edit: 1, side: "mine" }] } });
    expect(read.runs[0]).toMatchObject({ stage: "condition", durationMs: 1200, hint: "", detail: "row 5" });
    expect(read.answer?.conflicts).toEqual([{ edit: 1, at: "r:Work[Id=A].Rank", kind: "both changed it", base: "7", theirs: "6", mine: null }]);
  });

  it("is read before anything came of it, when half of that is missing", () => {
    const { runs: _, skipped: __, answer: ___, applied: ____, ...young } = CASE;
    expect(readCase(JSON.stringify({ ...young, state: "computing", summary: null, ask: null }))).toMatchObject({ runs: [], skipped: [], answer: null, applied: null, summary: "" });
  });

  it("sends its edits back as they came", () => {
    expect(read.edits.map(editJson)).toEqual(CASE.edits.map(({ number: _, found: __, ...edit }) => edit));
  });

  it("tells its edits in words; what is not known yet is not told", () => {
    expect(read.edits.map(editLine)).toEqual([
      "rank Work › A › Rank: 7 → 2",
      "add a row Work: Id N, Name empty",
      "move Work › B: after C → before A",
      "remove Work › C",
      "a › b: 3",
    ]);
    expect(sayEdit({ at: "r:x", deed: { kind: "set", text: "" }, found: "y" })).toMatchObject({ was: "y", is: "" });
  });

  it("says how long it stays", () => {
    const day = 86_400_000;
    expect([lasts(null, 0), lasts(30 * day, 0), lasts(day, 0), lasts(0, 1)]).toEqual(["kept for good", "30 days left", "24 h left", "expired"]);
  });
});

describe("a draft", () => {
  it("is kept and read again, what its edits found too", () => {
    const draft: Draft = { whatIf: null, title: "T", base: "b", about: null, edits: readCase(JSON.stringify(CASE)).edits };
    expect(readDraft(writeDraft(draft))).toEqual(draft);
    expect(draftKey("p", null)).not.toBe(draftKey("p", "x"));
  });

  it("that cannot be read is none", () => {
    for (const text of ["", "{}", '{"form":2}', '{"form":1,"title":"x"}']) expect(readDraft(text)).toBeNull();
  });
});

describe("what a result is made from", () => {
  const stage = (name: string, kind: Stage["kind"], inputs: string[], outputs: string[]): Stage => ({ name, kind, inputs, outputs, program: "", state: null, behind: false });

  it("is what no stage makes, also through several stages and a circle", () => {
    const stages = [stage("s", "source", [], ["raw"]), stage("a", "stage", ["raw", "params", "mid"], ["mid"]), stage("b", "stage", ["mid"], ["out"])];
    expect(inputsOf("out", stages)).toEqual(["raw", "params"]);
    expect(inputsOf("raw", stages)).toEqual([]);
  });

  it("has a row for an item only if its name stands in one row alone", () => {
    const sheets = sheetsOf("raw", "=====Work\n\tId\tRank\tName\n\tA\t1\tOne\n\tB\t2\tTwin\n\tC\t3\tTwin\n");
    const ranked = rankedRows(sheets, [], ["One", "Twin", "None"]);
    expect(ranked.get("One")).toMatchObject({ rank: 1 });
    expect([ranked.get("Twin"), ranked.get("None")]).toEqual(["several", "none"]);
    expect(rankedRows(sheets, [], ["One", "One"]).get("One")).toBe("several");
    const one = ranked.get("One");
    if (typeof one !== "object") throw new Error("no row");
    expect(rankedRows(sheets, withRank(one.sheet, [], one.row, 3), ["One"]).get("One")).toMatchObject({ rank: 3 });
  });
});
