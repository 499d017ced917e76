// Where a version came from, back to what somebody put or a source brought, and what was made of it. Asks for one version at a time.
import type { Made, Stage, Version } from "./wire";

/** More than this is not a page any more. */
export const NODES_MAX = 120;

export interface Origin {
  made: Made;
  /** null if it is no longer there. */
  version: Version | null;
  from: Origin[];
  /** It has come up before, with what it was made from. */
  again: boolean;
}

type Find = (made: Made) => Promise<Version | null>;

/** The tree of what versions were made from. Asks for the versions of one depth together. */
export async function originsOf(roots: Version[], find: Find): Promise<{ origins: Origin[]; cut: boolean }> {
  const origins = roots.map((version): Origin => ({ made: version, version, from: [], again: false }));
  const seen = new Set(roots.map(id));
  let [layer, count, cut] = [origins, origins.length, false];
  while (layer.length > 0) {
    const next: Origin[] = [];
    for (const node of layer) {
      if (node.again || !node.version) continue;
      for (const made of node.version.inputs) {
        cut ||= count >= NODES_MAX;
        if (count >= NODES_MAX) break;
        count += 1;
        const one: Origin = { made, version: null, from: [], again: seen.has(id(made)) };
        seen.add(id(made));
        node.from.push(one);
        next.push(one);
      }
    }
    await Promise.all(next.map(async (node) => (node.version = await find(node.made))));
    layer = next;
  }
  return { origins, cut };
}

type History = (resource: string) => Promise<Version[]>;

/** What was made of versions, as far as the histories of what stages make tell; the nearest first. */
export async function usesOf(roots: Made[], stages: Stage[], history: History): Promise<Version[]> {
  const known = new Map<string, Version[]>();
  const seen = new Set<string>();
  const uses: Version[] = [];
  let layer: Made[] = roots;
  while (layer.length > 0 && uses.length < NODES_MAX) {
    const outputs = new Set(layer.flatMap((made) => stages.filter((stage) => stage.inputs.includes(made.resource)).flatMap((stage) => stage.outputs)));
    const unknown = [...outputs].filter((output) => !known.has(output));
    await Promise.all(unknown.map(async (output) => known.set(output, await history(output))));
    const wanted = new Set(layer.map(id));
    layer = [...outputs]
      .flatMap((output) => known.get(output) ?? [])
      .filter((version) => !seen.has(id(version)) && version.inputs.some((input) => wanted.has(id(input))));
    for (const version of layer) seen.add(id(version));
    uses.push(...layer.map((made) => made as Version));
  }
  return uses.slice(0, NODES_MAX);
}

function id({ resource, revision }: Made): string {
  return `${revision} ${resource}`;
}
