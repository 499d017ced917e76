// Reads CSV, TSV and stacked streams into tables of text; sorts, filters and compares them.
import { dayOf } from "./plan";
import type { Sort } from "./route";
import { has, sorted, wordsOf } from "./rows";
import { isStacked, linesOf, splitStreams } from "./stacked";

export interface Table {
  /** Name of the stream; empty for a plain file. */
  name: string;
  rows: string[][];
}

/** A table with its heading apart. `rows` carry their place in the file. */
export interface Headed {
  header: string[];
  /** The heading was in the file, not made up. */
  named: boolean;
  rows: Row[];
}

export interface Row {
  index: number;
  cells: string[];
}

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

export function tablesOf(text: string): Table[] {
  const plain = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const lines = linesOf(plain);
  if (isStacked(lines)) return leaves(lines, "");
  const mark = delimiter(lines[0] ?? "");
  return [{ name: "", rows: mark === "\t" ? lines.map(tabbed) : parseCsv(plain, mark) }];
}

/** The innermost streams, named by their path; a number tells namesakes apart. */
function leaves(lines: readonly string[], path: string): Table[] {
  const streams = splitStreams(lines);
  const seen = new Map<string, number>();
  return streams.flatMap((stream) => {
    const nth = (seen.get(stream.name) ?? 0) + 1;
    seen.set(stream.name, nth);
    const alone = streams.filter((other) => other.name === stream.name).length === 1;
    const name = `${path}${stream.name}${alone ? "" : ` ${nth}`}`;
    return isStacked(stream.lines) ? leaves(stream.lines, `${name} › `) : [{ name, rows: stream.lines.map(tabbed) }];
  });
}

function tabbed(line: string): string[] {
  return line.replace(/\r$/, "").split("\t");
}

/** Tab before semicolon before comma, by what the first line holds. */
export function delimiter(line: string): string {
  if (line.includes("\t")) return "\t";
  return line.split(";").length > line.split(",").length ? ";" : ",";
}

/** RFC 4180, with any delimiter; a quote inside an unquoted field is an ordinary character. */
export function parseCsv(text: string, mark: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let place = 0;
  while (place < text.length) {
    const [inside, close] = text[place] === '"' ? quoted(text, place) : ["", place];
    const [rest, after] = unquoted(text, close, mark);
    row.push(inside + rest);
    place = after + 1;
    if (text[after] === mark) {
      if (place >= text.length) row.push("");
      continue;
    }
    if (text[after] === "\r" && text[place] === "\n") place += 1;
    rows.push(row);
    row = [];
  }
  if (row.length > 0) rows.push(row);
  return rows;
}

function unquoted(text: string, from: number, mark: string): [string, number] {
  let end = from;
  while (end < text.length && text[end] !== mark && text[end] !== "\n" && !(text[end] === "\r" && text[end + 1] === "\n")) end += 1;
  return [text.slice(from, end), end];
}

function quoted(text: string, from: number): [string, number] {
  let cell = "";
  let place = from + 1;
  for (;;) {
    const quote = text.indexOf('"', place);
    if (quote < 0) return [cell + text.slice(place), text.length];
    cell += text.slice(place, quote);
    if (text[quote + 1] !== '"') return [cell, quote + 1];
    cell += '"';
    place = quote + 2;
  }
}

/** The table of this name; without one, the largest. */
export function chosen(tables: readonly Table[], wanted: string | null): Table {
  const largest = tables.reduce<Table | undefined>((most, one) => (most && most.rows.length >= one.rows.length ? most : one), undefined);
  return tables.find((one) => one.name === wanted) ?? largest ?? { name: "", rows: [] };
}

/** Takes the first row for a heading when `wanted`, or, when that is null, when it looks like one. */
export function headed(table: Table, wanted: boolean | null): Headed {
  const width = table.rows.reduce((most, row) => Math.max(most, row.length), 0);
  const first = table.rows[0];
  const named = first !== undefined && (wanted ?? looksLikeHeading(table.rows));
  const header = Array.from({ length: width }, (_, index) => (named ? first[index] : undefined) ?? `column ${index + 1}`);
  const rows = table.rows.map((cells, index): Row => ({ index, cells }));
  return { header, named, rows: named ? rows.slice(1) : rows };
}

