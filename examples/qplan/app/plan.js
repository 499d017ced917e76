// Reads what `esker qplan schedule` says: stacked streams, each `=====NAME` and its lines behind a tab.

/** The streams of a stacked text, in their order: `{ name, lines }`. */
export function streams(lines) {
  const all = [];
  for (const line of lines) {
    if (line.startsWith("=====")) all.push({ name: line.slice(5), lines: [] });
    else all.at(-1)?.lines.push(line.slice(1));
  }
  return all;
}

function part(all, name) {
  const found = all.find((stream) => stream.name === name);
  if (!found) throw new Error(`the plan has no ${name}`);
  return found.lines;
}

const linesOf = (text) => text.split("\n").filter((line, at, all) => line !== "" || at < all.length - 1);
const numbers = (line) => line.split("\t").map(Number);

/** `Server:3.0, Web:1.5` as pairs. */
const amounts = (text) =>
  text
    .split(", ")
    .filter((one) => one.includes(":"))
    .map((one) => [one.slice(0, one.indexOf(":")), Number(one.slice(one.indexOf(":") + 1))]);

/** The plan: `start`, `end`, `skills`, `triages`, and `tracks` with `manpower`, `demand` up to each triage, and `items`. */
export function readPlan(text) {
  const all = streams(linesOf(text));
  const [start, end] = (part(all, "qplan params v1")[0] ?? "").split("\t");
  const manpower = part(all, "qplan track manpower v1");
  const demand = streams(part(all, "qplan track-triage demand v1"));
  const work = streams(part(all, "qplan track work v1"));
  const tracks = part(all, "qplan tracks v1").map((name, at) => ({
    name,
    manpower: numbers(manpower[at]),
    demand: demand[at].lines.map(numbers),
    items: work[at].lines.map((line) => {
      const [track, rank, triage, item, estimates, shortages, ends] = line.split("\t");
      return { track, rank: Number(rank), triage: Number(triage), name: item, estimates: amounts(estimates), shortages: amounts(shortages), ends };
    }),
  }));
  return { start, end, skills: part(all, "qplan skills v1"), triages: part(all, "qplan triages v1"), tracks };
}

/** The rows of the sheet `Work` of raw/plan: `{ id, rank, name }`. */
export function readWork(text) {
  const [heading = "", ...rows] = part(streams(linesOf(text)), "Work");
  const columns = heading.split("\t");
  const cell = (row, name) => row.split("\t")[columns.indexOf(name)] ?? "";
  return rows.map((row) => ({ id: cell(row, "Id"), rank: Number(cell(row, "Rank")), name: cell(row, "Name") }));
}

/** Days since 1970 of `Jan 4, 2027`; NaN of what is no date. */
export const dayOf = (text) => Date.parse(`${text} UTC`) / 86_400_000;
