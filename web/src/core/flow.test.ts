// The pipeline's graph: what is in it, what is found and folded, how deep it is, how it stands, where keys lead, where things go.
import { describe, expect, it } from "vitest";
import { depth, EDGES_MAX, flowOf, folded, found, fraction, groupings, lineage, NODES_MAX, prefixOf, standOf, stands, standText, tooLarge, type Flow } from "./flow";
import { layout } from "./layout";
import { hashOf, label, shapeOf, widthOf } from "./shape";
import { fit, into, path, step, zoom, zoomKey } from "./sight";
import type { Stage, State } from "./wire";

function stage(name: string, inputs: string[], outputs: string[], more: Partial<Stage> = {}): Stage {
  return { name, kind: "stage", inputs, outputs, program: "cat", state: "fresh", behind: false, ...more };
}

const STAGES = [
  stage("pull", [], ["raw/a"], { kind: "source" }),
  stage("clean-a", ["raw/a"], ["conditioned/a"]),
  stage("clean-b", ["raw/b"], ["conditioned/b"], { state: "problem" }),
  stage("join", ["conditioned/a", "conditioned/b"], ["results/all"], { behind: true }),
];

function state(stages: Stage[], more: Partial<State> = {}): State {
  return {
    project: "p", version: "1", head: null, resources: [], stages, runs: [], problems: [], warnings: [], views: [], whatIfs: [], cluster: null, runner: true, app: false, asOf: null, ...more,
  };
}

const ids = (flow: Flow): string[] => flow.nodes.map((node) => node.id);
const ways = (flow: Flow): string[] => flow.edges.map(({ from, to }) => `${from} ${to}`);

describe("the graph", () => {
  it("has stages, and the resources they read or make, once each", () => {
    const flow = flowOf(STAGES);
    expect(ids(flow).sort()).toEqual(
      ["r:conditioned/a", "r:conditioned/b", "r:raw/a", "r:raw/b", "r:results/all", "s:clean-a", "s:clean-b", "s:join", "s:pull"],
    );
    expect(ways(flow)).toContain("s:pull r:raw/a");
    expect(ways(flow)).toContain("r:conditioned/b s:join");
    expect(flow.edges).toHaveLength(8);
    expect(flow.nodes.find((node) => node.id === "s:pull")?.kind).toBe("source");
  });

  it("keeps the neighbours of what is found, and nothing else", () => {
    const flow = found(flowOf(STAGES), "CLEAN b");
    expect(ids(flow)).toEqual(["r:raw/b", "s:clean-b", "r:conditioned/b"].sort((a, b) => ids(flow).indexOf(a) - ids(flow).indexOf(b)));
    expect(ways(flow)).toEqual(["r:raw/b s:clean-b", "s:clean-b r:conditioned/b"]);
    expect(found(flowOf(STAGES), " ").nodes).toHaveLength(9);
    expect(found(flowOf(STAGES), "nothing").nodes).toEqual([]);
  });

  it("folds what begins alike into one, without edges to itself", () => {
    const flow = flowOf(STAGES);
    expect(groupings(flow)).toEqual([
      { prefix: "raw/", count: 2 },
      { prefix: "clean-", count: 2 },
      { prefix: "conditioned/", count: 2 },
    ]);
    const less = folded(flow, ["clean-", "conditioned/", "unknown/"]);
    expect(ids(less)).toContain("g:clean-");
    expect(less.nodes.find((node) => node.id === "g:clean-")?.members).toEqual(["s:clean-a", "s:clean-b"]);
    expect(ways(less).filter((way) => way === "g:clean- g:conditioned/")).toHaveLength(1);
    expect(less.nodes).toHaveLength(7);
    expect(prefixOf({ id: "s:join", kind: "stage", name: "join", members: [] })).toBeNull();
  });

  it("knows the longest way, also around a circle", () => {
    expect(depth(flowOf(STAGES))).toBe(6);
    expect(depth({ nodes: [], edges: [] })).toBe(0);
    const round = flowOf([stage("a", ["x"], ["y"]), stage("b", ["y"], ["x"])]);
    expect(depth(round)).toBe(4);
  });

  it("is not drawn beyond its limits, and says which", () => {
    expect(tooLarge(flowOf(STAGES))).toBeNull();
    const many = Array.from({ length: NODES_MAX / 2 + 1 }, (_, index) => stage(`s${index}`, [], [`r${index}`]));
    expect(tooLarge(flowOf(many))).toContain(`${NODES_MAX}`);
    const long = Array.from({ length: 151 }, (_, index) => stage(`s${index}`, [`r${index}`], [`r${index + 1}`]));
    expect(tooLarge(flowOf(long))).toContain("303");
    const names = Array.from({ length: 60 }, (_, index) => `r${index}`);
    const dense = Array.from({ length: 60 }, (_, index) => stage(`s${index}`, names, []));
    expect(dense.length * names.length).toBeGreaterThan(EDGES_MAX);
    expect(tooLarge(flowOf(dense))).toContain("connections");
  });

  it("tells what a node is made from and what is made from it", () => {
    const { up, down } = lineage(flowOf(STAGES), "s:clean-a");
    expect([...up].sort()).toEqual(["r:raw/a", "s:pull"]);
    expect([...down].sort()).toEqual(["r:conditioned/a", "r:results/all", "s:join"]);
  });
});

