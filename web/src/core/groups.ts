// The order in which resources are shown: by the kind their name begins with, along the way the data flows.
import type { Version } from "./wire";

export interface Group {
  kind: string;
  versions: Version[];
}

const FLOW = ["raw", "conditioned", "params", "results"];

export function groups(resources: readonly Version[], find = ""): Group[] {
  const low = find.toLowerCase();
  const byKind = new Map<string, Version[]>();
  for (const version of resources) {
    if (!version.resource.toLowerCase().includes(low)) continue;
    const slash = version.resource.indexOf("/");
    const kind = slash < 0 ? "" : version.resource.slice(0, slash);
    byKind.set(kind, [...(byKind.get(kind) ?? []), version]);
  }
  const rank = (kind: string): number => (FLOW.includes(kind) ? FLOW.indexOf(kind) : FLOW.length);
  return [...byKind]
    .map(([kind, versions]) => ({ kind, versions: versions.toSorted((a, b) => compare(a.resource, b.resource)) }))
    .sort((a, b) => rank(a.kind) - rank(b.kind) || compare(a.kind, b.kind));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
