// Unsaved edits: how a list of them grows by what a person does, how it is laid on a content to be shown, and how it goes into the
// edits that a what-if has already. All of it goes by addresses, so the same list can be laid on a newer content.
import { readAddress, type Step } from "./address";
import { cellAddress, columnAt, findRow, placeRow, rowAddress, rowPlace, rowStep, tableAddress, type Sheet } from "./sheet";
import type { Deed, Edit } from "./whatif";

/** A row of a sheet with the edits laid on it. */
export interface LaidRow {
  /** How the row is named in addresses. */
  step: Step;
  cells: string[];
  /** What changed cells were, by column. */
  was: Map<number, string>;
  added: boolean;
  /** The edit that adds it; null for a row that was there. */
  by: Edit | null;
  removed: boolean;
  /** It stands elsewhere, by its place or its rank. */
  moved: boolean;
}

export interface Laid {
  rows: LaidRow[];
  /** Edits of this sheet that do not fit what is there. */
  missed: Edit[];
}

/** Whether an edit is of this sheet. */
function isOf(sheet: Sheet, edit: Edit): boolean {
  const address = readAddress(edit.at);
  if (address?.resource !== sheet.resource) return false;
  const rest = address.steps.length - sheet.path.length;
  return rest >= 0 && rest <= 2 && sheet.path.every((name, at) => isNamed(address.steps[at], name)) && (rest === 0 || address.steps[sheet.path.length]?.kind !== "name");
}

function isNamed(step: Step | undefined, name: string): boolean {
  return step?.kind === "name" && step.name === name;
}

function within(sheet: Sheet, edit: Edit): { row: Step | undefined; column: number } {
  const [row, last] = (readAddress(edit.at)?.steps ?? []).slice(sheet.path.length);
  const name = last?.kind === "name" ? last.name : last?.kind === "column" ? `#${last.number}` : null;
  return { row, column: name === null ? -1 : columnAt(sheet, name) };
}

/** The sheet with the edits laid on it, in their order. */
export function lay(sheet: Sheet, edits: readonly Edit[]): Laid {
  const rows = sheet.rows.map((cells, at): LaidRow => ({ step: rowStep(sheet, cells, at + 1), cells: [...cells], was: new Map(), added: false, by: null, removed: false, moved: false }));
  const missed = edits.filter((edit) => isOf(sheet, edit) && !layOne(sheet, rows, edit));
  return { rows, missed };
}

function layOne(sheet: Sheet, rows: LaidRow[], edit: Edit): boolean {
  const { deed } = edit;
  if (deed.kind === "add") {
    const cells = sheet.columns.map((column) => deed.cells[column] ?? "");
    const place = placeOf(sheet, rows, deed.to);
    rows.splice(place ?? rows.length, 0, { step: rowStep(sheet, cells, rows.length + 1), cells, was: new Map(), added: true, by: edit, removed: false, moved: false });
    return true;
  }
  const { row: step, column } = within(sheet, edit);
  const row = rows[rowAt(sheet, rows, step)];
  if (!row) return false;
  switch (deed.kind) {
    case "set":
      return column >= 0 && setCell(row, column, deed.text);
    case "remove":
      row.removed = true;
      return true;
    case "move":
      return moveRow(sheet, rows, row, deed.to);
    case "rank":
      return column >= 0 && giveRank(rows, row, column, deed.rank);
  }
}

/** Rows keep the name they had before the edits, so that one whose key is changed is still found. */
function rowAt(sheet: Sheet, rows: readonly LaidRow[], step: Step | undefined): number {
  const before = (row: LaidRow): string[] => row.cells.map((cell, column) => row.was.get(column) ?? cell);
  return findRow(sheet, rows.map(before), step);
}

function setCell(row: LaidRow, column: number, text: string): boolean {
  while (row.cells.length <= column) row.cells.push("");
  const was = row.was.get(column) ?? row.cells[column] ?? "";
  row.cells[column] = text;
  if (was === text || row.added) row.was.delete(column);
  else row.was.set(column, was);
  return true;
}

function placeOf(sheet: Sheet, rows: readonly LaidRow[], to: string): number | null {
  const { where, row } = placeRow(to);
  if (where === "first") return 0;
  const at = rowAt(sheet, rows, row ?? undefined);
  if (at < 0) return null;
  return where === "before" ? at : at + 1;
}

function moveRow(sheet: Sheet, rows: LaidRow[], row: LaidRow, to: string): boolean {
  const from = rows.indexOf(row);
  rows.splice(from, 1);
  const place = placeOf(sheet, rows, to);
  rows.splice(place ?? (to === "last" ? rows.length : from), 0, row);
  row.moved = true;
  return place !== null || to === "last";
}

