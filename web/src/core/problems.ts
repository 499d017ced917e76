// What /api/problems says of each problem beside what the live model tells: its inputs, who is late for it, what people said of it.
import { Field, readMade, readProblem, string, type Made, type Problem } from "./wire";

/** What somebody has said of a problem. */
export interface Stance {
  by: string;
  at: number;
  note: string;
  /** null if it holds until the problem changes. */
  until: number | null;
}

/** A problem whose id is the first digits of what it is known by. */
export interface ProblemTold extends Problem {
  inputs: Made[];
  /** The stages that show the last good version meanwhile. */
  behind: string[];
  acknowledged: Stance | null;
  muted: Stance | null;
}

/** Those that failed; what checks only warn of is told elsewhere. */
export function readProblems(text: string): ProblemTold[] {
  return new Field(JSON.parse(text), "").list((field) => (field.get("summary").missing() ? [] : [readTold(field)])).flat();
}

function readTold(field: Field): ProblemTold {
  return {
    ...readProblem(field),
    retryAt: field.get("not_before").orNull((time) => time.time()),
    inputs: field.get("inputs").list(readMade),
    behind: field.get("behind").list(string),
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

/** What is shown of one problem; `known` is false until the server has told more than the live model. */
export interface Shown extends ProblemTold {
  key: string;
  known: boolean;
}

/**
 * The problems that the live model tells, each with what else is known of it; and, if what was told is of now, those of versions
 * that a stage has passed over, which the model does not tell. Those that are muted come last.
 */
export function shown(live: readonly Problem[], told: readonly ProblemTold[], isNow: boolean): Shown[] {
  const used = new Set<ProblemTold>();
  const all = live.map((problem): Shown => {
    const more = told.find((one) => one.stage === problem.stage && one.since === problem.since && !used.has(one));
    if (more) used.add(more);
    const { id, stage, summary, hint, detail, count, since, retryAt } = problem;
    const now = { stage, summary, hint, detail, count, since, retryAt };
    const none = { id: stage || id, inputs: [], behind: [], acknowledged: null, muted: null };
    return { ...none, ...more, ...now, key: id, known: more !== undefined };
  });
  const passed = isNow ? told.filter((one) => !used.has(one)) : [];
  return [...all, ...passed.map((one) => ({ ...one, key: one.id, known: true }))].sort((a, b) => Number(a.muted !== null) - Number(b.muted !== null));
}
