// What the server says on /api and in the live model `project`, read into typed values. Times become milliseconds since 1970 here and
// nowhere else. Knows nothing of sockets, stores or components.
import type { Cluster } from "./cluster";
import { FormatError } from "./stacked";

export interface Made {
  resource: string;
  revision: string;
}

/** One version of a resource and where it came from. */
export interface Version extends Made {
  previous: string | null;
  blob: string;
  size: number;
  contentType: string | null;
  time: number;
  author: string;
  summary: string;
  /** The stage that made it; null when someone put it. */
  stage: string | null;
  /** The program and its arguments, or what a source read; empty when someone put it. */
  program: string;
  /** The hash of the program's files in the project; empty if there are none. */
  code: string;
  /** The esker that ran it, and on which machine. */
  engine: string;
  host: string;
  inputs: Made[];
  durationMs: number | null;
}

export const STAGE_STATES = ["fresh", "stale", "waiting", "problem", "retry"] as const;
export type StageState = (typeof STAGE_STATES)[number];

export interface Stage {
  name: string;
  kind: "source" | "stage";
  inputs: string[];
  outputs: string[];
  program: string;
  /** null where it cannot be known: in the past. */
  state: StageState | null;
  behind: boolean;
}

/** A run in progress. */
export interface Run {
  /** The source or stage. */
  stage: string;
  since: number;
  /** What its program tells of how far it is. */
  progress: string;
}

/** What somebody has said of a problem. */
export interface Stance {
  by: string;
  at: number;
  note: string;
  /** null if it holds until the problem changes. */
  until: number | null;
}

export interface Problem {
  id: string;
  stage: string;
  summary: string;
  hint: string;
  detail: string;
  count: number;
  since: number;
  retryAt: number | null;
  acknowledged: Stance | null;
  muted: Stance | null;
}

export const WHAT_IF_STATES = ["computing", "done", "problem", "invalid", "applied"] as const;
export type WhatIfState = (typeof WHAT_IF_STATES)[number];

/** What a list tells of a what-if. */
export interface WhatIf {
  id: string;
  title: string;
  owner: string;
  created: number;
  /** null if it is kept until somebody discards it. */
  expires: number | null;
  base: string;
  /** The version of what it says of itself: who amends it says which one they have read. */
  about: string;
  changes: number;
  state: WhatIfState;
  summary: string;
  /** The newest commit of its branch. */
  head: string;
}

export interface View {
  name: string;
  title: string;
  resource: string;
  /** `plan`, `chart`, `table` or `text`; one this page does not know is shown as text. */
  kind: string;
}

/** What the page shows of a project. */
export interface State {
  project: string;
  version: string;
  head: string | null;
  resources: Version[];
  stages: Stage[];
  runs: Run[];
  problems: Problem[];
  warnings: string[];
  views: View[];
  whatIfs: WhatIf[];
  /** How the cluster stands; null where this server takes part in none. */
  cluster: Cluster | null;
  /** Whether something pulls and computes; a server that does not say has one. */
  runner: boolean;
  /** Whether it has pages of its own, at /app/. */
  app: boolean;
  /** As of when, if this is an excavation: nothing here is of now. */
  asOf: string | null;
}

/** What there was at a commit. */
export interface Listing {
  /** The commit; null if there is none yet. */
  at: string | null;
  entries: Version[];
}

/** A JSON value and its place, for errors that say where. */
export class Field {
  constructor(
    private readonly value: unknown,
    private readonly place: string,
  ) {}

  get(name: string): Field {
    const { value } = this;
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw this.wrong("an object");
    return new Field((value as Record<string, unknown>)[name], this.place === "" ? name : `${this.place}.${name}`);
  }

  string(): string {
    if (typeof this.value !== "string") throw this.wrong("a text");
    return this.value;
  }

  /** Also a text that may be left out. */
  text(): string {
    return this.missing() ? "" : this.string();
  }

  number(): number {
    if (typeof this.value !== "number") throw this.wrong("a number");
    return this.value;
  }

  time(): number {
    const time = Date.parse(this.string());
    if (Number.isNaN(time)) throw this.wrong("a time");
    return time;
  }

  list<T>(read: (item: Field) => T): T[] {
    if (this.missing()) return [];
    if (!Array.isArray(this.value)) throw this.wrong("a list");
    return this.value.map((item, index) => read(new Field(item, `${this.place}[${index}]`)));
  }

  orNull<T>(read: (field: Field) => T): T | null {
    return this.missing() ? null : read(this);
  }

  /** What is in a dict, by key; nothing if it is missing. */
  entries(): [string, Field][] {
    const { value } = this;
    if (this.missing()) return [];
    if (typeof value !== "object" || Array.isArray(value)) throw this.wrong("an object");
    return Object.keys(value as object).map((name) => [name, this.get(name)]);
  }

