// Which items of a plan's track are shown, and in which order.
import { cellText, COLUMNS, type Column } from "./changes";
import type { Amount, PlanItem } from "./plan";
import type { Sort } from "./route";

export interface Wanted {
  /** Items up to this triage; null for all. */
  triage: number | null;
  /** Words that must all occur in the row. */
  find: string;
  sort: Sort;
}

export const BY_RANK: Sort = { column: "rank", down: false };

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

export function planRows(items: readonly PlanItem[], wanted: Wanted): PlanItem[] {
  const words = wordsOf(wanted.find);
  const { triage } = wanted;
  const shown = items.filter((item) => (triage === null || item.triage <= triage) && (words.length === 0 || has(rowText(item), words)));
  const column = COLUMNS.find((name) => name === wanted.sort.column) ?? "rank";
  return sorted(shown, (a, b) => compareItems(a, b, column), wanted.sort.down);
}

export function wordsOf(find: string): string[] {
  return find.toLowerCase().split(/\s+/).filter((word) => word !== "");
}

export function has(text: string, words: readonly string[]): boolean {
  const low = text.toLowerCase();
  return words.every((word) => low.includes(word));
}

/** A sorted copy; equal rows keep their order in both directions. */
export function sorted<T>(rows: readonly T[], compare: (a: T, b: T) => number, down: boolean): T[] {
  return [...rows].sort(down ? (a, b) => compare(b, a) : compare);
}

function rowText(item: PlanItem): string {
  return COLUMNS.map((column) => cellText(item, column)).join(" ");
}

function compareItems(a: PlanItem, b: PlanItem, column: Column): number {
  switch (column) {
    case "rank":
    case "triage":
      return compareNumbers(a[column], b[column]);
    case "estimates":
    case "shortages":
      return compareNumbers(total(a[column]), total(b[column]));
    case "end":
      // What does not finish comes after every date.
      return compareNumbers(a.endDay ?? Infinity, b.endDay ?? Infinity);
    case "name":
    case "track":
      return collator.compare(a[column], b[column]);
  }
}

export function compareNumbers(a: number, b: number): number {
  if (a === b) return 0;
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  if (Number.isNaN(b)) return -1;
  return a < b ? -1 : 1;
}

export function total(amounts: readonly Amount[]): number {
  return amounts.reduce((sum, amount) => sum + amount.weeks, 0);
}