describe("how it stands", () => {
  const now = state(STAGES, { runs: [{ stage: "clean-a", since: 5, progress: "40/100 rows" }] });

  it("says running, behind and the worst of a group", () => {
    const all = stands(now);
    const flow = folded(flowOf(STAGES), ["clean-"]);
    const at = (id: string) => standOf(flow.nodes.find((node) => node.id === id) ?? { id, kind: "stage", name: "", members: [] }, all);
    expect(at("s:clean-a")).toMatchObject({ mark: "running", progress: "40/100 rows" });
    expect(at("g:clean-").mark).toBe("problem");
    expect(at("s:join")).toMatchObject({ mark: "fresh", behind: true });
    expect(at("r:conditioned/b").ails).toBe(true);
    expect(standText({ id: "s:join", kind: "stage", name: "join", members: [] }, at("s:join"))).toBe("● fresh ◂ behind");
    expect(standText({ id: "r:raw/b", kind: "resource", name: "raw/b", members: [] }, at("r:raw/b"))).toBe("○ no data yet");
  });

  it("says nothing of stages in the past", () => {
    const all = stands(state([stage("a", [], ["x"], { state: null })]));
    expect(all.get("s:a")?.mark).toBeNull();
  });

  it("reads how far a program is", () => {
    expect(fraction("40/100 rows")).toBe(0.4);
    expect(fraction("12.5%")).toBe(0.125);
    expect(fraction("7/0")).toBeNull();
    expect(fraction("half of it")).toBeNull();
    expect(fraction("300%")).toBe(1);
  });
});

describe("its layout", () => {
  const flow = flowOf(STAGES);

  it("goes from left to right, nothing over another", () => {
    const laid = layout(shapeOf(flow));
    const at = (id: string) => laid.nodes[ids(flow).indexOf(id)] ?? { x: 0, y: 0 };
    for (const [index, { from, to }] of flow.edges.entries()) {
      expect(at(from).x).toBeLessThan(at(to).x);
      const points = laid.edges[index] ?? [];
      expect(points[0]?.y).toBe(at(from).y);
      expect(points[points.length - 1]?.y).toBe(at(to).y);
    }
    const spots = new Set(laid.nodes.map(({ x, y }) => `${x} ${y}`));
    expect(spots.size).toBe(flow.nodes.length);
    expect(laid.width).toBeGreaterThan(6 * 176);
  });

  it("depends on the shape alone", () => {
    const ailing = flowOf(STAGES.map((one) => ({ ...one, state: "stale" as const, behind: true })));
    expect(hashOf(shapeOf(ailing))).toBe(hashOf(shapeOf(flow)));
    const other = flowOf([...STAGES, stage("more", ["results/all"], [])]);
    expect(hashOf(shapeOf(other))).not.toBe(hashOf(shapeOf(flow)));
    const turned = { ...shapeOf(flow), edges: shapeOf(flow).edges.map(([from, to]): [number, number] => [to, from]) };
    expect(hashOf(turned)).not.toBe(hashOf(shapeOf(flow)));
  });

  it("cuts the middle of a long name", () => {
    const node = { id: "r:x", kind: "resource" as const, name: `raw/${"x".repeat(60)}/the-end`, members: [] };
    expect(label(node)).toMatch(/^raw\/x+…x*\/the-end$/);
    expect(widthOf(node)).toBeLessThanOrEqual(260);
    expect(label({ id: "g:raw/", kind: "group", name: "raw/", members: ["a", "b"] })).toBe("raw/ (2)");
  });
});

