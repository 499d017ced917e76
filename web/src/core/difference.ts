// Differences as the hub tells them (docs/protocol.md, "Differences"): JSON lines read into what is shown, table by table or as a tree.
import { FormatError } from "./stacked";

export interface CellChange {
  column: string;
  /** null where there was no such column. */
  old: string | null;
  new: string | null;
}

export interface RowChange {
  kind: "added" | "removed" | "changed" | "moved";
  /** What the row is known by: its key's columns, or its place. */
  name: string;
  key: Readonly<Record<string, string>> | null;
  row: number;
  /** All cells of a row that came or went. */
  cells: Readonly<Record<string, string>>;
  changes: CellChange[];
  /** Of a row that moved: from where to where. */
  from: number;
  to: number;
}

export interface TableChanges {
  /** Empty for a content that is one table. */
  stream: string;
  key: string[];
  columns: string[];
  note: string;
  /** What happened to the table as a whole, in words. */
  facts: string[];
  rows: RowChange[];
}

export interface JsonChange {
  op: "add" | "remove" | "replace" | "move";
  path: string[];
  old: unknown;
  new: unknown;
  from: number;
  to: number;
}

export interface Changes {
  tables: TableChanges[];
  json: JsonChange[];
  /** How many are told, where there are more. */
  cut: number | null;
}

type Line = Record<string, unknown>;

/** The changes one by one, as they are told. */
export function readLines(text: string): Line[] {
  return text.split("\n").flatMap((line, index) => (line === "" ? [] : [parsed(line, index + 1)]));
}

export function readChanges(text: string): Changes {
  const changes: Changes = { tables: [], json: [], cut: null };
  const tables = new Map<string, TableChanges>();
  const rows = new Map<string, RowChange>();
  for (const line of readLines(text)) take(line, changes, { tables, rows });
  changes.tables = [...tables.values()].filter((table) => table.rows.length > 0 || table.facts.length > 0);
  return changes;
}

function take(line: Line, changes: Changes, known: { tables: Map<string, TableChanges>; rows: Map<string, RowChange> }): void {
  const table = (): TableChanges => tableOf(word(line["stream"]), known.tables);
  const row = (kind: RowChange["kind"]): RowChange => rowOf(line, kind, table(), known.rows);
  switch (line["op"]) {
    case "table":
      Object.assign(table(), { key: words(line["key"]), columns: words(line["columns"]), note: word(line["note"]) });
      break;
    case "cell":
      row("changed").changes.push({ column: word(line["column"]), old: wordOrNull(line["old"]), new: wordOrNull(line["new"]) });
      break;
    case "row-add":
      row("added");
      break;
    case "row-remove":
      row("removed");
      break;
    case "row-move":
      Object.assign(row("moved"), { from: count(line["from"]), to: count(line["to"]) });
      break;
    case "column-add":
      table().facts.push(`column ${word(line["column"])} is new`);
      break;
    case "column-remove":
      table().facts.push(`column ${word(line["column"])} is gone`);
      break;
    case "column-move":
      table().facts.push(`column ${word(line["column"])} has moved from place ${count(line["from"])} to ${count(line["to"])}`);
      break;
    case "stream-add":
      table().facts.push("this stream is new");
      break;
    case "stream-remove":
      table().facts.push(`this stream is gone, with ${count(line["rows"])} rows`);
      break;
    case "stream-move":
      table().facts.push(`this stream has moved from place ${count(line["from"])} to ${count(line["to"])}`);
      break;
    case "add":
    case "remove":
    case "replace":
    case "move":
      changes.json.push({ op: line["op"], path: pointer(word(line["path"])), old: line["old"], new: line["new"], from: count(line["from"]), to: count(line["to"]) });
      break;
    case "cut":
      changes.cut = count(line["changes"]);
      break;
    // Kinds that are not known yet are skipped, as the protocol asks.
  }
}

function tableOf(stream: string, tables: Map<string, TableChanges>): TableChanges {
  const found = tables.get(stream) ?? { stream, key: [], columns: [], note: "", facts: [], rows: [] };
  tables.set(stream, found);
  return found;
}

