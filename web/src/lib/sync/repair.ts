// A repair: going down where digests differ from those of a cut, and fetching only what does.
// It works on a copy of the model, so that nobody sees it half done.
import { low } from "./digest";
import type { Frame } from "./frame";
import { Dict, type Model } from "./model";
import { between, type Child, isAlike, QUERIES_MAX, type Query, type Range, readAnswers, type Told, writeQueries } from "./nodes";
import { DELETE, readOps } from "./op";
import { compareKeys, type Path } from "./path";

/** The most questions of one repair: a publisher that answers nonsense is not asked for ever. */
const ROUNDS_MAX = 10_000;

/** The paths of one GET. */
const PATHS_MAX = 500;

/** The characters of the keys of one GET, a path apart: they stand in its head. */
const KEYS_MAX = 256 * 1024;

/** Where more than this differs a new copy is cheaper, and whoever answers nonsense has said enough. */
const OPEN_MAX = 100_000;

/** A repair that fetches more nodes than this, and more than a third of the model, gives way to a new copy. */
const FETCHED_MIN = 10_000;

/** What a repair wants next; null when it is done. */
export type Wants = { queries: Uint8Array } | { paths: readonly Path[]; after: Path | null } | "too-much" | null;

export class Repair {
  /** The paths it changed. */
  readonly done: Path[] = [];
  #open: Query[];
  #asked: Query[] = [];
  #differ: Path[] = [];
  #fetching: Path[] = [];
  /** Where the last page of what is being fetched ended. */
  #after: Path | null = null;
  #fetched = 0;
  #rounds = 0;

  /** Begins at these nodes; the cut has so many. */
  constructor(
    readonly model: Model,
    bases: readonly Path[],
    readonly nodes: number,
  ) {
    this.#open = bases.map((path) => ({ path, from: null, to: null }));
  }

  next(): Wants {
    this.#rounds += 1;
    if (this.#open.length + this.#differ.length > OPEN_MAX) return "too-much";
    if (this.#rounds > ROUNDS_MAX || this.#fetched > Math.max(FETCHED_MIN, this.nodes / 3)) return "too-much";
    if (this.#open.length > 0) {
      // In order, most of them share most of their paths.
      this.#asked = this.#open.splice(0, QUERIES_MAX).sort((a, b) => comparePaths(a.path, b.path));
      return { queries: writeQueries(this.#asked) };
    }
    if (this.#after === null) this.#fetching = this.#differ.splice(0, this.#fitting());
    if (this.#fetching.length === 0) return null;
    const after = this.#after;
    this.#after = null;
    return { paths: this.#fetching, after };
  }

  /** How many of the nodes that differ go into one GET. */
  #fitting(): number {
    let [count, size] = [0, 0];
    while (count < Math.min(PATHS_MAX, this.#differ.length) && size < KEYS_MAX) {
      size += JSON.stringify(this.#differ[count]).length;
      count += 1;
    }
    return count;
  }

  /** Takes the digests that were asked for. */
  compare(body: Uint8Array): void {
    const asked = this.#asked;
    this.#asked = [];
    readAnswers(body, asked.length).forEach((told, at) => this.#compare(asked[at] as Query, told));
  }

  #compare(query: Query, told: Told | null): void {
    const ours = this.model.node(query.path);
    if (!told) this.#delete(query.path);
    else if (ours?.digest === told.digest) return;
    else if (!told.isDict || !(ours instanceof Dict)) this.#differ.push(query.path);
    else if (told.children) this.#compareChildren(query, ours, told.children);
    else this.#compareRanges(query, told.ranges ?? []);
  }

  #compareChildren({ path, from, to }: Query, dict: Dict, children: readonly Child[]): void {
    const told = new Set(children.map((child) => child.key));
    for (const [key] of between(dict, from, to)) if (!told.has(key)) this.#delete([...path, key]);
    for (const child of children) {
      const ours = this.model.node([...path, child.key]);
      if (ours && low(ours.digest) === child.low) continue;
      const below = [...path, child.key];
      if (child.isDict && ours instanceof Dict) this.#open.push({ path: below, from: null, to: null });
      else this.#differ.push(below);
    }
  }

  #compareRanges(query: Query, ranges: readonly Range[]): void {
    ranges.forEach((range, at) => {
      // Whatever stands before the first or behind the last belongs to them.
      const part = { path: query.path, from: at === 0 ? query.from : range.first, to: ranges[at + 1]?.first ?? query.to };
      if (!isAlike(this.model, part, range)) this.#open.push(part);
    });
  }

  #delete(path: Path): void {
    if (path.length > 0 && this.model.apply({ path, act: DELETE, value: null, digest: 0n })) this.done.push(path);
  }

  /** Takes a page of what was asked for. What is fetched replaces what is here: what is a dict on both sides is never fetched whole. */
  fetch(frame: Frame, next: Path | null): void {
    for (const op of readOps(frame.body)) {
      this.#fetched += 1;
      if (this.model.apply(op)) this.done.push(op.path);
    }
    this.#after = next;
  }
}

function comparePaths(a: Path, b: Path): number {
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const order = compareKeys(a[at] as string, b[at] as string);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