describe("looking at it", () => {
  const room = { width: 400, height: 200 };
  const all = { width: 800, height: 100 };

  it("fits, and does not blow up what is small", () => {
    expect(fit(all, room)).toEqual({ scale: 0.5, x: 0, y: 75 });
    expect(fit({ width: 10, height: 10 }, room).scale).toBe(1.1);
  });

  it("keeps the point that is pointed at, and its limits", () => {
    const near = zoom({ x: 10, y: 20, scale: 1 }, 2, { x: 110, y: 60 });
    expect(near).toEqual({ scale: 2, x: -90, y: -20 });
    expect(zoom(near, 100, { x: 0, y: 0 }).scale).toBe(2.5);
  });

  it("is done by + - 0", () => {
    const sight = { x: 3, y: 4, scale: 0.5 };
    expect(zoomKey("+", sight, all, room)?.scale).toBeGreaterThan(0.5);
    expect(zoomKey("-", sight, all, room)?.scale).toBeLessThan(0.5);
    expect(zoomKey("0", sight, all, room)).toEqual(fit(all, room));
    expect(zoomKey("x", sight, all, room)).toBeNull();
  });

  it("moves just as far as is needed", () => {
    const sight = { x: 0, y: 0, scale: 1 };
    expect(into(sight, { x: 200, y: 100 }, room)).toEqual(sight);
    expect(into(sight, { x: 1000, y: 100 }, room).x).toBe(-720);
    expect(into(sight, { x: 200, y: -30 }, room).y).toBe(80);
  });

  it("draws a line through its points", () => {
    expect(path([{ x: 0, y: 0 }, { x: 10, y: 20 }])).toBe("M0 0C5 0 5 20 10 20");
    expect(path([])).toBe("");
  });
});

describe("the arrow keys", () => {
  const flow = flowOf(STAGES);
  const laid = layout(shapeOf(flow));
  const go = (from: string, key: string) => step(flow, laid, from, key);

  it("go along edges, and back", () => {
    expect(go("s:pull", "ArrowRight")).toBe("r:raw/a");
    expect(go("r:raw/a", "ArrowRight")).toBe("s:clean-a");
    expect(go("s:clean-a", "ArrowLeft")).toBe("r:raw/a");
    expect(go("s:pull", "ArrowLeft")).toBeNull();
  });

  it("go up and down in a column", () => {
    const [upper, lower] = ["s:clean-a", "s:clean-b"].sort((a, b) => (laid.nodes[ids(flow).indexOf(a)]?.y ?? 0) - (laid.nodes[ids(flow).indexOf(b)]?.y ?? 0));
    expect(go(upper ?? "", "ArrowDown")).toBe(lower);
    expect(go(lower ?? "", "ArrowUp")).toBe(upper);
  });

  it("and Home and End to where it begins and ends", () => {
    expect(go("s:join", "Home")).toBe("s:pull");
    expect(go("s:pull", "End")).toBe("r:results/all");
    expect(go("s:pull", "x")).toBeNull();
  });
});