/** The row that a line tells of; the cells of one row come in lines of their own. */
function rowOf(line: Line, kind: RowChange["kind"], table: TableChanges, rows: Map<string, RowChange>): RowChange {
  const key = cellsOf(line["key"]);
  const row = count(line["row"]);
  const name = key === null ? `row ${row || count(line["to"])}` : Object.values(key).join(" · ");
  const id = JSON.stringify([table.stream, key, key === null ? [kind, row, line["from"]] : kind === "added" || kind === "removed" ? kind : ""]);
  const found = rows.get(id);
  if (found) {
    if (kind === "moved") found.kind = found.changes.length > 0 ? "changed" : "moved";
    return found;
  }
  const made: RowChange = { kind, name, key, row, cells: cellsOf(line["cells"]) ?? {}, changes: [], from: 0, to: 0 };
  rows.set(id, made);
  table.rows.push(made);
  return made;
}

/** How many of what changed: for one line of words. */
export function summaryOf({ tables, json, cut }: Changes): string {
  const rows = tables.flatMap((table) => table.rows);
  const number = (kind: RowChange["kind"]): number => rows.filter((row) => row.kind === kind).length;
  const cells = rows.reduce((sum, row) => sum + row.changes.length, 0);
  const parts = [
    some(cells, "cell changed", "cells changed"),
    some(number("added"), "row added", "rows added"),
    some(number("removed"), "row removed", "rows removed"),
    some(number("moved"), "row moved", "rows moved"),
    some(tables.reduce((sum, table) => sum + table.facts.length, 0), "change of columns or streams", "changes of columns or streams"),
    some(json.length, "value changed", "values changed"),
  ].filter((part) => part !== "");
  const told = parts.join(", ") || "nothing changed";
  return cut === null ? told : `${told}; more than the ${cut} changes that are told`;
}

/** The columns worth showing: the key's, those with changes, and all where whole rows came or went. */
export function columnsOf(table: TableChanges): string[] {
  const isWhole = table.rows.some((row) => row.kind === "added" || row.kind === "removed");
  const changed = new Set(table.rows.flatMap((row) => (isWhole ? [...row.changes.map((one) => one.column), ...Object.keys(row.cells)] : row.changes.map((one) => one.column))));
  const rest = table.columns.filter((column) => !table.key.includes(column) && changed.has(column));
  const unknown = [...changed].filter((column) => !table.columns.includes(column) && !table.key.includes(column));
  return [...table.key, ...rest, ...unknown];
}

/** A node of a tree of JSON changes: what changed here, and what below. */
export interface JsonNode {
  name: string;
  changes: JsonChange[];
  below: JsonNode[];
}

export function treeOf(changes: readonly JsonChange[]): JsonNode {
  const root: JsonNode = { name: "", changes: [], below: [] };
  for (const change of changes) {
    let node = root;
    for (const name of change.path) {
      const found = node.below.find((one) => one.name === name) ?? { name, changes: [], below: [] };
      if (!node.below.includes(found)) node.below.push(found);
      node = found;
    }
    node.changes.push(change);
  }
  return root;
}

function parsed(line: string, number: number): Line {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new FormatError(`line ${number} of the difference is no JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new FormatError(`line ${number} of the difference is no object`);
  return value as Line;
}

function pointer(path: string): string[] {
  return path === "" ? [] : path.slice(1).split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function cellsOf(value: unknown): Record<string, string> | null {
  if (typeof value !== "object" || value === null) return null;
  return Object.fromEntries(Object.entries(value).map(([name, cell]) => [name, word(cell)]));
}

function word(value: unknown): string {
  return typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
}

function wordOrNull(value: unknown): string | null {
  return value === undefined || value === null ? null : word(value);
}

function words(value: unknown): string[] {
  return Array.isArray(value) ? value.map(word) : [];
}

function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function some(number: number, one: string, many: string): string {
  return number === 0 ? "" : `${number} ${number === 1 ? one : many}`;
}
