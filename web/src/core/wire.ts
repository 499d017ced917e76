// What the server says on /api/live and /api/log, read into typed values. Times become milliseconds since 1970 here and nowhere else.
// Knows nothing of sockets, stores or components.
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
  state: StageState;
  behind: boolean;
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
}

export interface View {
  name: string;
  title: string;
  resource: string;
  /** `plan`, `chart`, `table` or `text`; one this page does not know is shown as text. */
  kind: string;
}

export interface State {
  project: string;
  version: string;
  epoch: string;
  seq: number;
  head: string | null;
  resources: Version[];
  stages: Stage[];
  problems: Problem[];
  warnings: string[];
  views: View[];
  /** Whether something pulls and computes; a server that does not say has one. */
  runner: boolean;
  /** As of when, if this is an excavation: nothing here is of now. */
  asOf: string | null;
}

export type Message = { type: "state"; state: State } | { type: "heartbeat"; epoch: string; seq: number } | { type: "other" };

/** A JSON value and its place, for errors that say where. */
class Field {
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

  missing(): boolean {
    return this.value === undefined || this.value === null;
  }

  true(): boolean {
    return this.value === true;
  }

  private wrong(wanted: string): FormatError {
    const found = JSON.stringify(this.value) ?? "nothing";
    return new FormatError(`"${this.place || "message"}" must be ${wanted}, found ${found.slice(0, 60)}`);
  }
}

export function readMessage(text: string): Message {
  const field = new Field(JSON.parse(text), "");
  switch (field.get("type").string()) {
    case "state":
      return { type: "state", state: readState(field) };
    case "heartbeat":
      return { type: "heartbeat", epoch: field.get("epoch").string(), seq: field.get("seq").number() };
    default:
      return { type: "other" };
  }
}

export function readLog(text: string): Version[] {
  return new Field(JSON.parse(text), "").get("entries").list(readVersion);
}

const string = (field: Field): string => field.string();

function readState(field: Field): State {
  return {
    project: field.get("project").string(),
    version: field.get("version").text(),
    epoch: field.get("epoch").string(),
    seq: field.get("seq").number(),
    head: field.get("head").orNull(string),
    resources: field.get("resources").list(readVersion),
    stages: field.get("stages").list(readStage),
    problems: field.get("problems").list(readProblem),
    warnings: field.get("warnings").list((warning) => warning.text()),
    views: field.get("views").list(readView),
    runner: field.get("runner").missing() || field.get("runner").true(),
    asOf: field.get("as_of").orNull(string),
  };
}

function readVersion(field: Field): Version {
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
    inputs: field.get("inputs").list(readMade),
    durationMs: field.get("duration_ms").orNull((ms) => ms.number()),
  };
}

function readMade(field: Field): Made {
  return { resource: field.get("resource").string(), revision: field.get("revision").string() };
}

function readStage(field: Field): Stage {
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

function readProblem(field: Field): Problem {
  return {
    id: field.get("id").string(),
    stage: field.get("stage").text(),
    summary: field.get("summary").string(),
    hint: field.get("hint").text(),
    detail: field.get("detail").text(),
    count: field.get("count").orNull((count) => count.number()) ?? 1,
    since: field.get("since").time(),
    retryAt: field.get("retry_at").orNull((time) => time.time()),
  };
}

function readView(field: Field): View {
  const name = field.get("name").string();
  return {
    name,
    title: field.get("title").text() || name,
    resource: field.get("resource").string(),
    kind: field.get("kind").text(),
  };
}
