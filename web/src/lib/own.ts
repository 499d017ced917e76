// What a project's own pages have besides models: resources, whose content follows the newest version, and what-ifs.
import { within } from "./base";
import { ApiError, ask, readText, request } from "./rest";
import { LiveModel } from "./sync/esker";
import type { State } from "./sync/follower";

/** How long is waited for the answer to what was asked of a what-if. */
const ANSWER_MS = 60_000;
const SECTIONS = [["about"], ["resources"], ["whatifs"]];

let project: LiveModel | null = null;

/** The project as all of a page's resources and what-ifs see it: one connection for all of them. */
function shared(): LiveModel {
  project ??= new LiveModel("project", { sections: SECTIONS });
  return project;
}

/** What is known of a resource or a what-if. */
function known(...path: string[]): Record<string, unknown> | null {
  const found = shared().get(path);
  return typeof found === "object" && found !== null ? (found as Record<string, unknown>) : null;
}

async function textOf(resource: string, whatIf: string | null): Promise<string> {
  const query = new URLSearchParams({ resource, ...(whatIf !== null && { whatif: whatIf }) });
  const answer = await ask(`get?${query.toString()}`, {}, new AbortController().signal);
  return readText(answer, resource);
}

/** Tells listeners whenever what they look at has become another. */
class Told {
  readonly #listeners = new Set<() => void>();
  readonly #end: () => void;
  #seen: unknown;

