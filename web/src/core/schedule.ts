// Where the marks of a plan's schedule go: one row an item, its estimated end on a line of weeks. A plan says when items end, not when
// they begin: people take from several at once. All lengths are CSS pixels.
import { dayOf, type Plan, type PlanItem } from "./plan";

export interface ScheduleRow {
  item: PlanItem;
  y: number;
  /** Where it ends; at the edge if it does not. */
  x: number;
  /** After the plan's end. */
  late: boolean;
}

export interface Schedule {
  width: number;
  height: number;
  left: number;
  right: number;
  /** Where the plan ends. */
  endX: number;
  /** The day it is, if it is within the plan. */
  todayX: number | null;
  /** The first day of months, or of weeks where there is room. */
  marks: { x: number; label: string }[];
  rows: ScheduleRow[];
}

export const ROW = 24;
export const TOP = 26;
const NARROW = 600;
const LABELS = { wide: 260, narrow: 116 } as const;
/** Room for the word behind the last mark. */
const EDGE = 52;
const DAY_MS = 86_400_000;
const WEEK = 7;
/** A mark's label takes this much. */
const LABEL = 64;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** null if the plan's dates cannot be read, or it ends before it begins. */
export function schedule(plan: Plan, items: readonly PlanItem[], width: number, today: number): Schedule | null {
  const first = dayOf(plan.start);
  const end = dayOf(plan.end);
  if (first === null || end === null || end < first) return null;
  const last = items.reduce((most, item) => Math.max(most, item.endDay ?? most), end);
  const left = width < NARROW ? LABELS.narrow : LABELS.wide;
  const right = Math.max(width - EDGE, left + 60);
  const x = (day: number): number => left + ((day - first) / Math.max(last - first, 1)) * (right - left);
  const rows = items.map((item, index): ScheduleRow => ({
    item,
    y: TOP + index * ROW,
    x: item.endDay === null ? right : Math.max(x(item.endDay), left),
    late: item.endDay !== null && item.endDay > end,
  }));
  const day = Math.floor(today / DAY_MS);
  return {
    width: Math.max(width, right + EDGE),
    height: TOP + items.length * ROW + 4,
    left,
    right,
    endX: x(end),
    todayX: day >= first && day <= last ? x(day) : null,
    marks: marksOf(first, last, Math.max(1, Math.floor((right - left) / LABEL))).map(({ at, label }) => ({ x: x(at), label })),
    rows,
  };
}

/** The rows in sight, and a few beyond. */
export function window(rows: readonly ScheduleRow[], top: number, height: number): readonly ScheduleRow[] {
  const from = Math.max(0, Math.floor((top - TOP) / ROW) - 6);
  return rows.slice(from, from + Math.ceil(height / ROW) + 12);
}

/** Mondays while they fit, else every second one and so on; each is a day that a week begins on. */
function marksOf(first: number, last: number, most: number): { at: number; label: string }[] {
  // 1970-01-05 was a Monday.
  const monday = first + ((4 - first) % WEEK + WEEK) % WEEK;
  const weeks = Math.floor((last - monday) / WEEK) + 1;
  const step = Math.max(1, Math.ceil(weeks / most)) * WEEK;
  const marks = [];
  for (let at = monday; at <= last; at += step) marks.push({ at, label: labelOf(at) });
  return marks;
}

function labelOf(day: number): string {
  const date = new Date(day * DAY_MS);
  return `${MONTHS[date.getUTCMonth()] ?? ""} ${date.getUTCDate()}`;
}
