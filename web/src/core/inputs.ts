// What a result is made from, as far as people bring it; and which of its rows an item of the result is.
import { lay, type LaidRow } from "./edits";
import type { Sheet } from "./sheet";
import type { Edit } from "./whatif";
import type { Stage } from "./wire";

/** The resources that no stage makes, from which this one is made in the end. */
export function inputsOf(resource: string, stages: readonly Stage[]): string[] {
  const seen = new Set<string>();
  const found: string[] = [];
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const maker = stages.find((stage) => stage.kind === "stage" && stage.outputs.includes(name));
    if (maker) maker.inputs.forEach(visit);
    else if (name !== resource) found.push(name);
  };
  visit(resource);
  return found;
}

/** A row of an input that can be given another rank. */
export interface Ranked {
  sheet: Sheet;
  row: LaidRow;
  rank: number;
}

/** The row of each name that stands in one row alone of all that have ranks; why not, for the others. */
export function rankedRows(sheets: readonly Sheet[], edits: readonly Edit[], names: readonly string[]): Map<string, Ranked | "none" | "several"> {
  const all = new Map<string, Ranked | "several">();
  for (const sheet of sheets) {
    const column = sheet.rank;
    if (column === null || sheet.key === null) continue;
    for (const row of lay(sheet, edits).rows) {
      const rank = Number(row.cells[column]);
      if (row.removed || row.added || !Number.isInteger(rank) || (row.cells[column] ?? "") === "") continue;
      for (const cell of new Set(row.cells)) all.set(cell, all.has(cell) ? "several" : { sheet, row, rank });
    }
  }
  return new Map(names.map((name) => [name, names.filter((other) => other === name).length > 1 ? "several" : (all.get(name) ?? "none")]));
}
