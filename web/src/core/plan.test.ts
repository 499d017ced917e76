// Reading plans, what fits, which rows are shown, what changed, where the bars go.
import { describe, expect, it } from "vitest";
import { allFitTo, capacityRows } from "./capacity";
import { changesLine, planChanges } from "./changes";
import { layout } from "./chart";
import { PLAN } from "./fixture";
import { dayOf, parsePlan, type Plan, type PlanTrack } from "./plan";
import { BY_RANK, planRows } from "./rows";

const plan = parsePlan(PLAN);
const all = track(plan, 0);

function track(from: Plan, index: number): PlanTrack {
  const found = from.tracks[index];
  if (!found) throw new Error(`no track ${index}`);
  return found;
}

const names = (found: PlanTrack, wanted: Partial<Parameters<typeof planRows>[1]>): string[] =>
  planRows(found.items, { triage: null, find: "", sort: BY_RANK, ...wanted }).map((item) => `${item.rank} ${item.name}`);

describe("parsePlan", () => {
  it("reads the range, skills, tracks and items", () => {
    expect([plan.start, plan.end]).toEqual(["Nov 18, 2026", "Jan 3, 2027"]);
    expect(plan.scheduled).toEqual(["Mobile", "Server"]);
    expect(plan.tracks.map((one) => [one.name, one.overall, one.items.length])).toEqual([
      ["All", true, 5],
      ["", false, 1],
      ["Core", false, 4],
    ]);
    expect(all.staff).toEqual([["Ann", "Bob"], ["Cid"]]);
    expect(all.items[3]?.shortages).toEqual([{ skill: "Server", weeks: -6.200003, text: "-6.200003" }]);
    expect(all.items[4]).toMatchObject({ estimates: [], end: "DNF", finishes: false, endDay: null });
  });

  it("gives namesakes keys of their own", () => {
    expect(new Set(all.items.map((item) => item.key)).size).toBe(5);
  });

  it("names what is missing and where", () => {
    expect(() => parsePlan(PLAN.replace("=====qplan skills v1", "=====other"))).toThrow('stream "qplan skills v1" is missing');
    expect(() => parsePlan(PLAN.replace("Core\t1\t1\tOffline mode\t", "Core\t1\t"))).toThrow("item 1 of track 1 (All) has 5 fields, not 7");
    expect(() => parsePlan("")).toThrow("missing");
  });

  it("reads a plan without skills", () => {
    const none = parsePlan(
      "=====qplan params v1\n\tJan 6, 2025\tJan 17, 2025\t\n=====qplan tracks v1\n\tAll\n=====qplan skills v1\n=====qplan triages v1\n\t1\n" +
        "=====qplan track manpower v1\n\t\n=====qplan track-triage demand v1\n\t=====qplan triage item\n\t\t\n" +
        "=====qplan track-skill staff v1\n\t=====qplan track item\n=====qplan track work v1\n\t=====qplan track item\n",
    );
    expect(capacityRows(none, track(none, 0), null)).toEqual([]);
  });
});

describe("dayOf", () => {
  it("reads the dates of plans and nothing else", () => {
    expect(dayOf("Jan  2, 1970")).toBe(1);
    expect(dayOf("jan 02, 1970")).toBe(1);
    expect(dayOf("January 2, 1970")).toBeNull();
    expect(dayOf("DNF")).toBeNull();
  });
});

describe("capacityRows", () => {
  it("says what fits, up to where, and what is left", () => {
    const [mobile, server] = capacityRows(plan, all, null);
    expect(mobile).toMatchObject({ skill: "Mobile", fits: true, fitsTo: "3", demand: 12 });
    expect(mobile?.left).toBeCloseTo(5.6, 4);
    expect(server).toMatchObject({ fits: false, fitsTo: "1.5", demand: 18 });
    expect(server?.steps.map((step) => step.own)).toEqual([6, 0, 12, 0, 0]);
    expect(allFitTo(capacityRows(plan, all, null))).toBe("1.5");
  });

  it("counts only the triages asked for", () => {
    const rows = capacityRows(plan, all, 1.5);
    expect(rows.map((row) => [row.demand, row.fits])).toEqual([[9, true], [6, true]]);
  });

  it("takes the noise of 32-bit sums for no shortage", () => {
    const even: PlanTrack = { ...all, manpower: [11.999998, 18], demand: all.demand };
    expect(capacityRows(plan, even, null).every((row) => row.fits)).toBe(true);
  });
});

describe("layout", () => {
  it("begins bars at zero and joins the segments without gaps", () => {
    const chart = layout(capacityRows(plan, all, null), 900);
    for (const bar of chart.bars) {
      expect(bar.segments[0]?.x).toBe(chart.left);
      bar.segments.forEach((one, index) => {
        const next = bar.segments[index + 1];
        expect(one.x + one.width).toBeCloseTo(next ? next.x : bar.demandEnd, 6);
      });
    }
    const server = chart.bars[1];
    expect(server?.over?.x).toBe(server?.manpowerEnd);
    expect(server?.segments.map((segment) => segment.triage)).toEqual([0, 2]);
  });

  it("stays inside its width, also with wild numbers", () => {
    const wild: PlanTrack = { ...all, demand: [[1e9, NaN], [1e9, -5], [1e9, Infinity], [1e9, 0], [1e9, 0]] };
    for (const width of [280, 360, 1200]) {
      const chart = layout(capacityRows(plan, wild, null), width);
      expect(chart.bars[0]?.demandCut).toBe(true);
      for (const bar of chart.bars) {
        for (const x of [bar.demandEnd, bar.manpowerEnd, ...bar.segments.map((one) => one.x + one.width)]) {
          expect(x).toBeGreaterThanOrEqual(chart.left);
          expect(x).toBeLessThanOrEqual(chart.right);
        }
      }
    }
  });
});

describe("planRows", () => {
  it("filters by triage and by words", () => {
    expect(names(all, { triage: 1 })).toEqual(["1 Offline mode", "2 Push channel"]);
    expect(names(all, { find: "core REWRITE" })).toEqual(["4 Rewrite", "5 Rewrite"]);
    expect(names(all, { find: "dnf" })).toHaveLength(2);
  });

  it("sorts by any column, dates as dates, what does not finish last", () => {
    expect(names(all, { sort: { column: "end", down: false } })).toEqual(["2 Push channel", "1 Offline mode", "3 Widgets", "4 Rewrite", "5 Rewrite"]);
    expect(names(all, { sort: { column: "rank", down: true } })[0]).toBe("5 Rewrite");
    expect(names(all, { sort: { column: "shortages", down: false } })[0]).toBe("4 Rewrite");
    expect(names(all, { sort: { column: "no such", down: false } })[0]).toBe("1 Offline mode");
  });
});

describe("planChanges", () => {
  it("finds changed cells, new items and lost ones, by track", () => {
    const after = parsePlan(PLAN.replace("Dec 24, 2026", "Dec 25, 2026").replaceAll("Push channel", "Pull channel"));
    const [overall, none] = planChanges(plan, after);
    expect([...(overall?.cells ?? [])]).toEqual([["\tWidgets\nend", "Dec 24, 2026"]]);
    expect([overall?.added.size, overall?.removed]).toEqual([1, 1]);
    expect(none?.cells.size).toBe(0);
    expect(overall && changesLine(overall, "results/plan", "07:00:00", "All")).toBe(
      "1 cell changed in results/plan at 07:00:00, 1 item added, 1 item removed",
    );
  });
});
