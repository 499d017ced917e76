// Which cells of the plan's table changed between two versions of it.
import { DNF, dayOf, type Amount, type Plan, type PlanItem, type PlanTrack } from "./plan";

export const COLUMNS = ["rank", "name", "track", "triage", "estimates", "shortages", "end"] as const;
export type Column = (typeof COLUMNS)[number];

export interface TrackChanges {
  /** Item key and column of every changed cell, with the text it had before. */
  cells: Map<string, string>;
  added: Set<string>;
  removed: number;
}

/** The text of a cell: what is compared, searched, and told as "was …". */
export function cellText(item: PlanItem, column: Column): string {
  switch (column) {
    case "estimates":
    case "shortages":
      return amountsText(item[column]);
    default:
      return String(item[column]);
  }
}

export function cellKey(item: PlanItem, column: Column): string {
  return `${item.key}\n${column}`;
}

function amountsText(amounts: readonly Amount[]): string {
  return amounts.map((amount) => `${amount.skill} ${amount.text}`).join(", ");
}

/** Changes by track index; a track that was not there before has none. */
export function planChanges(before: Plan, after: Plan): TrackChanges[] {
  return after.tracks.map((track, index) => {
    const old = before.tracks.find((other, at) => other.name === track.name && (at === 0) === (index === 0));
    return old ? trackChanges(old, track) : { cells: new Map(), added: new Set(), removed: 0 };
  });
}

function trackChanges(before: PlanTrack, after: PlanTrack): TrackChanges {
  const old = new Map(before.items.map((item) => [item.key, item]));
  const changes: TrackChanges = { cells: new Map(), added: new Set(), removed: 0 };
  for (const item of after.items) {
    const was = old.get(item.key);
    if (!was) {
      changes.added.add(item.key);
      continue;
    }
    old.delete(item.key);
    for (const column of COLUMNS) {
      const text = cellText(was, column);
      if (text !== cellText(item, column)) changes.cells.set(cellKey(item, column), text);
    }
  }
  changes.removed = old.size;
  return changes;
}

/** One line for people, e.g. "3 cells changed in results/plan at 07:12:03". */
export function changesLine(changes: TrackChanges, resource: string, time: string, track: string): string {
  const cells = changes.cells.size;
  const extra = [
    changes.added.size > 0 ? `${count(changes.added.size, "item")} added` : "",
    changes.removed > 0 ? `${count(changes.removed, "item")} removed` : "",
  ].filter((part) => part !== "");
  if (cells === 0 && extra.length === 0) return `${resource} changed at ${time}, but no cell of ${track}`;
  return [`${count(cells, "cell")} changed in ${resource} at ${time}`, ...extra].join(", ");
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Whether an end is later or earlier than it was; what does not finish is later than every day. */
export function endShift(was: string, is: string): { word: "earlier" | "later"; by: string } | null {
  if (was === is) return null;
  const [then, now] = [was === DNF ? Infinity : dayOf(was), is === DNF ? Infinity : dayOf(is)];
  if (then === null || now === null || then === now) return null;
  const days = Math.abs(now - then);
  return { word: now > then ? "later" : "earlier", by: Number.isFinite(days) ? `${days} ${days === 1 ? "day" : "days"}` : "" };
}
