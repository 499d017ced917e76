// What can be done from where one is, by a key or from the palette. Parts of the page say what they offer while they are there.

import { untrack } from "svelte";

export interface Action {
  /** A character as the keyboard gives it, or two that are pressed one after the other: `g p`. None: in the palette only. */
  key?: string;
  what: string;
  run: () => void;
}

/** How long after the first of two keys the second counts. */
const SECOND_MS = 1_200;

export class Actions {
  /** Which of the lists is open. */
  open = $state<"" | "palette" | "help">("");
  all = $state.raw<readonly Action[]>([]);
  #first = "";
  #firstAt = 0;

  /** Offers actions until the returned function is called; a key counts for who offered it last. */
  add(...offered: Action[]): () => void {
    // Who offers something does not depend on what others offer.
    untrack(() => (this.all = [...this.all, ...offered]));
    return () => untrack(() => (this.all = this.all.filter((action) => !offered.includes(action))));
  }

  /** Takes a key that was pressed; true if it meant something. */
  press(key: string, now: number): boolean {
    const both = this.#first !== "" && now - this.#firstAt <= SECOND_MS ? `${this.#first} ${key}` : "";
    this.#first = "";
    const action = this.#with(both) ?? this.#with(key);
    if (action) {
      action.run();
      return true;
    }
    const begins = this.all.some((one) => one.key?.startsWith(`${key} `));
    if (begins) {
      this.#first = key;
      this.#firstAt = now;
    }
    return begins;
  }

  #with(key: string): Action | undefined {
    return key === "" ? undefined : this.all.findLast((action) => action.key === key);
  }
}
