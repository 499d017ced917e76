// What a what-if says of itself on /api/whatif, read into values; its changes in words, and as they are sent.
import { sayAddress } from "./address";
import { duration } from "./format";
import { Field, readWhatIf, string, type WhatIf, type WhatIfState } from "./wire";

export type Deed =
  | { kind: "set"; text: string }
  | { kind: "add"; cells: Record<string, string>; to: string }
  | { kind: "remove" }
  | { kind: "move"; to: string }
  | { kind: "rank"; rank: number };

/** What an edit found: null if nothing, undefined if that is not known yet. */
export type Found = string | number | Record<string, string> | null | undefined;

export interface Edit {
  at: string;
  deed: Deed;
  found?: Found;
}

export interface Trial {
  stage: string;
  ended: string;
  durationMs: number;
  summary: string;
  hint: string;
  detail: string;
  warnings: string[];
}

export interface Conflict {
  /** The number of the edit; 0 for contents replaced as a whole. */
  edit: number;
  at: string;
  kind: string;
  base: string | null;
  theirs: string | null;
  mine: string | null;
}

export interface Answer {
  number: number;
  revision: string | null;
  summary: string;
  conflicts: Conflict[];
}

/** All of a what-if. */
export interface WhatIfCase extends Omit<WhatIf, "head"> {
  edits: Edit[];
  inputs: string[];
  files: string[];
  hint: string;
  skipped: string[];
  edited: string[];
  runs: Trial[];
  ask: { number: number; what: string; settle: { edit: number; side: string }[] } | null;
  answer: Answer | null;
  applied: string | null;
}

export function readCase(text: string): WhatIfCase {
  const field = new Field(JSON.parse(text), "");
  const { head: _, ...brief } = readWhatIf(field);
  return {
    ...brief,
    edits: field.get("edits").list(readEdit),
    inputs: field.get("inputs").list(string),
    files: field.get("files").list(string),
    hint: field.get("hint").text(),
    skipped: field.get("skipped").list(string),
    edited: field.get("edited").list(string),
    runs: field.get("runs").list(readTrial),
    ask: field.get("ask").orNull((ask) => ({
      number: ask.get("number").number(),
      what: ask.get("what").string(),
      settle: ask.get("settle").list((one) => ({ edit: one.get("edit").number(), side: one.get("side").string() })),
    })),
    answer: field.get("answer").orNull((answer) => ({
      number: answer.get("number").number(),
      revision: answer.get("revision").orNull(string),
      summary: answer.get("summary").text(),
      conflicts: answer.get("conflicts").list(readConflict),
    })),
    applied: field.get("applied").orNull(string),
  };
}

function readTrial(field: Field): Trial {
  return {
    stage: field.get("stage").string(),
    ended: field.get("ended").text(),
    durationMs: field.get("duration_ms").orNull((ms) => ms.number()) ?? 0,
    summary: field.get("summary").text(),
    hint: field.get("hint").text(),
    detail: field.get("detail").text(),
    warnings: field.get("warnings").list((one) => one.text()),
  };
}

function readConflict(field: Field): Conflict {
  const side = (name: string): string | null => field.get(name).orNull((text) => text.string());
  return { edit: field.get("edit").number(), at: field.get("at").text(), kind: field.get("kind").text(), base: side("base"), theirs: side("theirs"), mine: side("mine") };
}

export function readEdit(field: Field): Edit {
  const edit: Edit = { at: field.get("at").string(), deed: readDeed(field) };
  const found = field.get("found");
  const value = found.plain();
  if (value !== undefined) edit.found = value === null || typeof value === "string" || typeof value === "number" ? value : readCells(found);
  return edit;
}

function readDeed(field: Field): Deed {
  const has = (name: string): boolean => !field.get(name).missing();
  if (has("set")) return { kind: "set", text: field.get("set").string() };
  if (has("add")) return { kind: "add", cells: readCells(field.get("add")), to: field.get("to").text() || "last" };
  if (has("move")) return { kind: "move", to: field.get("move").string() };
  if (has("rank")) return { kind: "rank", rank: field.get("rank").number() };
  return { kind: "remove" };
}

function readCells(field: Field): Record<string, string> {
  return Object.fromEntries(field.entries().map(([column, cell]) => [column, cell.string()]));
}

/** An edit as the server takes it. */
export function editJson({ at, deed }: Edit): Record<string, unknown> {
  switch (deed.kind) {
    case "set":
      return { at, set: deed.text };
    case "add":
      return { at, add: deed.cells, to: deed.to };
    case "remove":
      return { at, remove: true };
    case "move":
      return { at, move: deed.to };
    case "rank":
      return { at, rank: deed.rank };
  }
}

/** An edit in words: what is done, what was there, what will be. A text is null where the words say it all. */
export interface EditWords {
  resource: string;
  where: string;
  deed: string;
  was: string | null;
  is: string | null;
}

export function sayEdit({ at, deed, found }: Edit): EditWords {
  const said = sayAddress(at);
  switch (deed.kind) {
    case "set":
      return { ...said, deed: found === null ? "new" : "set", was: typeof found === "string" ? found : null, is: deed.text };
    case "add":
      return { ...said, deed: "add a row", was: null, is: cellsLine(deed.cells) };
    case "remove":
      return { ...said, deed: "remove", was: typeof found === "string" ? found : found !== null && typeof found === "object" ? cellsLine(found) : null, is: null };
    case "move":
      return { ...said, deed: "move", was: typeof found === "string" ? placeLine(found) : null, is: placeLine(deed.to) };
    case "rank":
      return { ...said, deed: "rank", was: typeof found === "number" ? String(found) : null, is: String(deed.rank) };
  }
}

/** One line for a list or a reader: `Work › CHK-1 › Estimate: Design:2 → Server:3`. */
export function editLine(edit: Edit): string {
  const { where, deed, was, is } = sayEdit(edit);
  const word = deed === "set" || deed === "new" ? "" : `${deed} `;
  if (is === null) return `${word}${where}`;
  return `${word}${where}: ${was === null ? "" : `${was || "empty"} → `}${is || "empty"}`;
}

function cellsLine(cells: Record<string, string>): string {
  return Object.entries(cells).map(([column, cell]) => `${column} ${cell || "empty"}`).join(", ");
}

function placeLine(place: string): string {
  const [where = "", ...rest] = place.split(" ");
  if (where !== "after" && where !== "before") return where;
  return `${where} ${rest.join(" ").replace(/^[^="]*=/, "")}`;
}

/** How a state is shown: a shape and a word, never a colour alone. */
export const STATE_SIGNS: Record<WhatIfState, { shape: string; word: string }> = {
  computing: { shape: "◌", word: "computing" },
  done: { shape: "●", word: "computed" },
  problem: { shape: "✕", word: "a stage failed" },
  invalid: { shape: "⊘", word: "cannot be made" },
  applied: { shape: "✓", word: "applied" },
};

export function runLine(run: Trial): string {
  return `${run.stage}: ${run.ended} in ${duration(run.durationMs)}`;
}

/** How long until then, in words; `null` is for good. */
export function lasts(expires: number | null, now: number): string {
  if (expires === null) return "kept for good";
  const hours = (expires - now) / 3_600_000;
  if (hours <= 0) return "expired";
  if (hours < 48) return `${Math.max(1, Math.round(hours))} h left`;
  return `${Math.round(hours / 24)} days left`;
}
