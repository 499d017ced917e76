// Capacity against demand: what each skill has, what is wanted of it up to each triage, and where that stops fitting.
import { demandSteps, type Plan, type PlanTrack } from "./plan";

/** Sums of 32-bit floats are off by about this much; less than this is not a shortage. */
const NOISE_WEEKS = 0.005;

export interface Step {
  triage: string;
  /** Wanted at this triage alone. */
  own: number;
  /** Wanted up to and with this triage. */
  total: number;
  fits: boolean;
}

export interface SkillRow {
  skill: string;
  /** It decides end dates. */
  scheduled: boolean;
  manpower: number;
  steps: Step[];
  demand: number;
  /** Manpower less demand; below zero is what is missing. */
  left: number;
  fits: boolean;
  /** The last triage up to which all fits; null when not even the first does. */
  fitsTo: string | null;
}

/** The rows of a track, with the triages up to `triage` only (null for all). */
export function capacityRows(plan: Plan, track: PlanTrack, triage: number | null): SkillRow[] {
  const shown = triagesUpTo(plan, triage).length;
  return plan.skills.map((skill, index) => {
    const manpower = track.manpower[index] ?? 0;
    const own = demandSteps(track, index);
    const steps = plan.triages.slice(0, shown).map((name, at): Step => {
      const total = track.demand[at]?.[index] ?? 0;
      return { triage: name, own: own[at] ?? 0, total, fits: fits(manpower, total) };
    });
    const demand = steps[steps.length - 1]?.total ?? 0;
    return {
      skill,
      scheduled: plan.scheduled.includes(skill),
      manpower,
      steps,
      demand,
      left: manpower - demand,
      fits: fits(manpower, demand),
      fitsTo: lastFit(steps),
    };
  });
}

function fits(manpower: number, demand: number): boolean {
  return demand - manpower <= NOISE_WEEKS;
}

function lastFit(steps: readonly Step[]): string | null {
  const first = steps.findIndex((step) => !step.fits);
  return steps[(first < 0 ? steps.length : first) - 1]?.triage ?? null;
}

/** What a skill has, or is wanted of it, where that differs from the base. */
export interface CapacityDifference {
  skill: string;
  what: "demand" | "manpower";
  was: number;
  is: number;
}

export function capacityDifferences(base: readonly SkillRow[], rows: readonly SkillRow[]): CapacityDifference[] {
  const old = new Map(base.map((row) => [row.skill, row]));
  return rows.flatMap((row) =>
    (["demand", "manpower"] as const).flatMap((what) => {
      const was = old.get(row.skill)?.[what] ?? 0;
      return Math.abs(was - row[what]) > NOISE_WEEKS ? [{ skill: row.skill, what, was, is: row[what] }] : [];
    }),
  );
}

export function triagesUpTo(plan: Plan, triage: number | null): string[] {
  return triage === null ? plan.triages : plan.triages.filter((name) => Number(name) <= triage);
}

/** The last triage up to which every skill fits; null when not even the first does. */
export function allFitTo(rows: readonly SkillRow[]): string | null {
  const steps = rows[0]?.steps ?? [];
  const first = steps.findIndex((_, index) => rows.some((row) => row.steps[index]?.fits === false));
  return steps[(first < 0 ? steps.length : first) - 1]?.triage ?? null;
}
