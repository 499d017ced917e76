// Reads the output of the qplan filter (results/plan) into a typed plan. The format is section 5 of its description.
// Numbers are kept beside the text they were printed as, so that nothing shown is ever re-rounded silently.
import { FormatError, parseStacked, splitStreams, type Stream } from "./stacked";

/** A skill with a number of man-weeks; `text` is the number as printed. */
export interface Amount {
  skill: string;
  weeks: number;
  text: string;
}

export interface PlanItem {
  /** Stable over versions: track and name, with a number when both occur twice. */
  key: string;
  track: string;
  rank: number;
  triage: number;
  name: string;
  estimates: Amount[];
  shortages: Amount[];
  /** The end date as printed, blanks collapsed; `DNF` when it does not finish. */
  end: string;
  finishes: boolean;
  /** Days since 1970 of the end date, or null when it does not finish or is unreadable. */
  endDay: number | null;
}

export interface PlanTrack {
  name: string;
  /** The first track is the sum of all others; a real track may also be called `All`. */
  overall: boolean;
  /** Man-weeks available, by skill. */
  manpower: number[];
  /** demand[t][s]: man-weeks wanted of skill s by items up to triage t. */
  demand: number[][];
  /** Names of the people, by skill. */
  staff: string[][];
  items: PlanItem[];
}

export interface Plan {
  start: string;
  end: string;
  /** Skills that decide end dates, in the order of the parameters. */
  scheduled: string[];
  skills: string[];
  triages: string[];
  tracks: PlanTrack[];
}

export const DNF = "DNF";

export function parsePlan(text: string): Plan {
  const streams = parseStacked(text);
  const params = (need(streams, "qplan params v1").lines[0] ?? "").split("\t");
  const names = need(streams, "qplan tracks v1").lines;
  const skills = need(streams, "qplan skills v1").lines;
  const triages = need(streams, "qplan triages v1").lines;
  const manpower = need(streams, "qplan track manpower v1").lines;
  const demand = splitStreams(need(streams, "qplan track-triage demand v1").lines);
  const staff = splitStreams(need(streams, "qplan track-skill staff v1").lines);
  const work = splitStreams(need(streams, "qplan track work v1").lines);
  const tracks = names.map((name, index): PlanTrack => {
    const where = `track ${index + 1} (${name || "no name"})`;
    return {
      name,
      overall: index === 0,
      manpower: numbers(at(manpower, index, `manpower of ${where}`), skills.length),
      demand: at(demand, index, `demand of ${where}`).lines.map((line) => numbers(line, skills.length)),
      staff: splitStreams(at(staff, index, `staff of ${where}`).lines).map((skill) => skill.lines),
      items: parseItems(at(work, index, `work of ${where}`).lines, where),
    };
  });
  return {
    start: tidyDate(params[0] ?? ""),
    end: tidyDate(params[1] ?? ""),
    scheduled: (params[2] ?? "").split(":").filter((skill) => skill !== ""),
    skills,
    triages,
    tracks,
  };
}

function need(streams: Stream[], name: string): Stream {
  const found = streams.find((stream) => stream.name === name);
  if (!found) throw new FormatError(`stream "${name}" is missing`);
  return found;
}

function at<T>(list: readonly T[], index: number, what: string): T {
  const value = list[index];
  if (value === undefined) throw new FormatError(`${what} is missing`);
  return value;
}

function numbers(line: string, count: number): number[] {
  const fields = line.split("\t");
  return Array.from({ length: count }, (_, index) => readNumber(fields[index] ?? ""));
}

function readNumber(text: string): number {
  return text.trim() === "" ? 0 : Number(text);
}

function parseItems(lines: readonly string[], where: string): PlanItem[] {
  const seen = new Map<string, number>();
  return lines.map((line, index) => {
    const fields = line.split("\t");
    if (fields.length < 7) throw new FormatError(`item ${index + 1} of ${where} has ${fields.length} fields, not 7`);
    const [track, rank, triage, name, estimates, shortages, end] = fields as [string, string, string, string, string, string, string];
    const plain = `${track}\t${name}`;
    const nth = (seen.get(plain) ?? 0) + 1;
    seen.set(plain, nth);
    return {
      key: nth === 1 ? plain : `${plain}\t${nth}`,
      track,
      rank: Number(rank),
      triage: Number(triage),
      name,
      estimates: amounts(estimates),
      shortages: amounts(shortages),
      end: tidyDate(end),
      finishes: end !== DNF,
      endDay: dayOf(end),
    };
  });
}

function amounts(text: string): Amount[] {
  return text
    .split(", ")
    .filter((part) => part !== "")
    .map((part) => {
      // The number never holds a colon, a skill's name may.
      const colon = part.lastIndexOf(":");
      const number = part.slice(colon + 1);
      return { skill: part.slice(0, Math.max(colon, 0)), weeks: Number(number), text: number };
    });
}

function tidyDate(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAY_MS = 86_400_000;

/** Days since 1970 of a date like `Jan  6, 2025`, or null. */
export function dayOf(text: string): number | null {
  const parts = /^\s*([A-Za-z]{3})\s+(\d{1,3}),\s+(\d{1,4})\s*$/.exec(text);
  if (!parts) return null;
  const month = MONTHS.indexOf((parts[1] ?? "").toLowerCase());
  if (month < 0) return null;
  const date = new Date(0);
  date.setUTCFullYear(Number(parts[3]), month, Number(parts[2]));
  return Math.round(date.getTime() / DAY_MS);
}

/** Demand of each triage on its own: the printed demand runs up over the triages. */
export function demandSteps(track: PlanTrack, skill: number): number[] {
  return track.demand.map((row, triage) => (row[skill] ?? 0) - (triage === 0 ? 0 : (track.demand[triage - 1]?.[skill] ?? 0)));
}
