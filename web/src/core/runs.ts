// What /api/runs says, read into typed values; and how what is known of the newest runs is joined with what came since.
import { Field, readMade, string, type Made } from "./wire";

export const ENDS = ["stored", "unchanged", "retry", "problem"] as const;
export type Ended = (typeof ENDS)[number];

/** A run that is over. */
export interface PastRun {
  id: string;
  stage: string;
  ended: Ended;
  started: number;
  durationMs: number;
  inputs: Made[];
  outputs: Made[];
  /** null where it is not known: only what was stored tells it. */
  host: string | null;
  warnings: string[];
  failure: Failure | null;
}

export interface Failure {
  summary: string;
  hint: string;
  count: number;
  since: number;
  retryAt: number | null;
}

export interface RunList {
  runs: PastRun[];
  /** Where the list goes on; null at its end. */
  next: string | null;
}

/** A run with what its program said at the end. */
export interface RunDetail {
  run: PastRun;
  detail: string;
}

/** How a run ended: a shape and words. */
export const ENDINGS: Record<Ended, { shape: string; word: string; bad: boolean }> = {
  stored: { shape: "●", word: "stored", bad: false },
  unchanged: { shape: "○", word: "unchanged", bad: false },
  retry: { shape: "↻", word: "failed, tried again", bad: true },
  problem: { shape: "✕", word: "failed", bad: true },
};

export function readRuns(text: string): RunList {
  const field = new Field(JSON.parse(text), "");
  return { runs: field.get("runs").list(readPastRun), next: field.get("next").orNull(string) };
}

export function readDetail(text: string): RunDetail {
  const field = new Field(JSON.parse(text), "");
  return { run: readPastRun(field), detail: field.get("detail").text() };
}

function readPastRun(field: Field): PastRun {
  const ended = field.get("ended").string();
  return {
    id: field.get("id").string(),
    stage: field.get("stage").string(),
    // An end this page does not know is safest shown as none that is good.
    ended: ENDS.find((known) => known === ended) ?? "problem",
    started: field.get("started").time(),
    durationMs: field.get("duration_ms").number(),
    inputs: field.get("inputs").list(readMade),
    outputs: field.get("outputs").list(readMade),
    host: field.get("host").orNull(string),
    warnings: field.get("warnings").list(string),
    failure: field.get("summary").missing() ? null : readFailure(field),
  };
}

function readFailure(field: Field): Failure {
  return {
    summary: field.get("summary").string(),
    hint: field.get("hint").text(),
    count: field.get("count").number(),
    since: field.get("since").time(),
    retryAt: field.get("retry_at").orNull((time) => time.time()),
  };
}

/** The newest runs and, if they reach as far as what is known, that too: what was loaded once is not asked for again. */
export function joined(known: RunList | null, newest: RunList): RunList {
  const last = newest.runs[newest.runs.length - 1];
  const place = last ? (known?.runs.findIndex((run) => run.id === last.id) ?? -1) : -1;
  if (!known || place < 0 || newest.next === null) return newest;
  return { runs: [...newest.runs, ...known.runs.slice(place + 1)], next: known.next };
}

/** The exit code that a program's failure tells; null where it tells none. */
export function exitCode(summary: string): string | null {
  return /\bexited (?:with )?(\d+)/.exec(summary)?.[1] ?? null;
}

/** What is searched for: the stage, how it ended, the resources and revisions, the summary. */
export function runText(run: PastRun): string {
  const versions = [...run.inputs, ...run.outputs].map((made) => `${made.resource} ${made.revision}`);
  return [run.stage, ENDINGS[run.ended].word, run.host ?? "", run.failure?.summary ?? "", ...versions].join(" ");
}
