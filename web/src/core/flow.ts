// The pipeline as a graph: resources and stages, and what flows between them. Its shape (what is there, and how it hangs together) is
// apart from its state, so that only another shape has to be laid out anew.
import { has, wordsOf } from "./rows";
import type { Stage, State } from "./wire";

export interface FlowNode {
  /** `r:NAME`, `s:NAME`, or `g:PREFIX` for a group that is drawn as one. */
  id: string;
  kind: "resource" | "source" | "stage" | "group";
  name: string;
  /** The members of a group: ids. */
  members: string[];
}

export interface FlowEdge {
  from: string;
  to: string;
}

export interface Flow {
  nodes: FlowNode[];
  edges: FlowEdge[];
}

/** More than this is not drawn: it takes longer than anybody waits, and nobody could read it. */
export const NODES_MAX = 1_000;
export const EDGES_MAX = 3_000;
export const DEPTH_MAX = 300;

export const resourceId = (name: string): string => `r:${name}`;
export const stageId = (name: string): string => `s:${name}`;

/** All stages, and the resources they read or make. */
export function flowOf(stages: readonly Stage[]): Flow {
  const nodes = new Map<string, FlowNode>();
  const edges: FlowEdge[] = [];
  const resource = (name: string): string => {
    const id = resourceId(name);
    if (!nodes.has(id)) nodes.set(id, { id, kind: "resource", name, members: [] });
    return id;
  };
  for (const stage of stages) {
    const id = stageId(stage.name);
    nodes.set(id, { id, kind: stage.kind, name: stage.name, members: [] });
    for (const input of stage.inputs) edges.push({ from: resource(input), to: id });
    for (const output of stage.outputs) edges.push({ from: id, to: resource(output) });
  }
  return { nodes: [...nodes.values()], edges: distinct(edges) };
}

/** What holds all the words, and what it hangs on directly: a part of a graph without what is beside it says little. */
export function found(flow: Flow, find: string): Flow {
  const words = wordsOf(find);
  if (words.length === 0) return flow;
  const hits = new Set(flow.nodes.filter((node) => has(node.name, words)).map((node) => node.id));
  const kept = new Set(hits);
  for (const { from, to } of flow.edges) {
    if (hits.has(from)) kept.add(to);
    if (hits.has(to)) kept.add(from);
  }
  return {
    nodes: flow.nodes.filter((node) => kept.has(node.id)),
    edges: flow.edges.filter(({ from, to }) => kept.has(from) && kept.has(to)),
  };
}

/** How names are grouped: `raw/` of a resource, `clean-` of a stage; null for what has no such beginning. */
export function prefixOf(node: FlowNode): string | null {
  const mark = node.kind === "resource" ? /^[^/]+\// : /^[^-_.]+[-_.]/;
  return mark.exec(node.name)?.[0] ?? null;
}

export interface Grouping {
  prefix: string;
  count: number;
}

/** The groups of more than one, which can be drawn as one. */
export function groupings(flow: Flow): Grouping[] {
  const counts = new Map<string, number>();
  for (const node of flow.nodes) {
    const prefix = prefixOf(node);
    if (prefix !== null) counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count > 1).map(([prefix, count]) => ({ prefix, count }));
}

/** The graph with some groups drawn as one node each. */
export function folded(flow: Flow, prefixes: readonly string[]): Flow {
  const wanted = new Set(prefixes);
  const groups = new Map<string, FlowNode>();
  const place = new Map<string, string>();
  const nodes: FlowNode[] = [];
  for (const node of flow.nodes) {
    const prefix = prefixOf(node);
    if (prefix === null || !wanted.has(prefix)) {
      place.set(node.id, node.id);
      nodes.push(node);
      continue;
    }
    const id = `g:${prefix}`;
    let group = groups.get(prefix);
    if (!group) {
      group = { id, kind: "group", name: prefix, members: [] };
      groups.set(prefix, group);
      nodes.push(group);
    }
    group.members.push(node.id);
    place.set(node.id, id);
  }
  const edges = flow.edges.map(({ from, to }) => ({ from: place.get(from) ?? from, to: place.get(to) ?? to }));
  return { nodes, edges: distinct(edges.filter(({ from, to }) => from !== to)) };
}

/** How many nodes the longest way has; what goes in circles, as folded groups may, is gone once around. */
export function depth(flow: Flow): number {
  const waits = new Map(flow.nodes.map((node) => [node.id, 0]));
  for (const { to } of flow.edges) waits.set(to, (waits.get(to) ?? 0) + 1);
  const next = followers(flow.edges);
  const deep = new Map<string, number>();
  const ready = flow.nodes.filter((node) => waits.get(node.id) === 0).map((node) => node.id);
  for (let index = 0; index < ready.length; index += 1) {
    const id = ready[index] ?? "";
    const here = (deep.get(id) ?? 0) + 1;
    deep.set(id, here);
    for (const to of next.get(id) ?? []) {
      deep.set(to, Math.max(deep.get(to) ?? 0, here));
      waits.set(to, (waits.get(to) ?? 0) - 1);
      if (waits.get(to) === 0) ready.push(to);
    }
  }
  return Math.max(0, ...deep.values()) + (flow.nodes.length - ready.length);
}

