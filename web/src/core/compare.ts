// Several what-ifs beside their base: which cells differ, by how much; and of plans, what is wanted, what there is, what ends when.
import { readLines } from "./difference";
import { dayOf, type Plan } from "./plan";
import { number } from "./format";
import { Field } from "./wire";

/** How a difference is told: as such, or as a share of the base. */
export type Unit = "abs" | "pct";

/** A place that differs in one of them at least. */
export interface Difference {
  stream: string;
  /** The row, or the path in JSON. */
  where: string;
  /** Empty for rows and paths as a whole. */
  column: string;
  /** null where nothing was. */
  base: string | null;
  /** One for each what-if: undefined if it is as at the base, null if it is not there. */
  values: (string | null | undefined)[];
}

interface Change {
  id: string;
  stream: string;
  where: string;
  column: string;
  old: string | null;
  now: string | null;
}

/** Differences as `DIFF` tells them in the forms `table` and `json`, one change a line; null in other forms. */
export function readPlaces(form: string, text: string): Change[] | null {
  if (form !== "table" && form !== "json") return null;
  return readLines(text).flatMap((line) => {
    const field = new Field(line, "");
    const change = form === "table" ? tableChange(field) : jsonChange(field);
    return change ? [change] : [];
  });
}

/** A resource that came, or has gone, as a whole. */
export function whole(isGone: boolean): Change[] {
  return [{ id: "", stream: "", where: "all of it", column: "content", old: isGone ? "there" : null, now: isGone ? null : "there" }];
}

function tableChange(field: Field): Change | null {
  const op = field.get("op").string();
  // It says how the lines after it are meant, and is no change.
  if (op === "table") return null;
  const stream = field.get("stream").text();
  const keys = field.get("key").entries().map(([, cell]) => said(cell) ?? "");
  const row = field.get("row").orNull((one) => one.number());
  const where = keys.length > 0 ? keys.join(", ") : row === null ? "" : `row ${row}`;
  const place = (column: string, old: string | null, now: string | null): Change => ({ id: JSON.stringify([stream, where, column]), stream, where, column, old, now });
  switch (op) {
    case "cell":
      return place(field.get("column").text(), said(field.get("old")), said(field.get("new")));
    case "row-add":
      return place("", null, cells(field.get("cells")));
    case "row-remove":
      return place("", cells(field.get("cells")), null);
    case "row-move":
      return place("place", `row ${said(field.get("from"))}`, `row ${said(field.get("to"))}`);
    case "column-add":
      return { ...place(field.get("column").text(), null, "a column"), where: "all rows" };
    case "column-remove":
      return { ...place(field.get("column").text(), "a column", null), where: "all rows" };
    case "stream-add":
      return { ...place("", null, "a stream"), where: "all of it" };
    case "stream-remove":
      return { ...place("", "a stream", null), where: "all of it" };
    case "cut":
      return { ...place("", "", "there are more differences"), where: "more" };
    default:
      return null;
  }
}

function jsonChange(field: Field): Change | null {
  const path = field.get("path").text();
  const op = field.get("op").string();
  const change = { id: path, stream: "", where: path, column: "" };
  if (op === "cut") return { ...change, id: "cut", where: "more", old: "", now: "there are more differences" };
  if (op === "move") return { ...change, column: "place", id: `${path}\nplace`, old: said(field.get("from")), now: said(field.get("to")) };
  if (op !== "add" && op !== "remove" && op !== "replace") return null;
  return { ...change, old: op === "add" ? null : said(field.get("old")), now: op === "remove" ? null : said(field.get("new")) };
}

function said(field: Field): string | null {
  const value = field.plain();
  if (value === undefined || value === null) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

function cells(field: Field): string {
  return field.entries().flatMap(([column, cell]) => {
    const text = said(cell) ?? "";
    return text === "" ? [] : [`${column} ${text}`];
  }).join(", ");
}

/** The differences of several, place by place, in the order in which they come. */
export function sideBySide(each: readonly (readonly Change[])[]): Difference[] {
  const all = new Map<string, Difference>();
  for (const [index, changes] of each.entries()) {
    for (const change of changes) {
      const known = all.get(change.id) ?? { stream: change.stream, where: change.where, column: change.column, base: change.old, values: each.map(() => undefined) };
      known.values[index] = change.now;
      all.set(change.id, known);
    }
  }
  return [...all.values()];
}

/** By how much a value differs: numbers, and days of dates; empty if that cannot be said. */
export function variance(base: string | null, value: string | null | undefined, unit: Unit): string {
  if (base === null || value === null || value === undefined || base === value) return "";
  const [before, after] = [read(base), read(value)];
  if (before !== null && after !== null) {
    const by = after - before;
    if (unit === "abs") return signed(by, "");
    return before === 0 ? "" : signed((by / Math.abs(before)) * 100, " %");
  }
  const [then, now] = [day(base), day(value)];
  if (then === null || now === null) return "";
  const days = now - then;
  return `${signed(days, "")} ${Math.abs(days) === 1 ? "day" : "days"}`;
}

function read(text: string): number | null {
  return /^\s*[-+−]?\d+(\.\d+)?\s*$/.test(text) ? Number(text.replace("−", "-")) : null;
}

/** Days since 1970 of `2027-04-09` or `Apr 9, 2027`. */
export function day(text: string): number | null {
  const iso = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text.trim());
  return iso ? Math.round(Date.UTC(Number(iso[1]), Number(iso[2]) - 1, Number(iso[3])) / 86_400_000) : dayOf(text);
}

