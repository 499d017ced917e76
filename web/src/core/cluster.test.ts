// What the live model tells of the cluster, as the page reads it.
import { describe, expect, it } from "vitest";
import { clusterTitle, held, readCluster, readWhere } from "./cluster";
import { Field } from "./wire";

const LEDGER = { budget: 1000n, cached: 10, pinned: 20, staged: 30, notes: 40, flight: 0, disk: 5 };
const STANDING = { version: "1", ledger: LEDGER, tally: { hits: 1, misses: 2, evicted: 3 }, entries: 4, disk: null };

function worker(name: string, state: string, standing: unknown = STANDING) {
  const share = { now: 2048, uniform_nodes: 2048, uniform_cpu: 1, uniform_memory: 2 };
  return { node: `id-${name}`, name, control: "c", bulk: "b", cpus: 2, state, since: "2026-11-22T23:30:25Z", share, standing, fault: null };
}

const CLUSTER = {
  join: "consul://127.0.0.1:8500",
  membership: { origin: "told", version: 3, since: "2026-11-22T23:30:25Z", unreachable_since: null, warnings: [{ trouble: "away", since: "2026-11-22T23:30:25Z", message: "gone" }] },
  workers: { x: worker("n10", "passing"), y: worker("n9", "silent", null), z: worker("n1", "gone", null) },
  workers_count: 2,
  spaces: { s: { name: "s", generation: 1, strategy: "uniform_memory", keep: "all", replicas: 0, ids: "numbered", count: 9, workers: 2, sealed: true } },
  spaces_count: 1,
  own: { worker: true, node: "id-n10", fault: null },
};

describe("the cluster", () => {
  it("is read in the order of names", () => {
    const cluster = readCluster(new Field(CLUSTER, "cluster"));
    if (!cluster) throw new Error("a cluster");
    expect(cluster.workers.map((one) => one.name)).toEqual(["n1", "n9", "n10"]);
    expect(cluster.workers.map((one) => one.standing && held(one.standing))).toEqual([null, null, 100]);
    expect(cluster.workers[2]?.standing?.budget).toBe(1000);
    expect(cluster.spaces[0]).toMatchObject({ strategy: "uniform-memory", sealed: true });
    expect(clusterTitle(cluster)).toBe("2 workers, 1 not answering");
    expect(cluster.troubles[0]?.message).toBe("gone");
  });

  it("may have nothing but why not", () => {
    const cluster = readCluster(new Field({ own: { worker: true, node: null, fault: "port taken" } }, "cluster"));
    expect(cluster).toMatchObject({ own: { fault: "port taken" }, workers: [], spaces: [], isTold: false, join: "" });
    if (cluster) expect(clusterTitle(cluster)).toBe("No workers");
    expect(readCluster(new Field(undefined, "cluster"))).toBeNull();
    // One of a later version.
    const later = readCluster(new Field({ ...CLUSTER, workers: { x: worker("a", "sleeping") } }, "cluster"));
    expect(later?.workers[0]?.state).toBe("silent");
  });

  it("says where an id is", () => {
    expect(readWhere('{"id":"a","workers":[{"node":"1","name":"n","bulk":"tcp://h:1"}]}').workers[0]?.name).toBe("n");
    expect(() => readWhere('{"id":"a","workers":[{"node":1}]}')).toThrow('"workers[0].node" must be a text');
  });
});
