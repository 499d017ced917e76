// Where the nodes of the pipeline's graph go: what is asked of dagre and what comes back. Runs in a worker; pure, so that it can be
// tested without one.
import { Graph, layout as place } from "@dagrejs/dagre";
import { NODE_HEIGHT, type Layout, type Point, type Shape } from "./shape";

const GAP = { between: 16, ranks: 40, margin: 16 };

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
  const nodes = shape.nodes.map((_, index) => point(graph.node(String(index)) as Point));
  return {
    width: size.width ?? 0,
    height: size.height ?? 0,
    nodes,
    edges: shape.edges.map(([from, to]) => {
      const { points = [] } = graph.edge(String(from), String(to)) as { points?: Point[] };
      return [beside(nodes[from], shape.nodes[from]?.width ?? 0), ...points.slice(1, -1).map(point), beside(nodes[to], -(shape.nodes[to]?.width ?? 0))];
    }),
  };
}

/** Where edges leave on the right of a node, or come in on its left: dagre ends them anywhere on its rim. */
function beside(node: Point | undefined, width: number): Point {
  return point({ x: (node?.x ?? 0) + width / 2, y: node?.y ?? 0 });
}

function point({ x, y }: Point): Point {
  return { x: Math.round(x * 10) / 10, y: Math.round(y * 10) / 10 };
}