  constructor(look: () => unknown) {
    this.#seen = look();
    const changed = (): void => {
      const now = look();
      if (now === this.#seen) return;
      this.#seen = now;
      for (const listener of this.#listeners) listener();
    };
    this.#end = shared().on("change", changed);
  }

  on(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#end();
    this.#listeners.clear();
  }
}

/** One resource: its newest version, or what it would be in a what-if. */
export class Resource {
  /** Kept when it is known what there is. */
  readonly ready: Promise<void>;
  readonly #told: Told;
  #text: { of: string; text: Promise<string> } | null = null;

  constructor(
    readonly name: string,
    readonly whatIf: string | null = null,
  ) {
    this.ready = shared().ready;
    this.#told = new Told(() => this.#version());
  }

  /** How much what is known is worth, as of a model. */
  get state(): State {
    return shared().state;
  }

  /** The commit of `main` its newest version is from; null if there is none. */
  get revision(): string | null {
    const revision = known("resources", this.name)?.["revision"];
    return typeof revision === "string" ? revision : null;
  }

  /** Its content; asked for again only when there is another version. */
  text(): Promise<string> {
    const of = this.#version();
    if (this.#text?.of !== of) {
      const text = textOf(this.name, this.whatIf);
      this.#text = { of, text };
      // What could not be had is asked for again.
      text.catch(() => {
        if (this.#text?.text === text) this.#text = null;
      });
    }
    return this.#text.text;
  }

  /** Calls back when there is another version. Returns what ends that. */
  on(event: "change", listener: () => void): () => void {
    void event;
    return this.#told.on(listener);
  }

  /** Ends it for good. */
  close(): void {
    this.#told.close();
  }

  #version(): string {
    const of = this.whatIf === null ? this.revision : known("whatifs", this.whatIf)?.["head"];
    return typeof of === "string" ? of : "";
  }
}

/** What is to be otherwise: an address and one deed, as docs/http.md says. */
export type Edit = Readonly<Record<string, unknown>> & { readonly at: string };

export interface NewWhatIf {
  title: string;
  edits: readonly Edit[];
  id?: string;
  base?: string;
  days?: number;
}

export interface Apply {
  why?: string;
  settle?: readonly { edit: number; side: "mine" | "theirs" }[];
}

/** A what-if cannot be applied as it is: somebody has changed the same. */
export class Conflicted extends ApiError {
  constructor(
    message: string,
    readonly conflicts: readonly unknown[],
  ) {
    super("conflict", message, "settle each, mine or theirs");
  }
}

interface Whole {
  about: string;
  answer: { number: number; revision: string | null; summary: string; conflicts?: unknown[] } | null;
  ask: { number: number } | null;
}

export type WhatIfState = "computing" | "done" | "problem" | "invalid" | "applied" | "gone";

export class WhatIf {
  readonly #told: Told;
  #wasThere = false;
  /** What it says of itself since this page amended it; older news than that are not believed. */
  #about: string;

  constructor(
    readonly id: string,
    about: string,
  ) {
    this.#about = about;
    this.#told = new Told(() => known("whatifs", id));
  }

  /** Where esker's own page shows it. */
  get url(): string {
    return within(`#/whatif/${encodeURIComponent(this.id)}`);
  }

  get title(): string {
    return String(known("whatifs", this.id)?.["title"] ?? this.id);
  }

  /** Why it cannot be computed, or what came of it. */
  get summary(): string {
    return String(known("whatifs", this.id)?.["summary"] ?? "");
  }

  get state(): WhatIfState {
    const told = known("whatifs", this.id);
    if (told === null) return this.#wasThere ? "gone" : "computing";
    this.#wasThere = true;
    const { about, state } = told;
    // Until the model tells of what was said last, it is of what was said before.
    return this.#about !== "" && about !== this.#about ? "computing" : (state as WhatIfState);
  }

  /** Kept as soon as it is not being computed any more; what it is then. */
  done(): Promise<WhatIfState> {
    return this.#until((state) => state !== "computing", Number.POSITIVE_INFINITY).then(() => this.state);
  }

  /** What a resource would be. */
  text(resource: string): Promise<string> {
    return textOf(resource, this.id);
  }

  /** Has other edits, or another title. */
  async amend(change: { title?: string; edits?: readonly Edit[]; days?: number; pinned?: boolean }): Promise<void> {
    await this.#put(change);
  }

  /** Makes it so on `main`; the commit it was applied as. Throws Conflicted where somebody has changed the same. */
  async apply({ why, settle }: Apply = {}): Promise<string> {
    const { ask: asked } = await this.#put({ ask: { what: "apply", ...(why !== undefined && { why }), ...(settle && { settle }) } });
    let answer: Whole["answer"] = null;
    await this.#until(async () => {
      answer = (await this.#whole()).answer;
      return asked === null || answer?.number === asked.number;
    }, ANSWER_MS);
    const { revision, summary, conflicts = [] } = (answer ?? {}) as Partial<NonNullable<Whole["answer"]>>;
    if (typeof revision === "string") return revision;
    throw new Conflicted(summary ?? "it was not applied", conflicts);
  }

  /** Takes it away. */
  async discard(): Promise<void> {
    this.#wasThere = true;
    await request("DELETE", this.#path(), null);
  }

  /** Calls back when anything about it is otherwise. Returns what ends that. */
  on(event: "change", listener: () => void): () => void {
    void event;
    return this.#told.on(listener);
  }

  /** Looks no longer; it stays. */
  close(): void {
    this.#told.close();
  }

  async #put(change: object): Promise<Whole> {
    const { about } = await this.#whole();
    const told = JSON.parse(await request("PUT", this.#path(), { about, ...change })) as Whole;
    this.#about = told.about;
    return told;
  }

  async #whole(): Promise<Whole> {
    return JSON.parse(await request("GET", this.#path(), null)) as Whole;
  }

  #path(): string {
    return `whatif/${encodeURIComponent(this.id)}`;
  }

  /** Kept when it holds, looked at whenever there is news. */
  async #until(holds: (state: WhatIfState) => boolean | Promise<boolean>, within: number): Promise<void> {
    let ring = (): void => {};
    const end = this.#told.on(() => ring());
    const until = performance.now() + within;
    try {
      for (;;) {
        const news = new Promise<void>((told) => (ring = told));
        if (await holds(this.state)) return;
        const left = until - performance.now();
        if (left <= 0) throw new ApiError("timeout", `${this.id} has not answered within ${within / 1000} s`, "is a runner there?");
        await Promise.race([news, ...(Number.isFinite(left) ? [new Promise((late) => setTimeout(late, left))] : [])]);
      }
    } finally {
      end();
    }
  }
}

/** A resource of the project; as it would be with the id of a what-if. */
export function resource(name: string, options: { whatIf?: string } = {}): Resource {
  return new Resource(name, options.whatIf ?? null);
}

/** Makes a what-if, or takes up one by its id. */
export async function whatIf(wanted: NewWhatIf | string): Promise<WhatIf> {
  const [method, path, body] = typeof wanted === "string" ? (["GET", `whatif/${encodeURIComponent(wanted)}`, null] as const) : (["POST", "whatif", wanted] as const);
  const told = JSON.parse(await request(method, path, body)) as { id: string; about: string };
  await shared().ready;
  return new WhatIf(told.id, told.about);
}