function looksLikeHeading(rows: readonly string[][]): boolean {
  const first = rows[0] ?? [];
  const words = first.every((cell) => /^[\p{L}_#%][^\t]*$/u.test(cell.trim()) && dayOf(cell) === null);
  const unique = new Set(first.map((cell) => cell.trim())).size === first.length;
  const second = rows[1];
  const wide = second !== undefined && second.length <= first.length && first.length > 1;
  return words && unique && wide && second.some((cell) => !Number.isNaN(numeric(cell)) || cell.length > 0);
}

export function tableRows(rows: readonly Row[], find: string, sort: Sort | null): Row[] {
  const words = wordsOf(find);
  const shown = words.length === 0 ? [...rows] : rows.filter((row) => has(row.cells.join(" "), words));
  if (sort === null) return shown;
  const column = Number(sort.column);
  return sorted(shown, (a, b) => compareCells(a.cells[column] ?? "", b.cells[column] ?? "", sort.down), sort.down);
}

/** Numbers as numbers, dates as dates, the rest as text; empty cells come last in both directions. */
export function compareCells(a: string, b: string, down = false): number {
  if (a === b) return 0;
  if (a === "" || b === "") return (a === "" ? 1 : -1) * (down ? -1 : 1);
  const x = numeric(a);
  const y = numeric(b);
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  if (!Number.isNaN(x) || !Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
  const before = dayOf(a);
  const after = dayOf(b);
  return before !== null && after !== null ? before - after : collator.compare(a, b);
}

/** A cell as a number; NaN if it is none. */
export function numeric(cell: string): number {
  return cell.trim() === "" ? NaN : Number(cell);
}

export function isNumeric(rows: readonly Row[], column: number): boolean {
  const filled = rows.slice(0, 200).map((row) => row.cells[column] ?? "").filter((cell) => cell !== "");
  return filled.length > 0 && filled.every((cell) => !Number.isNaN(numeric(cell)));
}

/** What changed, by `${row index}\n${column}`, with the text it had before. Rows are matched by their first cell when that is unique. */
export function tableChanges(before: readonly Row[], after: readonly Row[]): Map<string, string> {
  const keyed = unique(before) && unique(after);
  const key = (row: Row): string => (keyed ? (row.cells[0] ?? "") : String(row.index));
  const old = new Map(before.map((row) => [key(row), row]));
  const changes = new Map<string, string>();
  for (const row of after) {
    const was = old.get(key(row));
    for (const [column, cell] of row.cells.entries()) {
      const text = was?.cells[column] ?? "";
      if (text !== cell) changes.set(`${row.index}\n${column}`, text);
    }
  }
  return changes;
}

/** Which columns are left out, as the URL has it: their numbers. Never all of them. */
export function readHidden(text: string | null, width: number): ReadonlySet<number> {
  const numbers = (text ?? "").split(",").filter((part) => /^\d+$/.test(part)).map(Number);
  const hidden = new Set(numbers.filter((column) => column < width));
  return hidden.size < width ? hidden : new Set();
}

export function writeHidden(hidden: ReadonlySet<number>): string | null {
  return hidden.size === 0 ? null : [...hidden].sort((a, b) => a - b).join(",");
}

/** Rows and the columns of them that are shown, with the heading if there is one, as other programs read them. */
export interface Taken {
  header: readonly string[] | null;
  rows: readonly Row[];
  columns: readonly number[];
}

/** RFC 4180. */
export function toCsv(taken: Taken): string {
  return written(taken, ",", "\r\n", (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell));
}

/** As spreadsheets take it from the clipboard: a cell is one line there. */
export function toTabbed(taken: Taken): string {
  return written(taken, "\t", "\n", (cell) => cell.replaceAll(/[\t\r\n]+/g, " "));
}

function written({ header, rows, columns }: Taken, mark: string, end: string, write: (cell: string) => string): string {
  const lines = [...(header ? [header] : []), ...rows.map((row) => row.cells)];
  return lines.map((cells) => columns.map((column) => write(cells[column] ?? "")).join(mark) + end).join("");
}

function unique(rows: readonly Row[]): boolean {
  return new Set(rows.map((row) => row.cells[0])).size === rows.length;
}