/** Why it is not drawn; null if it is. */
export function tooLarge(flow: Flow): string | null {
  if (flow.nodes.length > NODES_MAX) return `${flow.nodes.length} stages and resources are more than the ${NODES_MAX} that are drawn`;
  if (flow.edges.length > EDGES_MAX) return `${flow.edges.length} connections are more than the ${EDGES_MAX} that are drawn`;
  const deep = depth(flow);
  return deep > DEPTH_MAX ? `a way through ${deep} stages and resources is longer than the ${DEPTH_MAX} that are drawn` : null;
}

export interface Lineage {
  /** All that the node is made from. */
  up: Set<string>;
  /** All that is made from it. */
  down: Set<string>;
}

export function lineage(flow: Flow, id: string): Lineage {
  return { up: reached(id, followers(flow.edges.map(({ from, to }) => ({ from: to, to: from })))), down: reached(id, followers(flow.edges)) };
}

function reached(start: string, next: Map<string, string[]>): Set<string> {
  const seen = new Set<string>();
  const open = [start];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const one of next.get(id) ?? []) {
      if (one === start || seen.has(one)) continue;
      seen.add(one);
      open.push(one);
    }
  }
  return seen;
}

function followers(edges: readonly FlowEdge[]): Map<string, string[]> {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) {
    const list = next.get(from);
    if (list) list.push(to);
    else next.set(from, [to]);
  }
  return next;
}

function distinct(edges: readonly FlowEdge[]): FlowEdge[] {
  return [...new Map(edges.map((edge) => [`${edge.from}\n${edge.to}`, edge])).values()];
}

export const MARKS = ["problem", "retry", "running", "stale", "waiting", "fresh"] as const;
export type Mark = (typeof MARKS)[number];

/** How a node stands. */
export interface Stand {
  /** null where it cannot be known, as in the past. */
  mark: Mark | null;
  behind: boolean;
  /** What a running program tells of how far it is, and since when it runs. */
  progress: string;
  since: number | null;
  /** The newest revision of a resource. */
  revision: string | null;
  /** The stage that makes it ails. */
  ails: boolean;
}

const NOTHING: Stand = { mark: null, behind: false, progress: "", since: null, revision: null, ails: false };

/** How every stage and resource stands, by id. */
export function stands(state: State): Map<string, Stand> {
  const all = new Map<string, Stand>();
  const runs = new Map(state.runs.map((run) => [run.stage, run]));
  const versions = new Map(state.resources.map((version) => [version.resource, version.revision]));
  for (const stage of state.stages) {
    const run = runs.get(stage.name);
    const mark = run ? "running" : stage.state;
    all.set(stageId(stage.name), { ...NOTHING, mark, behind: stage.behind, progress: run?.progress ?? "", since: run?.since ?? null });
    const ails = stage.state === "problem" || stage.state === "retry" || stage.behind;
    for (const name of stage.outputs) all.set(resourceId(name), { ...NOTHING, revision: versions.get(name) ?? null, ails });
  }
  for (const name of state.stages.flatMap((stage) => stage.inputs)) {
    const id = resourceId(name);
    if (!all.has(id)) all.set(id, { ...NOTHING, revision: versions.get(name) ?? null });
  }
  return all;
}

/** How a node stands; a group as the worst of its members. */
export function standOf(node: FlowNode, all: ReadonlyMap<string, Stand>): Stand {
  if (node.kind !== "group") return all.get(node.id) ?? NOTHING;
  const members = node.members.flatMap((id) => all.get(id) ?? []);
  const mark = MARKS.find((one) => members.some((member) => member.mark === one)) ?? null;
  return { ...NOTHING, mark, behind: members.some((member) => member.behind), ails: members.some((member) => member.ails) };
}

/** How far a program is by its own words, `40/100 …` or `40% …`, from 0 to 1; null if they do not say. */
export function fraction(progress: string): number | null {
  const word = progress.split(" ", 1)[0] ?? "";
  const parts = /^([\d.]+)(?:%|\/([\d.]+))$/.exec(word);
  if (!parts) return null;
  const share = Number(parts[1]) / Number(parts[2] ?? 100);
  return Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : null;
}

/** A shape beside the word, so that nothing is told by colour alone. */
export const SHAPES: Record<Mark, string> = { problem: "✕", retry: "↻", running: "◌", stale: "◐", waiting: "○", fresh: "●" };

/** How a node stands, in words. */
export function standText(node: FlowNode, stand: Stand): string {
  if (node.kind === "resource") return stand.revision === null ? "○ no data yet" : `${stand.revision.slice(0, 10)}${stand.ails ? " last good" : ""}`;
  const parts = [stand.mark === null ? "" : `${SHAPES[stand.mark]} ${stand.mark}`, stand.progress, stand.behind ? "◂ behind" : ""];
  return parts.filter((part) => part !== "").join(" ");
}
