// What /api/problems says of each problem beside what the live model tells: its inputs, and who is late for it.
import { Field, holding, readMade, readProblem, string, type Made, type Problem } from "./wire";

/** A problem whose id is the first digits of what it is known by. */
export interface ProblemTold extends Problem {
  inputs: Made[];
  /** The stages that show the last good version meanwhile. */
  behind: string[];
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
  };
}

/** What is shown of one problem; `known` is false until the server has told more than the live model. */
export interface Shown extends ProblemTold {
  key: string;
  known: boolean;
}

/**
 * The problems that the live model tells, each with what else is known of it; and, if what was told is of now, those of versions
 * that a stage has passed over, which the model does not tell. Those that are muted come last; what
 * was said until a time that is over is not said any more.
 */
export function shown(live: readonly Problem[], told: readonly ProblemTold[], isNow: boolean, time: number): Shown[] {
  const used = new Set<ProblemTold>();
  const all = live.map((problem): Shown => {
    const more = told.find((one) => one.stage === problem.stage && one.since === problem.since && !used.has(one));
    if (more) used.add(more);
    const { id, ...now } = problem;
    const none = { id: problem.stage || id, inputs: [], behind: [] };
    return { ...none, ...more, ...now, ...(more && { id: more.id }), key: id, known: more !== undefined };
  });
  const passed = isNow ? told.filter((one) => !used.has(one)) : [];
  const held = [...all, ...passed.map((one) => ({ ...one, key: one.id, known: true }))].map((one) => ({ ...one, acknowledged: holding(one.acknowledged, time), muted: holding(one.muted, time) }));
  return held.sort((a, b) => Number(a.muted !== null) - Number(b.muted !== null));
}
