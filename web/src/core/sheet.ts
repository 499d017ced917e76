// A content as it is edited: its tables with rows that have names, by the rules by which the server finds them
// (docs/whatif-format.md); or its single values, of JSON and TOML.
import { readRow, writeAddress, writeRow, type Step } from "./address";
import { isStacked, linesOf, splitStreams } from "./stacked";
import { delimiter, parseCsv } from "./table";
import { dayOf } from "./plan";

export interface Sheet {
  resource: string;
  /** The streams it is in, from the outside; none for a plain table. */
  path: string[];
  columns: string[];
  /** The column that names rows; null if none does, and rows are counted. */
  key: number | null;
  /** The column of ranks; null if there is none. */
  rank: number | null;
  rows: string[][];
}

/** As many of the first columns may be the key. */
const KEY_MAX = 32;

/** The tables of a text. */
export function sheetsOf(resource: string, text: string): Sheet[] {
  const plain = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const lines = linesOf(plain);
  if (isStacked(lines)) return streams(resource, lines, []);
  const mark = delimiter(lines[0] ?? "");
  const rows = mark === "\t" ? lines.map(tabbed) : parseCsv(plain, mark).filter((row) => row.length > 1 || row[0] !== "");
  return [sheet(resource, [], rows)];
}

function streams(resource: string, lines: readonly string[], path: string[]): Sheet[] {
  const names = new Set<string>();
  return splitStreams(lines).flatMap((stream) => {
    const inner = [...path, apart(names, stream.name)];
    return isStacked(stream.lines) ? streams(resource, stream.lines, inner) : [sheet(resource, inner, stream.lines.map(tabbed))];
  });
}

function tabbed(line: string): string[] {
  return line.replace(/\r$/, "").split("\t");
}

/** Namesakes get a number from the second on. */
function apart(names: Set<string>, name: string): string {
  let other = name;
  for (let number = 2; names.has(other); number += 1) other = `${name} ${number}`;
  names.add(other);
  return other;
}

function sheet(resource: string, path: string[], all: string[][]): Sheet {
  const [first = [], second] = all;
  const named = first.length > 1 && isWords(first) && (second === undefined || (second.some((cell) => cell !== "") && second.length <= first.length));
  const rows = named ? all.slice(1) : all;
  const width = named ? first.length : rows.reduce((most, row) => Math.max(most, row.length), 0);
  const names = new Set<string>();
  const columns = Array.from({ length: width }, (_, at) => apart(names, (named ? first[at] : "") || `column ${at + 1}`));
  return { resource, path, columns, key: keyOf(columns, rows), rank: rankOf(columns, rows), rows };
}