/** As the server gives ranks: those between the old and the new one make room. */
function giveRank(rows: LaidRow[], row: LaidRow, column: number, rank: number): boolean {
  const rankOf = (one: LaidRow): number | null => (/^\s*\d+\s*$/.test(one.cells[column] ?? "") ? Number(one.cells[column]) : null);
  const old = rankOf(row);
  for (const other of rows) {
    const now = rankOf(other);
    if (other === row || now === null || other.removed) continue;
    if (old === null && rank <= now) setCell(other, column, String(now + 1));
    else if (old !== null && old < now && now <= rank) setCell(other, column, String(now - 1));
    else if (old !== null && rank <= now && now < old) setCell(other, column, String(now + 1));
  }
  row.moved = true;
  return setCell(row, column, String(rank));
}

/** A cell gets a text; back to what it was, the edit is gone. */
export function withCell(sheet: Sheet, edits: readonly Edit[], row: LaidRow, column: number, text: string): Edit[] {
  const name = sheet.columns[column] ?? "";
  if (row.added) {
    return edits.map((edit) => (edit === row.by && edit.deed.kind === "add" ? { ...edit, deed: { ...edit.deed, cells: { ...edit.deed.cells, [name]: text } } } : edit));
  }
  return withText(edits, cellAddress(sheet, row.step, column), text, row.was.get(column) ?? row.cells[column] ?? "");
}

/** The value at an address gets a text. */
export function withText(edits: readonly Edit[], at: string, text: string, was: string | null): Edit[] {
  const others = edits.filter((edit) => edit.at !== at || edit.deed.kind !== "set");
  if (text === was) return others;
  const edit: Edit = { at, deed: { kind: "set", text }, found: was };
  const place = edits.findIndex((one) => one.at === at && one.deed.kind === "set");
  return place < 0 ? [...others, edit] : edits.map((one, index) => (index === place ? edit : one));
}

/** A new row behind another, or last; it gets a key that nobody has, and the last rank. */
export function withRow(sheet: Sheet, edits: readonly Edit[], rows: readonly LaidRow[], after: LaidRow | null): Edit[] {
  const cells: Record<string, string> = {};
  if (sheet.key !== null) cells[sheet.columns[sheet.key] ?? ""] = freshKey(rows.map((row) => row.cells[sheet.key ?? 0] ?? ""));
  if (sheet.rank !== null) cells[sheet.columns[sheet.rank] ?? ""] = String(rows.reduce((most, row) => Math.max(most, Number(row.cells[sheet.rank ?? 0] ?? 0) || 0), 0) + 1);
  const to = after && sheet.key !== null && !after.added && !after.removed ? `after ${rowPlace(after.step)}` : "last";
  return [...edits, { at: tableAddress(sheet), deed: { kind: "add", cells, to }, found: null }];
}

function freshKey(keys: readonly string[]): string {
  if (keys.length > 0 && keys.every((key) => /^\d{1,9}$/.test(key))) return String(Math.max(...keys.map(Number)) + 1);
  for (let number = 1; ; number += 1) if (!keys.includes(`NEW-${number}`)) return `NEW-${number}`;
}

/** A row goes; one that was new is as if it had never been. */
export function withoutRow(sheet: Sheet, edits: readonly Edit[], row: LaidRow): Edit[] {
  const at = rowAddress(sheet, row.step);
  const step = rowPlace(row.step);
  const others = edits.filter((edit) => edit !== row.by && !(isOf(sheet, edit) && rowOf(sheet, edit) === step));
  if (row.added) return others;
  const cells = row.cells.map((cell, column) => [sheet.columns[column] ?? `column ${column + 1}`, row.was.get(column) ?? cell] as const);
  return [...others, { at, deed: { kind: "remove" }, found: Object.fromEntries(cells.filter(([, cell]) => cell !== "")) }];
}

/** A row that was removed is kept after all. */
export function keptRow(sheet: Sheet, edits: readonly Edit[], row: LaidRow): Edit[] {
  const at = rowAddress(sheet, row.step);
  return edits.filter((edit) => edit.at !== at || edit.deed.kind !== "remove");
}

function rowOf(sheet: Sheet, edit: Edit): string | null {
  const { row } = within(sheet, edit);
  return row ? rowPlace(row) : null;
}

