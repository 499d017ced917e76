// Live models as pages use them.
import { within } from "../base";
import { toText } from "./digest";
import type { State } from "./follower";
import { Link, type Socket } from "./link";
import { Dict, type Plain } from "./model";
import type { Path } from "./path";

/** More changed paths than this between two pictures are told as the whole model. */
const PATHS_MAX = 10_000;

/** How often a page that nobody sees is told of changes. */
const HIDDEN_MS = 1_000;

export interface Options {
  /** Only these sections; all if there are none. */
  sections?: readonly Path[];
  /** Where the WebSocket is; that of the server this module is from if it is not given. */
  url?: string;
  /** What opens it. */
  connect?: (url: string) => Socket;
}

interface Listeners {
  change: Set<(paths: readonly Path[]) => void>;
  state: Set<(state: State) => void>;
}

export class LiveModel {
  /** Kept when the model is here for the first time. */
  readonly ready: Promise<void>;
  readonly #link: Link;
  readonly #listeners: Listeners = { change: new Set(), state: new Set() };
  /** What changed since it was last told, by path. */
  readonly #changed = new Map<string, Path>();
  #isAsked = false;

  constructor(name: string, { sections = [], url = here(), connect = (url) => new WebSocket(url) }: Options = {}) {
    let resolve = (): void => {};
    this.ready = new Promise((done) => (resolve = done));
    this.#link = new Link(name, sections, () => connect(url), {
      changed: (paths) => this.#note(paths ?? [[]]),
      state: (state) => {
        if (state === "live") resolve();
        for (const listener of this.#listeners.state) tell(listener, state);
      },
    });
  }

  /** `syncing`, `live`, `catching-up`, `stale`. */
  get state(): State {
    return this.#link.replica.state;
  }

  /** Whether there is a connection. */
  get online(): boolean {
    return this.#link.isOnline;
  }

  /** In how many milliseconds the next try to connect is made; null while there is a connection, or one is being opened. */
  get retryIn(): number | null {
    return this.#link.retryIn;
  }

  /** How many connections were lost so far, or could not be opened. */
  get lost(): number {
    return this.#link.lost;
  }

  /** Tries to connect now, if it waits to. */
  retry(): void {
    this.#link.retry();
  }

  /** Why the last thing that failed did; empty while all goes well. */
  get fault(): string {
    return this.#link.replica.fault;
  }

  /** The last transaction. */
  get seq(): number {
    return this.#link.replica.seq;
  }

  /** The publisher's start, as a decimal text; empty before the first copy. */
  get epoch(): string {
    return this.#link.replica.epoch?.toString() ?? "";
  }

  /** The model's digest, 32 hexadecimal digits. */
  get digest(): string {
    return toText(this.#link.replica.model.digest);
  }

  /** What happened so far, counted. */
  get counts(): Readonly<Record<string, number>> {
    return this.#link.replica.counts;
  }

  /** What is at a path: a leaf, or a dict as a frozen object without a prototype; undefined where nothing is. What has not changed since is the same object. */
  get(path: Path = []): Plain | undefined {
    return this.#link.replica.model.get(path);
  }

  /** The keys of a dict, in order; none where no dict is. */
  keys(path: Path = []): string[] {
    const node = this.#link.replica.model.node(path);
    return node instanceof Dict ? [...node.keys()] : [];
  }

  /** Calls back: `change` with the paths that changed, once for each picture the browser draws; `state` at once. Returns what ends that. */
  on<E extends keyof Listeners>(event: E, listener: Parameters<Listeners[E]["add"]>[0]): () => void {
    const listeners = this.#listeners[event] as Set<unknown>;
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Ends it for good; what it has stays. */
  close(): void {
    this.#link.close();
  }

  #note(paths: readonly Path[]): void {
    if (this.#listeners.change.size === 0) return;
    for (const path of paths) this.#changed.set(JSON.stringify(path), path);
    if (this.#changed.size > PATHS_MAX || this.#changed.has("[]")) {
      this.#changed.clear();
      this.#changed.set("[]", []);
    }
    if (this.#isAsked) return;
    this.#isAsked = true;
    const isSeen = typeof document !== "undefined" && document.visibilityState === "visible";
    if (isSeen) requestAnimationFrame(() => this.#tell());
    else setTimeout(() => this.#tell(), HIDDEN_MS);
  }

  #tell(): void {
    this.#isAsked = false;
    const paths = [...this.#changed.values()];
    this.#changed.clear();
    for (const listener of this.#listeners.change) tell(listener, paths);
  }
}

/** A listener that fails is told of as any other error of the page, and the others are called. */
function tell<T>(listener: (told: T) => void, told: T): void {
  try {
    listener(told);
  } catch (error) {
    reportError(error);
  }
}

function here(): string {
  const module = import.meta.url;
  return new URL(within("sync/1"), module).href.replace(/^http/, "ws");
}

/** Follows a model: `project` is the project's own. */
export function model(name: string, options?: Options): LiveModel {
  return new LiveModel(name, options);
}
