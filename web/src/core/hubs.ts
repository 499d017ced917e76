// The projects that one server shows together, from its live model `hubs`: how each stands, in a sentence.
import { count } from "./changes";
import { clock, stamp } from "./format";
import type { Standing } from "./standing";
import { Field, string } from "./wire";

export interface Hub {
  /** What it is called here: its pages are below it. */
  name: string;
  /** What the project calls itself; null before its hub was reached for the first time. */
  project: string | null;
  isReached: boolean;
  /** Since when that is so. */
  since: number;
  /** When something was put last. */
  changed: number | null;
  stages: number;
  late: number;
  waiting: number;
  running: number;
  problems: number;
  /** The first of them. */
  problem: string | null;
  runner: boolean;
  asOf: string | null;
  /** Whether its own pages are served here. */
  app: boolean;
}

/** Reads the model; none before there is anything. Throws a FormatError that says where it is otherwise than expected. */
export function readHubs(model: unknown): Hub[] {
  const root = new Field(model, "");
  if (root.missing()) return [];
  return root.get("hubs").entries().map(([name, field]) => readHub(name, field));
}

function readHub(name: string, field: Field): Hub {
  const number = (key: string): number => field.get(key).number();
  return {
    name,
    project: field.get("project").orNull(string),
    isReached: field.get("reached").true(),
    since: field.get("since").time(),
    changed: field.get("changed").orNull((time) => time.time()),
    stages: number("stages"),
    late: number("late"),
    waiting: number("waiting"),
    running: number("running"),
    problems: number("problems"),
    problem: field.get("problem").orNull(string),
    runner: field.get("runner").true(),
    asOf: field.get("as_of").orNull(string),
    app: field.get("app").true(),
  };
}

/** What people call it: its project, and which of them it is if another one calls itself the same. */
export function titleOf(hub: Hub, all: readonly Hub[]): string {
  if (hub.project === null) return hub.name;
  const isShared = all.some((other) => other.name !== hub.name && other.project === hub.project);
  return isShared ? `${hub.project} (${hub.name})` : hub.project;
}

/** Where its pages begin. */
export function hubUrl(name: string): string {
  return `/${encodeURIComponent(name)}/`;
}

/** When, without the day if that is today's. */
export function moment(time: number, now: number): string {
  return new Date(time).toDateString() === new Date(now).toDateString() ? clock(time) : stamp(time);
}

/** How it stands: as the page of one project says it, in one sentence. */
export function hubStanding(hub: Hub, now: number): Pick<Standing, "kind" | "title"> {
  const { stages, late, waiting, running, problems } = hub;
  if (!hub.isReached) return { kind: "bad", title: `Not reached since ${moment(hub.since, now)}` };
  if (problems > 0) return { kind: "bad", title: `${count(problems, "problem")}${hub.problem === null ? "" : `: ${hub.problem}`}` };
  if (hub.asOf !== null) return { kind: "then", title: `As of ${hub.asOf}` };
  if (!hub.runner) return { kind: "late", title: "No runner works there" };
  if (running > 0) return { kind: "busy", title: `Computing: ${count(running, "stage")}` };
  if (late > 0) return { kind: "late", title: `${count(late, "stage")} not up to date` };
  if (waiting > 0) return { kind: "late", title: `${count(waiting, "stage")} waiting for data` };
  return { kind: "good", title: stages === 0 ? "Stored: nothing has to be computed" : "Everything is fresh" };
}

/** How they stand together: what to look at first. */
export function together(hubs: readonly Hub[], now: number): string {
  const kinds = hubs.map((hub) => hubStanding(hub, now).kind);
  const bad = kinds.filter((kind) => kind === "bad").length;
  const late = kinds.filter((kind) => kind === "late").length;
  const parts = [bad > 0 ? `${bad} in trouble` : "", late > 0 ? `${late} not up to date` : ""].filter((part) => part !== "");
  return `${count(hubs.length, "project")}, ${parts.length === 0 ? "all well" : parts.join(", ")}`;
}
