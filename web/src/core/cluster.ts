// How the cluster stands, from the live model's section `cluster` (docs/live-model.md): workers and what they hold, spaces, and how it is
// known who is there.
import { Field, string } from "./wire";

export const WORKER_STATES = ["passing", "held", "silent", "gone"] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

/** The classes of a worker's ledger that are in memory, with what they are for. */
export const CLASSES = {
  cached: "may be forgotten",
  pinned: "kept until removed",
  staged: "being written",
  notes: "what is remembered of ids and writers",
} as const;
export type Class = keyof typeof CLASSES;

/** In whose slots ids would be: now, and for spaces begun now. */
export const SHARES = {
  now: "ids in no space",
  uniform_nodes: "uniform-nodes",
  uniform_cpu: "uniform-cpu",
  uniform_memory: "uniform-memory",
} as const;
export type ShareName = keyof typeof SHARES;

/** How many slots there are. */
export const SLOTS = 4096;

export interface Worker {
  node: string;
  name: string;
  control: string;
  bulk: string;
  cpus: number;
  state: WorkerState;
  since: number | null;
  share: Record<ShareName, number>;
  fault: string;
  /** null while it does not answer. */
  standing: WorkerStanding | null;
}

export interface WorkerStanding {
  version: string;
  budget: number;
  held: Record<Class, number>;
  disk: number;
  /** Why nothing can be written to disk; empty if it can. */
  noDisk: string;
  entries: number;
  hits: number;
  misses: number;
  evicted: number;
}

export interface Space {
  name: string;
  count: number;
  strategy: string;
  keep: string;
  workers: number;
  replicas: number;
  generation: number;
  sealed: boolean;
}

export interface Trouble {
  since: number;
  message: string;
}

export interface Cluster {
  /** How it was joined; empty before it was. */
  join: string;
  /** Since when who is there cannot be asked for; null while it can. */
  unreachableSince: number | null;
  /** Whether somebody has told who is there; else it is what an earlier process knew, or nothing. */
  isTold: boolean;
  since: number | null;
  troubles: Trouble[];
  workers: Worker[];
  workersCount: number;
  spaces: Space[];
  spacesCount: number;
  /** The worker of the server itself, and why it does not work. */
  own: { node: string; fault: string };
}

/** Reads the section; null where there is none. */
export function readCluster(field: Field): Cluster | null {
  if (field.missing()) return null;
  const membership = field.get("membership");
  const told = <T>(name: string, read: (field: Field) => T): T | null => (membership.missing() ? null : membership.get(name).orNull(read));
  const own = field.get("own");
  const workers = field.get("workers").entries().map(([, worker]) => readWorker(worker));
  const spaces = field.get("spaces").entries().map(([, space]) => readSpace(space));
  return {
    join: field.get("join").text(),
    unreachableSince: told("unreachable_since", (time) => time.time()),
    isTold: told("origin", string) === "told",
    since: told("since", (time) => time.time()),
    troubles: membership.missing() ? [] : membership.get("warnings").list((one) => ({ since: one.get("since").time(), message: one.get("message").string() })),
    workers: workers.sort((a, b) => byName(a.name, b.name) || byName(a.node, b.node)),
    workersCount: amount(field.get("workers_count")),
    spaces: spaces.sort((a, b) => byName(a.name, b.name)),
    spacesCount: amount(field.get("spaces_count")),
    own: { node: own.missing() ? "" : own.get("node").text(), fault: own.missing() ? "" : own.get("fault").text() },
  };
}

function readWorker(field: Field): Worker {
  const state = field.get("state").string();
  const share = field.get("share");
  const standing = field.get("standing");
  return {
    node: field.get("node").string(),
    name: field.get("name").string(),
    control: field.get("control").string(),
    bulk: field.get("bulk").string(),
    cpus: amount(field.get("cpus")),
    // A state this page does not know is none that one can rely on.
    state: WORKER_STATES.find((known) => known === state) ?? "silent",
    since: field.get("since").orNull((time) => time.time()),
    share: each(SHARES, (name) => (share.missing() ? 0 : amount(share.get(name)))),
    fault: field.get("fault").text(),
    standing: standing.orNull(readStanding),
  };
}

function readStanding(field: Field): WorkerStanding {
  const ledger = field.get("ledger");
  const tally = field.get("tally");
  return {
    version: field.get("version").text(),
    budget: amount(ledger.get("budget")),
    held: each(CLASSES, (name) => amount(ledger.get(name))),
    disk: amount(ledger.get("disk")),
    noDisk: field.get("disk").text(),
    entries: amount(field.get("entries")),
    hits: amount(tally.get("hits")),
    misses: amount(tally.get("misses")),
    evicted: amount(tally.get("evicted")),
  };
}

function readSpace(field: Field): Space {
  return {
    name: field.get("name").text(),
    count: amount(field.get("count")),
    strategy: field.get("strategy").string().replaceAll("_", "-"),
    keep: field.get("keep").string(),
    workers: amount(field.get("workers")),
    replicas: amount(field.get("replicas")),
    generation: amount(field.get("generation")),
    sealed: field.get("sealed").true(),
  };
}

/** A whole number that may be larger than others here; none is 0. */
function amount(field: Field): number {
  if (field.missing()) return 0;
  const plain = field.plain();
  return typeof plain === "bigint" ? Number(plain) : field.number();
}

function each<K extends string>(names: Record<K, string>, read: (name: K) => number): Record<K, number> {
  return Object.fromEntries((Object.keys(names) as K[]).map((name) => [name, read(name)])) as Record<K, number>;
}

function byName(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** All that a worker holds in memory. */
export function held(standing: WorkerStanding): number {
  return (Object.keys(CLASSES) as Class[]).reduce((sum, name) => sum + standing.held[name], 0);
}

/** How it stands in a sentence. */
export function clusterTitle(cluster: Cluster): string {
  const there = cluster.workers.filter((worker) => worker.state !== "gone");
  if (cluster.workersCount === 0) return "No workers";
  const answering = there.filter((worker) => worker.state !== "silent").length;
  const workers = cluster.workersCount === 1 ? "1 worker" : `${cluster.workersCount} workers`;
  // Of those beyond what is told nothing is known.
  return answering === there.length ? workers : `${workers}, ${there.length - answering} not answering`;
}

/** Where an id is. */
export interface Where {
  id: string;
  workers: { node: string; name: string; bulk: string }[];
}

export function readWhere(text: string): Where {
  const field = new Field(JSON.parse(text), "");
  const worker = (one: Field): Where["workers"][number] => ({ node: one.get("node").string(), name: one.get("name").string(), bulk: one.get("bulk").string() });
  return { id: field.get("id").string(), workers: field.get("workers").list(worker) };
}
