// How far a replica has come: in the model as a whole, or in each section it follows.
import { sectionId } from "./digest";
import { isSame, type Path } from "./path";

/** How far it has come in a section, or in the whole model, whose path is the empty one. */
export interface Place {
  path: Path;
  /** The last transaction it has of it. */
  last: number;
  /** The last transaction it has that is known to have touched it. */
  touched: number;
  /** A transaction that a heartbeat told of. */
  told: number;
}

export class Chain {
  readonly isWhole: boolean;
  readonly #places: Map<bigint, Place>;
  readonly #first: Place;

  /** Nothing yet, of these sections, or of all if there are none. */
  constructor(sections: readonly Path[]) {
    this.isWhole = sections.length === 0;
    const paths = this.isWhole ? [[]] : sections;
    this.#places = new Map(paths.map((path) => [sectionId(path), { path, last: 0, touched: 0, told: 0 }]));
    this.#first = this.#places.values().next().value as Place;
  }

  /** The place of what a frame of this section is part of. */
  place(section: bigint): Place | undefined {
    return this.isWhole ? this.#first : this.#places.get(section);
  }

  /** The place that a heartbeat tells of: of the whole model, or of one section. */
  named(section: bigint): Place | undefined {
    return this.#places.get(section);
  }

  places(): IterableIterator<[bigint, Place]> {
    return this.#places.entries();
  }

  #of(only: readonly Path[]): Place[] {
    const all = [...this.#places.values()];
    return this.isWhole || only.length === 0 ? all : all.filter((place) => only.some((path) => isSame(path, place.path)));
  }

  /** It has this transaction now and all before it, in these sections; in all of them if none is named. */
  reach(seq: number, only: readonly Path[]): void {
    for (const place of this.#of(only)) {
      place.last = seq;
      // Which transactions touched it is known of those alone that came as frames.
      place.touched = this.isWhole ? seq : 0;
    }
  }

  /** It has all that touched these sections up to this transaction. */
  advance(seq: number, only: readonly Path[]): void {
    for (const place of this.#of(only)) place.last = Math.max(place.last, seq);
  }

  /** What heartbeats told may never come. */
  forgetTold(): void {
    for (const place of this.#places.values()) place.told = 0;
  }

  /** The publisher began anew: what it told before is void. */
  restart(seq: number): void {
    this.forgetTold();
    this.reach(seq, []);
  }

  /** The last transaction; of several sections, the newest. */
  get newest(): number {
    return this.isWhole ? this.#first.last : Math.max(...[...this.#places.values()].map((place) => place.last));
  }

  /** The oldest of the last transactions in these sections. */
  oldest(only: readonly Path[]): number {
    return Math.min(...this.#of(only).map((place) => place.last));
  }
}
