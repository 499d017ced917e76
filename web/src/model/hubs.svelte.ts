// The projects that the server shows besides this one, and whether its own hub is reached.
import { readHubs, type Hub } from "../core/hubs";
import { LiveModel } from "../lib/sync/esker";
import { Followed, socketAt } from "./followed.svelte";

export class Hubs extends Followed {
  /** All of them, in the order of their names; null before anything is known. */
  all = $state.raw<readonly Hub[] | null>(null);
  /** The one whose page this is; null on the page of all. */
  own = $derived(this.all?.find((hub) => hub.name === this.#name) ?? null);

  readonly #name: string | null;

  constructor(name: string | null) {
    super(new LiveModel("hubs", { url: socketAt("/sync/1") }));
    this.#name = name;
  }

  protected override get isKnown(): boolean {
    return this.all !== null;
  }

  protected override take(model: unknown): void {
    const all = readHubs(model);
    if (all.length > 0) this.all = all;
  }
}
