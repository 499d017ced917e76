// How the pipeline's graph is looked at: what of it is in sight, and where the arrow keys lead.
import type { Flow } from "./flow";
import type { Layout, Point } from "./shape";

/** A point of the graph is drawn at `x + scale * point.x`. */
export interface Sight extends Point {
  scale: number;
}

export interface Box {
  width: number;
  height: number;
}

export const SCALE_LEAST = 0.04;
export const SCALE_MOST = 2.5;
const STEP = 1.25;
/** Small graphs are not blown up. */
const FIT_MOST = 1.1;

/** All of it, in the middle. */
export function fit(all: Box, room: Box): Sight {
  const least = Math.min(room.width / Math.max(all.width, 1), room.height / Math.max(all.height, 1));
  const scale = Math.min(FIT_MOST, Math.max(SCALE_LEAST, least));
  return { scale, x: (room.width - all.width * scale) / 2, y: (room.height - all.height * scale) / 2 };
}

/** Nearer or further, with the point under `at` staying there. */
export function zoom(sight: Sight, factor: number, at: Point): Sight {
  const scale = Math.min(SCALE_MOST, Math.max(SCALE_LEAST, sight.scale * factor));
  const real = scale / sight.scale;
  return { scale, x: at.x - (at.x - sight.x) * real, y: at.y - (at.y - sight.y) * real };
}

/** What `+`, `-` and `0` do; null for other keys. */
export function zoomKey(key: string, sight: Sight, all: Box, room: Box): Sight | null {
  const middle = { x: room.width / 2, y: room.height / 2 };
  if (key === "+" || key === "=") return zoom(sight, STEP, middle);
  if (key === "-") return zoom(sight, 1 / STEP, middle);
  return key === "0" ? fit(all, room) : null;
}

/** Moves just so far that a point is in sight, with something around it. */
export function into(sight: Sight, point: Point, room: Box): Sight {
  const margin = { x: Math.min(120, room.width / 3), y: Math.min(50, room.height / 3) };
  const shift = (at: number, most: number, rim: number): number => Math.max(rim - at, 0) + Math.min(most - rim - at, 0);
  const x = sight.x + sight.scale * point.x;
  const y = sight.y + sight.scale * point.y;
  return { ...sight, x: sight.x + shift(x, room.width, margin.x), y: sight.y + shift(y, room.height, margin.y) };
}

/** Where an arrow key leads from a node: left and right along edges, up and down among those that stand above one another. */
export function step(flow: Flow, layout: Layout, from: string, key: string): string | null {
  const places = new Map(flow.nodes.map((node, index) => [node.id, layout.nodes[index]]));
  const here = places.get(from);
  if (!here) return null;
  const nearest = (ids: string[], cost: (point: Point) => number): string | null => {
    const known = ids.flatMap((id) => {
      const point = places.get(id);
      return point && id !== from ? [{ id, cost: cost(point) }] : [];
    });
    return known.reduce<{ id: string; cost: number } | null>((best, one) => (best === null || one.cost < best.cost ? one : best), null)?.id ?? null;
  };
  const level = (point: Point): number => Math.abs(point.y - here.y);
  switch (key) {
    case "ArrowRight":
      return nearest(flow.edges.filter((edge) => edge.from === from).map((edge) => edge.to), level);
    case "ArrowLeft":
      return nearest(flow.edges.filter((edge) => edge.to === from).map((edge) => edge.from), level);
    case "ArrowUp":
    case "ArrowDown": {
      const way = key === "ArrowUp" ? -1 : 1;
      const ids = flow.nodes.map((node) => node.id).filter((id) => ((places.get(id)?.y ?? 0) - here.y) * way > 1);
      // Beside counts thrice: a column is kept to as long as there is something in it.
      return nearest(ids, (point) => level(point) + 3 * Math.abs(point.x - here.x));
    }
    case "Home":
      return nearest([...places.keys()], (point) => point.x * 1000 + point.y);
    case "End":
      return nearest([...places.keys()], (point) => -point.x * 1000 + point.y);
    default:
      return null;
  }
}

/** A line through the points, flat where it leaves and where it comes in. */
export function path(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  let text = `M${first.x} ${first.y}`;
  let last = first;
  for (const next of rest) {
    const half = Math.round(((last.x + next.x) / 2) * 10) / 10;
    text += `C${half} ${last.y} ${half} ${next.y} ${next.x} ${next.y}`;
    last = next;
  }
  return text;
}
