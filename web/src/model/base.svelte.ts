// What a what-if began with, beside what it makes of it: so that the page can mark where they differ.
import { getContent, type Content } from "./api";
import { Loader } from "./loader.svelte";
import type { World } from "./world.svelte";

export class Base {
  readonly #loader = new Loader<Content>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** The content at the base; null outside of what-ifs, until it is here, and if there was none. */
  readonly content: Content | null = $derived.by(() => (this.#world.whatIf === null ? null : this.#loader.value));

  /** Fetches it; to be called in an effect. */
  fetch(resource: string): void {
    const base = this.#world.whatIf?.base;
    if (base === undefined || resource === "") this.#loader.stop();
    else this.#loader.want({ subject: `${resource}\n${base}`, version: "", load: (signal) => getContent(resource, { at: base, whatIf: null }, signal) });
  }

  stop(): void {
    this.#loader.stop();
  }
}
