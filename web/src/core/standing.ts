// How a project stands, in one sentence and why: what a person wants to know first.
import { count } from "./changes";
import { heard, type State } from "./wire";

export interface Standing {
  kind: "good" | "busy" | "late" | "bad" | "then";
  title: string;
  lines: string[];
}

/** What each kind is marked with: not by colour alone. */
export const SHAPES: Record<Standing["kind"], string> = { good: "●", busy: "◌", late: "◐", bad: "✕", then: "◷" };

const LINES_MAX = 5;

/** What is muted is no problem, but not well either. */
export function standing(state: State, now: number): Standing {
  const { stages, runs } = state;
  const problems = heard(state.problems, now);
  const muted = state.problems.length - problems.length;
  if (stages.some((stage) => stage.state === null)) {
    return { kind: "then", title: "Not of now", lines: [`${state.resources.length} resources as they are there; how stages stand is known of now alone.`] };
  }
  if (problems.length > 0) {
    const lines = problems.slice(0, LINES_MAX).map((problem) => `${problem.stage}: ${problem.summary}`);
    if (problems.length > LINES_MAX) lines.push(`and ${problems.length - LINES_MAX} more`);
    return { kind: "bad", title: problems.length === 1 ? "One problem" : `${problems.length} problems`, lines };
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

function some(names: string[]): string {
  const more = names.length - LINES_MAX;
  return names.slice(0, LINES_MAX).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
