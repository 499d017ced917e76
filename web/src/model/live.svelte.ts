// The one store of the page: a replica of the live model `project`, verified change by change. Every part of the page is a projection
// of it. What keeps it in step is lib/sync; here are the clock and what the badge says.
import { Reader, SECTIONS } from "../core/project";
import type { State } from "../core/wire";
import { LiveModel } from "../lib/sync/esker";

const TICK_MS = 1_000;

export type Badge = "live" | "catching-up" | "stale" | "offline";

export class Live {
  /** The reader's clock, to the second; it stands still while nobody sees the page. */
  now = $state(Date.now());
  /** Why the model could not be read; empty when it could. */
  fault = $state("");
  /** When each resource last changed while this page watched. */
  changedAt = $state.raw<ReadonlyMap<string, number>>(new Map());
  /** The newest that is known; stays while nothing is heard. */
  state = $state.raw<State | null>(null);
  badge = $state<Badge>("catching-up");
  /** Since when the badge is what it is. */
  since = $state(Date.now());
  /** When the next attempt to connect is made; null when there is none ahead. */
  retryAt = $state<number | null>(null);

  readonly #model: LiveModel;
  readonly #reader = new Reader();

  constructor(url: string) {
    this.#model = new LiveModel("project", { url, sections: SECTIONS });
  }

  /** Where the model is: its transaction, its publisher's start and its digest, and what it took to stay in step. */
  get place(): { seq: number; epoch: string; digest: string; counts: Readonly<Record<string, number>>; fault: string } {
    const { seq, epoch, digest, counts, fault } = this.#model;
    return { seq, epoch, digest, counts, fault };
  }

  /** Follows the model until the returned function is called. */
  run(): () => void {
    const ends = [this.#model.on("change", () => this.#read()), this.#model.on("state", () => this.#look())];
    const timer = setInterval(() => this.#tick(), TICK_MS);
    const shown = (): void => this.#tick();
    document.addEventListener("visibilitychange", shown);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", shown);
      for (const end of ends) end();
      this.#model.close();
    };
  }

  /** Tries now instead of at the time planned. */
  retry(): void {
    this.#model.retry();
    this.#look();
  }

  #tick(): void {
    if (document.visibilityState !== "visible") return;
    this.now = Date.now();
    this.#look();
  }

  #look(): void {
    const { retryIn, online, state } = this.#model;
    this.retryAt = retryIn === null ? null : Date.now() + retryIn;
    const badge = online ? (state === "syncing" ? "catching-up" : state) : this.retryAt === null && this.state === null ? "catching-up" : "offline";
    if (badge === this.badge) return;
    this.badge = badge;
    this.since = Date.now();
  }

  #read(): void {
    const before = this.state;
    this.now = Date.now();
    try {
      this.state = this.#reader.read(this.#model.get()) ?? before;
      this.fault = "";
    } catch (fault) {
      this.fault = fault instanceof Error ? fault.message : String(fault);
    }
    if (before && this.state && this.state !== before) this.#noteChanges(before, this.state);
  }

  #noteChanges(before: State, after: State): void {
    const old = new Map(before.resources.map((version) => [version.resource, version.revision]));
    const changed = after.resources.filter((version) => old.get(version.resource) !== version.revision);
    if (changed.length === 0) return;
    this.changedAt = new Map([...this.changedAt, ...changed.map((version) => [version.resource, this.now] as const)]);
  }
}
