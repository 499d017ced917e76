// The schedule: ends on a line of weeks, what does not end at the edge, only what is in sight.
import { describe, expect, it } from "vitest";
import { PLAN } from "./fixture";
import { dayOf, parsePlan, type PlanItem } from "./plan";
import { ROW, schedule, TOP, window } from "./schedule";

const plan = parsePlan(PLAN);
const item = (end: string): PlanItem => ({
  key: end, track: "", rank: 1, triage: 1, name: end, estimates: [], shortages: [], end, finishes: end !== "DNF", endDay: end === "DNF" ? null : dayOf(end),
});

describe("schedule", () => {
  const drawn = schedule(plan, [item("Nov 18, 2026"), item("Jan 3, 2027"), item("DNF"), item("Jan 10, 2027")], 1000, Date.UTC(2026, 10, 30));

  it("puts ends between the first day and the last", () => {
    if (!drawn) throw new Error("nothing drawn");
    const [begin, end, never, after] = drawn.rows;
    expect(begin?.x).toBe(drawn.left);
    expect(end?.x).toBe(drawn.endX);
    expect(never?.x).toBe(drawn.right);
    expect([after?.x, after?.late, end?.late]).toEqual([drawn.right, true, false]);
    expect(drawn.todayX).toBeGreaterThan(drawn.left);
  });

  it("marks Mondays, as many as fit", () => {
    if (!drawn) throw new Error("nothing drawn");
    expect(drawn.marks[0]?.label).toBe("Nov 23");
    expect(drawn.marks.map((mark) => mark.label)).toContain("Jan 4");
    const narrow = schedule(plan, [], 400, 0);
    expect(narrow?.marks.length).toBeLessThan(drawn.marks.length);
    expect(narrow?.todayX).toBeNull();
  });

  it("draws nothing where dates are none, and of many rows those in sight", () => {
    expect(schedule({ ...plan, start: "soon" }, [], 1000, 0)).toBeNull();
    expect(schedule({ ...plan, start: plan.end, end: plan.start }, [], 1000, 0)).toBeNull();
    const many = schedule(plan, Array.from({ length: 5000 }, () => item("DNF")), 1000, 0);
    const shown = window(many?.rows ?? [], 1000 * ROW, 400);
    expect(shown.length).toBeLessThan(40);
    expect(shown[0]?.y).toBe(TOP + 992 * ROW);
  });
});