/** A row gets a rank. Given twice in a row, the last one counts; back to the old one, nothing was done. */
export function withRank(sheet: Sheet, edits: readonly Edit[], row: LaidRow, rank: number): Edit[] {
  const column = sheet.rank ?? 0;
  if (row.added) return withCell(sheet, edits, row, column, String(rank));
  const at = cellAddress(sheet, row.step, column);
  const last = edits.findLast((edit) => edit.deed.kind === "rank");
  const again = last?.at === at;
  const found = again ? last.found : Number(row.cells[column]);
  const others = again ? edits.filter((edit) => edit !== last) : [...edits];
  return found === rank ? others : [...others, { at, deed: { kind: "rank", rank }, found }];
}

/** A row goes behind or before another. */
export function withMove(sheet: Sheet, edits: readonly Edit[], row: LaidRow, to: string): Edit[] {
  const at = rowAddress(sheet, row.step);
  const last = edits.at(-1);
  const others = last?.at === at && last.deed.kind === "move" ? edits.slice(0, -1) : edits;
  return [...others, { at, deed: { kind: "move", to } }];
}

/** As they are sent: what changes the name of a row comes last, since the others go by the name before. */
export function ordered(edits: readonly Edit[]): Edit[] {
  const late = edits.filter(renames);
  return late.length === 0 ? [...edits] : [...edits.filter((edit) => !renames(edit)), ...late];
}

function renames({ at, deed }: Edit): boolean {
  const steps = readAddress(at)?.steps ?? [];
  const [row, last] = steps.slice(-2);
  return deed.kind === "set" && row?.kind === "keys" && last?.kind === "name" && row.keys.some((key) => key.column === last.name);
}

/** The edits of a what-if with unsaved ones on top: what is changed once more replaces what it was changed to. */
export function merged(saved: readonly Edit[], mine: readonly Edit[]): Edit[] {
  return ordered(mine).reduce<Edit[]>((all, edit) => mergedOne(all, edit), [...saved]);
}

function mergedOne(all: Edit[], edit: Edit): Edit[] {
  const place = all.findIndex((one) => sameAddress(one.at, edit.at) && one.deed.kind === edit.deed.kind);
  const earlier = all[place];
  const row = addedRow(all, edit);
  if (edit.deed.kind === "set" && row) return all.map((one) => (one === row.edit ? { ...one, deed: row.with } : one));
  if (edit.deed.kind === "remove" && row) return all.filter((one) => one !== row.edit && !sameRow(one.at, edit.at));
  if (edit.deed.kind === "set" && earlier) {
    const back = earlier.found === edit.deed.text;
    return back ? all.filter((one) => one !== earlier) : all.map((one) => (one === earlier ? { ...earlier, deed: edit.deed } : one));
  }
  const isLastRank = earlier !== undefined && edit.deed.kind === "rank" && all.findLast((one) => one.deed.kind === "rank") === earlier;
  if (isLastRank) return earlier.found === (edit.deed as { rank: number }).rank ? all.filter((one) => one !== earlier) : all.map((one) => (one === earlier ? { ...earlier, deed: edit.deed } : one));
  return [...all, edit];
}

/** The edit that adds the row which another edit is of. */
function addedRow(all: readonly Edit[], edit: Edit): { edit: Edit; with: Deed } | null {
  const address = readAddress(edit.at);
  const at = address?.steps.findIndex((step) => step.kind === "keys") ?? -1;
  const step = address?.steps[at];
  const last = address?.steps[at + 1];
  if (!address || step?.kind !== "keys") return null;
  for (const one of all) {
    if (one.deed.kind !== "add") continue;
    const table = readAddress(one.at);
    const { cells } = one.deed;
    const fits = table?.resource === address.resource && table.steps.length === at && table.steps.every((part, index) => JSON.stringify(part) === JSON.stringify(address.steps[index]));
    if (!fits || !step.keys.every((key) => (key.column === null ? Object.values(cells).includes(key.value) : cells[key.column] === key.value))) continue;
    const column = last?.kind === "name" ? last.name : null;
    const text = edit.deed.kind === "set" ? edit.deed.text : "";
    return { edit: one, with: column === null ? one.deed : { ...one.deed, cells: { ...cells, [column]: text } } };
  }
  return null;
}

/** The same place, though one names the column of the key and the other does not. */
export function sameAddress(one: string, other: string): boolean {
  return one === other || placeKey(one) === placeKey(other);
}

function sameRow(one: string, other: string): boolean {
  return placeKey(one).startsWith(placeKey(other).slice(0, -1));
}

/** The same for all addresses of one place. */
export function placeKey(text: string): string {
  const address = readAddress(text);
  if (!address) return text;
  const steps = address.steps.map((step) => (step.kind === "keys" ? step.keys.map((key) => key.value) : step));
  return JSON.stringify([address.resource, ...steps]);
}
