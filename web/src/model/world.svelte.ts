// What the page looks at: now, as of a moment, or a what-if. What is otherwise there than now is fetched, and laid over the live state.
import type { Listing, State } from "../core/wire";
import { getListing, type Moment } from "./api";
import type { Live } from "./live.svelte";
import { Loader } from "./loader.svelte";
import type { Place } from "./place.svelte";

export class World {
  readonly #live: Live;
  readonly #place: Place;
  readonly #listing = new Loader<Listing>();

  constructor(live: Live, place: Place) {
    this.#live = live;
    this.#place = place;
  }

  readonly moment: Moment = $derived.by(() => ({ at: this.#place.param("at"), whatIf: this.#place.param("wi") }));

  readonly isNow: boolean = $derived.by(() => this.moment.at === null && this.moment.whatIf === null);

  /** The what-if that is looked at, as far as the live model knows it. */
  readonly whatIf = $derived.by(() => this.#live.state?.whatIfs.find((one) => one.id === this.moment.whatIf) ?? null);

  /** What there was then, or is in the what-if; null now, and until it is here. */
  readonly listing: Listing | null = $derived.by(() => (this.isNow ? null : this.#listing.value));

  readonly error: Error | null = $derived.by(() => (this.isNow ? null : this.#listing.error));

  /** The live state, with the resources of what is looked at. What stages and problems are is known of now alone. */
  readonly state: State | null = $derived.by(() => {
    const now = this.#live.state;
    if (!now || this.isNow) return now;
    // What a what-if says of itself is no resource of the project.
    const resources = this.listing?.entries.filter((entry) => !entry.resource.startsWith("whatif/")) ?? [];
    const stages = now.stages.map((stage) => ({ ...stage, state: null, behind: false }));
    return { ...now, head: this.listing?.at ?? null, resources, stages, runs: [], problems: [], warnings: [] };
  });

  /** Fetches what is needed; to be called in an effect. */
  fetch(): void {
    const { moment, whatIf } = this;
    if (this.isNow) {
      this.#listing.stop();
      return;
    }
    // A date may mean another commit when there are newer ones.
    const version = whatIf?.head ?? (moment.at !== null && /^[0-9a-f]{40}$/.test(moment.at) ? moment.at : (this.#live.state?.head ?? ""));
    this.#listing.want({ subject: `${moment.whatIf ?? ""}\n${moment.at ?? ""}`, version, load: (signal) => getListing(moment, signal) });
  }

  again(): void {
    if (this.#listing.error) this.#listing.again();
  }
}
