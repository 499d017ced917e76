// What /esker.js has: live models for a project's own pages.

/** A list of keys; the empty one names the model itself. */
export type Path = readonly string[];

/** A leaf. Integers beyond 2^53 are bigints; a record is a frozen object without a prototype. */
export type Value = null | boolean | number | bigint | string | Uint8Array | readonly Value[] | { readonly [name: string]: Value };

/** What is at a path: a leaf, or a dict as a frozen object without a prototype. */
export type Plain = Value | { readonly [key: string]: Plain };

/** How much what a model shows is worth: nothing yet; all; something is missing and being fetched; nobody is heard, it may be old. */
export type State = "syncing" | "live" | "catching-up" | "stale";

export interface Options {
  /** Only these sections; all if there are none. */
  sections?: readonly Path[];
  /** Where the WebSocket is, for example `ws://127.0.0.1:8000/sync/1`; that of the server this module is from if it is not given. */
  url?: string;
}

export interface Model {
  /** Kept when the model is here for the first time, whole and verified. */
  readonly ready: Promise<void>;
  readonly state: State;
  /** Whether there is a connection. */
  readonly online: boolean;
  /** In how many milliseconds the next try to connect is made; null while there is a connection, or one is being opened. */
  readonly retryIn: number | null;
  /** Tries to connect now, if it waits to. */
  retry(): void;
  /** Why the last thing that failed did; empty while all goes well. */
  readonly fault: string;
  /** The publisher's start, as a decimal text; empty before the model is here. */
  readonly epoch: string;
  /** The last transaction. */
  readonly seq: number;
  /** The digest of all that is here, 32 hexadecimal digits: that of the publisher as of `epoch` and `seq`. */
  readonly digest: string;
  /** What happened so far, counted: `applied`, `losses`, `mismatches`, `replays`, `diffs`, `repairs`, `copies` and others. */
  readonly counts: Readonly<Record<string, number>>;
  /** What is at a path; undefined where nothing is. What has not changed since is the same object. */
  get(path?: Path): Plain | undefined;
  /** The keys of a dict, in order; none where no dict is. */
  keys(path?: Path): string[];
  /** Calls back with the paths that changed, once for each picture the browser draws; `[]` among them stands for all. Returns what ends that. */
  on(event: "change", listener: (paths: readonly Path[]) => void): () => void;
  /** Calls back when the state is another one. */
  on(event: "state", listener: (state: State) => void): () => void;
  /** Ends it for good; what it has stays. */
  close(): void;
}

/** Follows a model: `project` is the project's own. */
export function model(name: string, options?: Options): Model;

/** A resource of the project: its newest version, or what it would be in a what-if. */
export interface Resource {
  readonly name: string;
  /** Kept when it is known what there is. */
  readonly ready: Promise<void>;
  readonly state: State;
  /** The commit of `main` its newest version is from; null if there is none. */
  readonly revision: string | null;
  /** Its content; asked for again only when there is another version. */
  text(): Promise<string>;
  /** Calls back when there is another version. Returns what ends that. */
  on(event: "change", listener: () => void): () => void;
  /** Ends it for good. */
  close(): void;
}

/** A resource by its name; with `whatIf` as it would be in that what-if. */
export function resource(name: string, options?: { whatIf?: string }): Resource;

/** What is to be otherwise: an address and one deed, `set`, `add`, `remove`, `move` or `rank`. */
export type Edit = Readonly<Record<string, unknown>> & { readonly at: string };

export interface NewWhatIf {
  title: string;
  edits: readonly Edit[];
  id?: string;
  /** The revision it changes; the newest without it. */
  base?: string;
  /** How long it is kept; thirty days without it. */
  days?: number;
}

export type WhatIfState = "computing" | "done" | "problem" | "invalid" | "applied" | "gone";

export interface WhatIf {
  readonly id: string;
  readonly title: string;
  readonly state: WhatIfState;
  /** Why it cannot be computed, or what came of it. */
  readonly summary: string;
  /** Where esker's own page shows it. */
  readonly url: string;
  /** Kept as soon as it is not being computed any more; what it is then. */
  done(): Promise<WhatIfState>;
  /** What a resource would be. */
  text(resource: string): Promise<string>;
  /** Has other edits, or another title. */
  amend(change: { title?: string; edits?: readonly Edit[]; days?: number; pinned?: boolean }): Promise<void>;
  /** Makes it so on `main`; the commit it was applied as. What it throws has `conflicts` where somebody has changed the same. */
  apply(options?: { why?: string; settle?: readonly { edit: number; side: "mine" | "theirs" }[] }): Promise<string>;
  /** Takes it away. */
  discard(): Promise<void>;
  /** Calls back when anything about it is otherwise. Returns what ends that. */
  on(event: "change", listener: () => void): () => void;
  /** Looks no longer; it stays. */
  close(): void;
}

/** Makes a what-if, or takes up one by its id. */
export function whatIf(wanted: NewWhatIf | string): Promise<WhatIf>;

declare const esker: { model: typeof model; resource: typeof resource; whatIf: typeof whatIf };
export default esker;
