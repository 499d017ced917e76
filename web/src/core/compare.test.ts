// What-ifs beside their base.
import { describe, expect, it } from "vitest";
import { endShift } from "./changes";
import { demandBars, planDifferences, readPlaces, sideBySide, variance } from "./compare";
import type { Plan } from "./plan";

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
const cell = (key: string, column: string, old: string, now: string): string => line({ op: "cell", stream: "Work", key: { Id: key }, row: 2, column, old, new: now });

describe("differences side by side", () => {
  it("have one line for each place that differs in any", () => {
    const one = readPlaces("table", line({ op: "table", stream: "Work", key: ["Id"] }) + cell("A", "Rank", "1", "2")) ?? [];
    const two = readPlaces("table", cell("A", "Rank", "1", "3") + cell("B", "Rank", "2", "1") + line({ op: "row-add", stream: "Work", key: { Id: "N" }, row: 3, cells: { Id: "N", Rank: "4", Name: "" } })) ?? [];
    expect(sideBySide([one, two])).toEqual([
      { stream: "Work", where: "A", column: "Rank", base: "1", values: ["2", "3"] },
      { stream: "Work", where: "B", column: "Rank", base: "2", values: [undefined, "1"] },
      { stream: "Work", where: "N", column: "", base: null, values: [undefined, "Id N, Rank 4"] },
    ]);
  });

  it("know rows by their order where nothing names them, and removed rows", () => {
    const [moved, gone] = readPlaces("table", line({ op: "row-move", key: { Id: "A" }, from: 1, to: 3 }) + line({ op: "row-remove", row: 2, cells: { a: "x" } })) ?? [];
    expect(moved).toMatchObject({ where: "A", column: "place", old: "row 1", now: "row 3" });
    expect(gone).toMatchObject({ where: "row 2", old: "a x", now: null });
  });

  it("are read of JSON, and of no text", () => {
    const text = line({ op: "replace", path: "/days", old: 3, new: 4 }) + line({ op: "add", path: "/x", new: "y" });
    expect(readPlaces("json", text)).toMatchObject([{ where: "/days", old: "3", now: "4" }, { where: "/x", old: null, now: "y" }]);
    expect(readPlaces("text", "--- a")).toBeNull();
  });
});

describe("variance", () => {
  it("is told of numbers as such, or as a share of the base", () => {
    expect(variance("8", "10", "abs")).toBe("+2");
    expect(variance("8", "6", "pct")).toBe("−25 %");
    expect(variance("0", "6", "pct")).toBe("");
    expect(variance("8", "8", "abs")).toBe("");
  });

  it("is told of dates in days, whatever is asked for", () => {
    expect(variance("2027-03-26", "2027-04-09", "pct")).toBe("+14 days");
    expect(variance("Apr 10, 2027", "Apr 9, 2027", "abs")).toBe("−1 day");
  });

  it("is not told of texts, nor of what is not there", () => {
    expect(variance("a", "b", "abs")).toBe("");
    expect(variance(null, "3", "abs")).toBe("");
    expect(variance("3", null, "abs")).toBe("");
    expect(variance("DNF", "Apr 9, 2027", "abs")).toBe("");
  });
});

describe("plans", () => {
  const plan = (demand: number, end: string): Plan => {
    const item = { key: "Shop\tOne", track: "Shop", rank: 1, triage: 1, name: "One", estimates: [], shortages: [], end, finishes: end !== "DNF", endDay: null };
    const track = { name: "All", overall: true, manpower: [10], demand: [[1], [demand]], staff: [], items: [item] };
    return { start: "", end: "", scheduled: [], skills: ["Web"], triages: ["1", "2"], tracks: [track] };
  };

  it("are compared by demand, manpower and ends", () => {
    const { capacity, ends } = planDifferences(plan(8, "Apr 9, 2027"), [plan(8, "DNF"), plan(9.5, "Apr 9, 2027"), null]);
    expect(capacity).toEqual([
      { stream: "", where: "Web", column: "demand", base: "8", values: [undefined, "9.5", null] },
      { stream: "", where: "Web", column: "manpower", base: "10", values: [undefined, undefined, null] },
    ]);
    expect(ends).toEqual([{ stream: "Shop", where: "One", column: "ends", base: "Apr 9, 2027", values: ["DNF", undefined, null] }]);
  });

  it("say whether an end is later or earlier", () => {
    expect(endShift("Apr 1, 2027", "Apr 9, 2027")).toEqual({ word: "later", by: "8 days" });
    expect(endShift("DNF", "Apr 9, 2027")).toEqual({ word: "earlier", by: "" });
    expect(endShift("DNF", "DNF")).toBeNull();
  });

  it("are drawn as a bar for the base and each what-if, all on one scale", () => {
    const { capacity } = planDifferences(plan(8, "DNF"), [plan(8, "DNF"), plan(20, "DNF"), null]);
    const { groups, height } = demandBars(capacity, 100);
    expect(groups.map(({ skill, bars }) => [skill, bars.map((bar) => [bar.of, bar.width, bar.manpowerX, bar.fits])])).toEqual([
      ["Web", [[0, 40, 50, true], [1, 40, 50, true], [2, 100, 50, false]]],
    ]);
    expect(height).toBe(45);
  });
});
