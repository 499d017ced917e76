// Where the nodes of the pipeline's graph go: what is asked of dagre and what comes back. Runs in a worker; pure, so that it can be
// tested without one.
import { Graph, layout as place } from "@dagrejs/dagre";
import type { Flow, FlowNode } from "./flow";

export const NODE_HEIGHT = 46;
const WIDTH_LEAST = 132;
const WIDTH_MOST = 250;
const CHAR = 7.4;
const PADDING = 30;
const GAP = { between: 16, ranks: 52, margin: 16 };

/** What is to be laid out: the shape alone, never the state. */
export interface Shape {
  nodes: { id: string; width: number }[];
  edges: [from: number, to: number][];
}

export interface Point {
  x: number;
  y: number;
}

/** In the order of the shape; a node's point is its middle. */
export interface Layout {
  width: number;
  height: number;
  nodes: Point[];
  edges: Point[][];
}

export function shapeOf(flow: Flow): Shape {
  const places = new Map(flow.nodes.map((node, index) => [node.id, index]));
  return {
    nodes: flow.nodes.map((node) => ({ id: node.id, width: widthOf(node) })),
    edges: flow.edges.map(({ from, to }) => [places.get(from) ?? 0, places.get(to) ?? 0]),
  };
}

export function widthOf(node: FlowNode): number {
  const wanted = label(node).length * CHAR + PADDING;
  return Math.round(Math.min(WIDTH_MOST, Math.max(WIDTH_LEAST, wanted)));
}

/** What is written on a node; the middle of a long name is left out, for its ends tell it from others. */
export function label(node: FlowNode): string {
  const text = node.kind === "group" ? `${node.name} (${node.members.length})` : node.name;
  const most = Math.floor((WIDTH_MOST - PADDING) / CHAR);
  if (text.length <= most) return text;
  const tail = Math.floor((most - 1) / 2);
  return `${text.slice(0, most - 1 - tail)}…${text.slice(-tail)}`;
}

/** Tells shapes apart: two FNV-1a hashes over all of it. */
export function hashOf(shape: Shape): string {
  let one = 0x811c9dc5;
  let two = 0x01000193;
  const text = JSON.stringify(shape);
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    one = Math.imul(one ^ code, 0x01000193);
    two = Math.imul(two ^ (code + index), 0x85ebca6b);
  }
  return [one, two].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
}

/** From left to right. */
export function layout(shape: Shape): Layout {
  const graph = new Graph({ directed: true });
  // The ranker that does not get slow: the default one takes minutes for a few hundred nodes.
  graph.setGraph({ rankdir: "LR", ranker: "tight-tree", nodesep: GAP.between, edgesep: 8, ranksep: GAP.ranks, marginx: GAP.margin, marginy: GAP.margin });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const [index, node] of shape.nodes.entries()) graph.setNode(String(index), { width: node.width, height: NODE_HEIGHT });
  for (const [from, to] of shape.edges) graph.setEdge(String(from), String(to), {});
  place(graph);
  const size = graph.graph() as { width?: number; height?: number };
  return {
    width: size.width ?? 0,
    height: size.height ?? 0,
    nodes: shape.nodes.map((_, index) => point(graph.node(String(index)) as Point)),
    edges: shape.edges.map(([from, to]) => ((graph.edge(String(from), String(to)) as { points?: Point[] }).points ?? []).map(point)),
  };
}

function point({ x, y }: Point): Point {
  return { x: Math.round(x * 10) / 10, y: Math.round(y * 10) / 10 };
}