function signed(value: number, unit: string): string {
  const text = number(value);
  return `${value > 0 ? "+" : ""}${text}${unit}`;
}

/** Plans side by side: each skill's demand and manpower, and the items that do not all end on one day. */
export function planDifferences(base: Plan, plans: readonly (Plan | null)[]): { capacity: Difference[]; ends: Difference[] } {
  const all = [base, ...plans];
  const skills = [...new Set(all.flatMap((plan) => plan?.skills ?? []))];
  const capacity = skills.flatMap((skill) => [
    compared(all, skill, "demand", (plan) => amount(plan.tracks[0]?.demand.at(-1)?.[plan.skills.indexOf(skill)])),
    compared(all, skill, "manpower", (plan) => amount(plan.tracks[0]?.manpower[plan.skills.indexOf(skill)])),
  ]);
  const keys = [...new Set(all.flatMap((plan) => plan?.tracks[0]?.items.map((item) => item.key) ?? []))];
  const ends = keys.map((key) => {
    const [track = "", name = ""] = key.split("\t");
    const line = compared(all, name, "ends", (plan) => plan.tracks[0]?.items.find((item) => item.key === key)?.end ?? null);
    return { ...line, stream: track };
  });
  return { capacity, ends: ends.filter((line) => line.values.some((value) => value !== undefined)) };
}

function compared([base, ...plans]: readonly (Plan | null)[], where: string, column: string, read: (plan: Plan) => string | null): Difference {
  const at = (plan: Plan | null | undefined): string | null => (plan ? read(plan) : null);
  const first = at(base);
  return { stream: "", where, column, base: first, values: plans.map((plan) => (at(plan) === first ? undefined : at(plan))) };
}

function amount(value: number | undefined): string | null {
  return value === undefined ? null : String(Math.round(value * 100) / 100);
}

/** One bar of demand, and where the manpower for it ends. */
export interface DemandBar {
  /** 0 is the base. */
  of: number;
  demand: number;
  manpower: number;
  y: number;
  width: number;
  manpowerX: number;
  fits: boolean;
}

const BAR_PX = 15;
const GROUP_PX = 12;
/** Sums of 32-bit floats are off by about this much; less is not a shortage. */
const NOISE = 0.005;

/** The capacity of plans as bars, a group for each skill, one bar for the base and each what-if that has the skill. */
export function demandBars(capacity: readonly Difference[], room: number): { groups: { skill: string; y: number; bars: DemandBar[] }[]; height: number } {
  const pairs = capacity.filter((line) => line.column === "demand").map((demand) => ({ demand, manpower: capacity.find((line) => line.column === "manpower" && line.where === demand.where) }));
  const at = (line: Difference | undefined, of: number): number => {
    const value = of === 0 ? line?.base : line?.values[of - 1];
    return Number((value === undefined ? line?.base : value) ?? NaN);
  };
  const read = pairs.map(({ demand, manpower }) => ({
    skill: demand.where,
    amounts: [null, ...demand.values].map((_, of) => ({ of, demand: at(demand, of), manpower: at(manpower, of) })).filter((one) => !Number.isNaN(one.demand)),
  }));
  const most = Math.max(1, ...read.flatMap(({ amounts }) => amounts.flatMap((one) => [one.demand, one.manpower || 0])));
  let y = 0;
  const groups = read.map(({ skill, amounts }) => {
    const group = {
      skill,
      y,
      bars: amounts.map((one, index) => ({ ...one, y: y + index * BAR_PX, width: (one.demand / most) * room, manpowerX: ((one.manpower || 0) / most) * room, fits: one.demand - (one.manpower || 0) <= NOISE })),
    };
    y += amounts.length * BAR_PX + GROUP_PX;
    return group;
  });
  return { groups, height: Math.max(y - GROUP_PX, 0) };
}
