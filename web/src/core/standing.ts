// How a project stands, in one sentence and why: what a person wants to know first.
import { count } from "./changes";
import { heard, pressing, type Problem, type Stage, type State } from "./wire";

export interface Standing {
  kind: "good" | "busy" | "late" | "bad" | "then";
  title: string;
  lines: string[];
}

/** What each kind is marked with: not by colour alone. */
export const SHAPES: Record<Standing["kind"], string> = { good: "●", busy: "◌", late: "◐", bad: "✕", then: "◷" };

const LINES_MAX = 5;

/** What is muted or acknowledged is not well, but presses nobody. */
export function standing(state: State, now: number): Standing {
  const { stages, runs } = state;
  const all = heard(state.problems, now);
  const problems = pressing(state.problems, now);
  const [muted, known] = [state.problems.length - all.length, all.length - problems.length];
  if (stages.some((stage) => stage.state === null)) {
    return { kind: "then", title: "Not of now", lines: [`${state.resources.length} resources as they are there; how stages stand is known of now alone.`] };
  }
  if (problems.length > 0) {
    if (known > 0) return { kind: "bad", title: countOf(problems), lines: [...told(problems), `${count(known, "problem")} acknowledged`] };
    return { kind: "bad", title: countOf(problems), lines: told(problems) };
  }
  if (known > 0) {
    return { kind: "late", title: known === 1 ? "One problem, acknowledged" : `${known} problems, all acknowledged`, lines: told(all) };
  }
  if (!state.runner && state.asOf === null) {
    return { kind: "late", title: "No runner works here", lines: ["Nothing is pulled or computed. Start it with: esker runner"] };
  }
  if (runs.length > 0) {
    return { kind: "busy", title: "Computing", lines: runs.slice(0, LINES_MAX).map((run) => [run.stage, run.progress].filter((part) => part !== "").join(": ")) };
  }
  const late = stages.filter((stage) => stage.state === "stale" || stage.behind).map((stage) => stage.name);
  const quiet = muted > 0 ? [`${count(muted, "problem")} muted`] : [];
  if (late.length > 0) return { kind: "late", title: "Not everything is up to date", lines: [`not computed from the newest: ${some(late)}`, ...quiet] };
  const waiting = stages.filter((stage) => stage.state === "waiting").map((stage) => stage.name);
  if (waiting.length > 0) return { kind: "late", title: "Waiting for data", lines: [`no input yet: ${some(waiting)}`, ...quiet] };
  if (muted > 0) return { kind: "late", title: "Fresh but for what is muted", lines: quiet };
  if (stages.length === 0) return { kind: "good", title: "Stored", lines: ["There are no stages: nothing has to be computed."] };
  return { kind: "good", title: "Everything is fresh", lines: [] };
}

/** Why what a stage makes is not of the newest; null if it is, or nobody knows. */
export function lag(stage: Stage | undefined): string | null {
  if (stage?.state === "problem" || stage?.state === "retry") return `the last good one: ${stage.name} failed since`;
  return stage?.behind ? "behind its inputs" : null;
}

function countOf(problems: Problem[]): string {
  return problems.length === 1 ? "One problem" : `${problems.length} problems`;
}

function told(problems: Problem[]): string[] {
  const lines = problems.slice(0, LINES_MAX).map((problem) => `${problem.stage}: ${problem.summary}`);
  return problems.length > LINES_MAX ? [...lines, `and ${problems.length - LINES_MAX} more`] : lines;
}

function some(names: string[]): string {
  const more = names.length - LINES_MAX;
  return names.slice(0, LINES_MAX).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