  /** The value itself: null is not the same as none here. */
  plain(): unknown {
    return this.value;
  }

  /** What it stands for, to know it by. */
  object(): object | null {
    return typeof this.value === "object" ? this.value : null;
  }

  missing(): boolean {
    return this.value === undefined || this.value === null;
  }

  true(): boolean {
    return this.value === true;
  }

  private wrong(wanted: string): FormatError {
    const found = describe(this.value);
    return new FormatError(`"${this.place || "message"}" must be ${wanted}, found ${found.slice(0, 60)}`);
  }
}

function describe(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? String(part) : part)) ?? "nothing";
}

export function readLog(text: string): Version[] {
  return new Field(JSON.parse(text), "").get("entries").list(readVersion);
}

export function readListing(text: string): Listing {
  const field = new Field(JSON.parse(text), "");
  return { at: field.get("at").orNull(string), entries: field.get("entries").list(readVersion) };
}

export const string = (field: Field): string => field.string();

export function readVersion(field: Field): Version {
  return {
    ...readMade(field),
    previous: field.get("previous").orNull(string),
    blob: field.get("blob").text(),
    size: field.get("size").number(),
    contentType: field.get("content_type").orNull(string),
    time: field.get("time").time(),
    author: field.get("author").text(),
    summary: field.get("summary").text(),
    stage: field.get("stage").orNull(string),
    program: field.get("program").text(),
    code: field.get("code").text(),
    engine: field.get("engine").text(),
    host: field.get("host").text(),
    inputs: field.get("inputs").list(readMade),
    durationMs: field.get("duration_ms").orNull((ms) => ms.number()),
  };
}

export function readMade(field: Field): Made {
  return { resource: field.get("resource").string(), revision: field.get("revision").string() };
}

export function readStage(field: Field): Stage {
  const state = field.get("state").string();
  return {
    name: field.get("name").string(),
    kind: field.get("kind").text() === "source" ? "source" : "stage",
    inputs: field.get("inputs").list(string),
    outputs: field.get("outputs").list(string),
    program: field.get("program").text(),
    // A state this page does not know is safest shown as not up to date.
    state: STAGE_STATES.find((known) => known === state) ?? "stale",
    behind: field.get("behind").true(),
  };
}

export function readProblem(field: Field): Problem {
  return {
    id: field.get("id").string(),
    stage: field.get("stage").text(),
    summary: field.get("summary").string(),
    hint: field.get("hint").text(),
    detail: field.get("detail").text(),
    count: field.get("count").orNull((count) => count.number()) ?? 1,
    since: field.get("since").time(),
    retryAt: field.get("retry_at").orNull((time) => time.time()),
    acknowledged: field.get("acknowledged").orNull(readStance),
    muted: field.get("muted").orNull(readStance),
  };
}

function readStance(field: Field): Stance {
  return {
    by: field.get("by").text(),
    at: field.get("at").time(),
    note: field.get("note").text(),
    until: field.get("until").orNull((time) => time.time()),
  };
}

interface Settled {
  acknowledged: Stance | null;
  muted: Stance | null;
}

/** Those that nobody has muted for now. */
export function heard<P extends Settled>(problems: readonly P[], now: number): P[] {
  return problems.filter((problem) => holding(problem.muted, now) === null);
}

/** Those of them that nobody has acknowledged yet: somebody has to look. */
export function pressing<P extends Settled>(problems: readonly P[], now: number): P[] {
  return heard(problems, now).filter((problem) => holding(problem.acknowledged, now) === null);
}

/** What was said and holds still. */
export function holding(stance: Stance | null, now: number): Stance | null {
  return stance && (stance.until === null || stance.until > now) ? stance : null;
}

export function readView(field: Field): View {
  const name = field.get("name").string();
  return {
    name,
    title: field.get("title").text() || name,
    resource: field.get("resource").string(),
    kind: field.get("kind").text(),
  };
}

export function readRun(stage: string, field: Field): Run {
  return { stage, since: field.get("since").time(), progress: field.get("progress").text() };
}

export function readWhatIf(field: Field): WhatIf {
  const id = field.get("id").string();
  const state = field.get("state").string();
  return {
    id,
    title: field.get("title").text() || id,
    owner: field.get("owner").text(),
    created: field.get("created").time(),
    expires: field.get("expires").orNull((time) => time.time()),
    base: field.get("base").string(),
    about: field.get("about").string(),
    changes: field.get("changes").number(),
    // A state this page does not know is not done.
    state: WHAT_IF_STATES.find((known) => known === state) ?? "computing",
    summary: field.get("summary").text(),
    head: field.get("head").text(),
  };
}
