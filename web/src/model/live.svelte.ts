// The one store of the page: a replica of the live model `project`, verified change by change. Every part of the page is a projection
// of it. What keeps it in step is lib/sync; here is what was read of it.
import { Reader, SECTIONS } from "../core/project";
import type { State } from "../core/wire";
import { LiveModel } from "../lib/sync/esker";
import { Followed } from "./followed.svelte";

export class Live extends Followed {
  /** When each resource last changed while this page watched. */
  changedAt = $state.raw<ReadonlyMap<string, number>>(new Map());
  /** The newest that is known; stays while nothing is heard. */
  state = $state.raw<State | null>(null);

  readonly #reader = new Reader();

  constructor(url: string) {
    super(new LiveModel("project", { url, sections: SECTIONS }));
  }

  /** Where the model is: its transaction, its publisher's start and its digest, and what it took to stay in step. */
  get place(): { seq: number; epoch: string; digest: string; counts: Readonly<Record<string, number>>; fault: string } {
    const { seq, epoch, digest, counts, fault } = this.model;
    return { seq, epoch, digest, counts, fault };
  }

  protected override get isKnown(): boolean {
    return this.state !== null;
  }

  protected override take(model: unknown): void {
    const before = this.state;
    this.state = this.#reader.read(model) ?? before;
    if (before && this.state && this.state !== before) this.#noteChanges(before, this.state);
  }

  #noteChanges(before: State, after: State): void {
    const old = new Map(before.resources.map((version) => [version.resource, version.revision]));
    const changed = after.resources.filter((version) => old.get(version.resource) !== version.revision);
    if (changed.length === 0) return;
    this.changedAt = new Map([...this.changedAt, ...changed.map((version) => [version.resource, this.now] as const)]);
  }
}
