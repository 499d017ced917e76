// The shape of the pipeline's graph as it is laid out: how wide its nodes are, and what tells one shape from another. What places them
// is apart, for it runs in a worker and is large.
import type { Flow, FlowNode } from "./flow";

export const NODE_HEIGHT = 46;
/** So wide that a state with its progress fits. */
const WIDTH_LEAST = 176;
const WIDTH_MOST = 260;
const CHAR = 8.2;
const PADDING = 30;

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
