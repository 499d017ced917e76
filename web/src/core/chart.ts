// Where the marks of the capacity chart go. All lengths are CSS pixels; bars begin at zero.
import type { SkillRow } from "./capacity";
import { axisTicks } from "./format";

export interface Segment {
  x: number;
  width: number;
  /** Index of its triage. */
  triage: number;
  step: SkillRow["steps"][number];
}

export interface Bar {
  row: SkillRow;
  /** Top of the row. */
  y: number;
  segments: Segment[];
  demandEnd: number;
  manpowerEnd: number;
  /** The part of the demand above the manpower. */
  over: { x: number; width: number } | null;
  /** Where the number of the demand begins; behind the manpower's mark when that is near. */
  valueX: number;
  demandCut: boolean;
  manpowerCut: boolean;
}

export interface Chart {
  width: number;
  height: number;
  narrow: boolean;
  left: number;
  right: number;
  /** Where the bars begin below a row's top. */
  barTop: number;
  axisY: number;
  ticks: { x: number; value: number }[];
  bars: Bar[];
}

export const BAR = { demand: 18, gap: 3, manpower: 9 } as const;
const NARROW = 600;
const LABELS = 168;
const ROW = { wide: 50, narrow: 70 } as const;
const TOP = 6;
const AXIS = 42;
/** Room for the number behind the longest bar; numbers of cut bars are long. */
const NUMBER = { usual: 58, cut: 86 } as const;
/** A mark this close behind a bar would strike its number through. */
const NEAR = 44;
/** A demand of more than this times the manpower is cut, or the manpower could not be seen. */
const CUT = 4;

export function layout(rows: readonly SkillRow[], width: number): Chart {
  const narrow = width < NARROW;
  const left = narrow ? 1 : LABELS;
  const ticks = axisTicks(scaleEnd(rows), narrow ? 4 : 8);
  const end = ticks[ticks.length - 1] ?? 1;
  const cut = rows.some((row) => row.demand > end || row.manpower > end);
  const right = Math.max(width - (cut ? NUMBER.cut : NUMBER.usual), left + 40);
  const x = (value: number): number => left + (clamp(value, end) / end) * (right - left);
  const height = narrow ? ROW.narrow : ROW.wide;
  const axisY = TOP + rows.length * height;
  return {
    width,
    height: axisY + AXIS,
    narrow,
    left,
    right,
    barTop: narrow ? 24 : 6,
    axisY,
    ticks: ticks.map((value) => ({ value, x: x(value) })),
    bars: rows.map((row, index) => bar(row, { y: TOP + index * height, x, end })),
  };
}

function bar(row: SkillRow, scale: { y: number; x: (value: number) => number; end: number }): Bar {
  const { y, x, end } = scale;
  const demandEnd = x(row.demand);
  const manpowerEnd = x(row.manpower);
  const segments = row.steps.map((step, triage): Segment => {
    const from = x(step.total - step.own);
    return { x: from, width: Math.max(x(step.total) - from, 0), triage, step };
  });
  return {
    row,
    y,
    segments: segments.filter((segment) => segment.width > 0),
    demandEnd,
    manpowerEnd,
    over: row.fits ? null : { x: manpowerEnd, width: Math.max(demandEnd - manpowerEnd, 2) },
    valueX: (manpowerEnd >= demandEnd && manpowerEnd - demandEnd < NEAR ? manpowerEnd : demandEnd) + 6,
    demandCut: row.demand > end,
    manpowerCut: row.manpower > end,
  };
}

function scaleEnd(rows: readonly SkillRow[]): number {
  const manpower = largest(rows.map((row) => row.manpower));
  const demand = largest(rows.map((row) => row.demand));
  return manpower > 0 ? Math.max(manpower, Math.min(demand, manpower * CUT)) : demand;
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => (Number.isFinite(value) && value > most ? value : most), 0);
}

function clamp(value: number, end: number): number {
  return Number.isNaN(value) ? 0 : Math.min(Math.max(value, 0), end);
}