function isWords(row: readonly string[]): boolean {
  const cells = row.map((cell) => cell.trim());
  return new Set(cells).size === cells.length && cells.every((cell) => /^[\p{L}_#%]/u.test(cell) && dayOf(cell) === null);
}

/** The first column whose cells are all filled and unique. */
function keyOf(columns: readonly string[], rows: readonly string[][]): number | null {
  const found = columns.slice(0, KEY_MAX).findIndex((_, column) => {
    const cells = rows.map((row) => row[column] ?? "");
    return cells.length > 0 && cells.every((cell) => cell !== "") && new Set(cells).size === cells.length;
  });
  return found < 0 ? null : found;
}

function rankOf(columns: readonly string[], rows: readonly string[][]): number | null {
  const column = columns.findIndex((name) => name.toLowerCase() === "rank");
  const cells = rows.map((row) => (row[column] ?? "").trim()).filter((cell) => cell !== "");
  return column >= 0 && cells.length > 0 && cells.every((cell) => /^\d+$/.test(cell)) ? column : null;
}

/** How a row is named in an address. The column is told, so that a key declared otherwise does not matter. */
export function rowStep(sheet: Sheet, row: readonly string[], number: number): Step {
  const column = sheet.key === null ? undefined : sheet.columns[sheet.key];
  return column === undefined ? { kind: "row", number } : { kind: "keys", keys: [{ column, value: row[sheet.key ?? 0] ?? "" }] };
}

export function rowAddress(sheet: Sheet, row: Step): string {
  return writeAddress({ resource: sheet.resource, steps: [...sheet.path.map(named), row] });
}

export function cellAddress(sheet: Sheet, row: Step, column: number): string {
  return writeAddress({ resource: sheet.resource, steps: [...sheet.path.map(named), row, named(sheet.columns[column] ?? "")] });
}

export function tableAddress(sheet: Sheet): string {
  return writeAddress({ resource: sheet.resource, steps: sheet.path.map(named) });
}

/** A row as a place of others: `Id=CHK-1`. */
export function rowPlace(row: Step): string {
  return writeRow(row);
}

function named(name: string): Step {
  return { kind: "name", name };
}

/** Which row of a sheet is meant; -1 if none, or several, are. */
export function findRow(sheet: Sheet, rows: readonly (readonly string[])[], step: Step | null | undefined): number {
  if (!step) return -1;
  if (step.kind === "row") return step.number <= rows.length ? step.number - 1 : -1;
  if (step.kind !== "keys") return -1;
  const wanted = step.keys.map((key) => ({ value: key.value, column: key.column === null ? sheet.key : columnAt(sheet, key.column) }));
  const fits = (row: readonly string[]): boolean => wanted.every(({ column, value }) => column !== null && column >= 0 && (row[column] ?? "") === value);
  const first = rows.findIndex(fits);
  return first >= 0 && rows.slice(first + 1).some(fits) ? -1 : first;
}

/** Where a column stands that is named, or numbered as `#4`; -1 if there is none. */
export function columnAt(sheet: Sheet, name: string): number {
  const found = sheet.columns.indexOf(name);
  if (found >= 0) return found;
  const number = Number(/^#(\d+)$/.exec(name)?.[1] ?? NaN);
  return number >= 1 && number <= sheet.columns.length ? number - 1 : -1;
}

export function placeRow(place: string): { where: string; row: Step | null } {
  const [where = "", ...rest] = place.split(" ");
  return { where, row: readRow(rest.join(" ")) };
}

/** A single value of JSON or TOML. */
export interface Leaf {
  at: string;
  /** The names on the way to it. */
  path: string[];
  text: string;
}

const LEAVES_MAX = 2_000;

/** The values of a JSON text that are no objects or arrays, letter by letter; null if it is no JSON. */
export function jsonLeaves(resource: string, text: string): Leaf[] | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s"[\]{}:,]+/g) ?? [];
  const leaves: Leaf[] = [];
  let at = 0;
  const value = (path: string[]): void => {
    const token = tokens[at++] ?? "";
    if (token !== "{" && token !== "[") {
      if (leaves.length < LEAVES_MAX) leaves.push(leaf(resource, path, token.startsWith('"') ? (JSON.parse(token) as string) : token));
      return;
    }
    for (let index = 0; tokens[at] !== "}" && tokens[at] !== "]"; index += 1) {
      if (tokens[at] === ",") at += 1;
      const name = token === "{" ? (JSON.parse(tokens[at] ?? '""') as string) : String(index);
      if (token === "{") at += 2;
      value([...path, name]);
    }
    at += 1;
  };
  value([]);
  return leaves;
}

function leaf(resource: string, path: string[], text: string): Leaf {
  const pointer = path.map((name) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  return { at: `${resource}:${pointer}`, path, text };
}

/** The values of a TOML text that stand on a line of their own; what is written otherwise is reached by its address. */
export function tomlLeaves(resource: string, text: string): Leaf[] {
  const leaves: Leaf[] = [];
  let table: string[] | null = [];
  for (const line of linesOf(text)) {
    const heading = /^\s*\[(.*)\]\s*(?:#.*)?$/.exec(line);
    if (heading) {
      const name = heading[1] ?? "";
      table = /^[\w-]+(?:\.[\w-]+)*$/.test(name) ? name.split(".") : null;
      continue;
    }
    const pair = /^\s*([\w-]+)\s*=\s*("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#"'[{][^#]*?)\s*(?:#.*)?$/.exec(line);
    if (table === null || !pair) continue;
    leaves.push(leaf(resource, [...table, pair[1] ?? ""], unquoted(pair[2] ?? "")));
  }
  return leaves.slice(0, LEAVES_MAX);
}

function unquoted(text: string): string {
  if (text.startsWith("'")) return text.slice(1, -1);
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1);
  }
}
