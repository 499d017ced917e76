// Loads one thing that changes: one request at a time, the latest wish wins, the old value stays until the new one is there.
// A stream of changes therefore never starves the page: what is under way is shown first.

/** What is loaded: `subject` is the thing, `version` its state. Another subject drops what is under way. */
export interface Wish<T> {
  subject: string;
  version: string;
  load: (signal: AbortSignal) => Promise<T>;
}

export class Loader<T> {
  value = $state.raw<T | null>(null);
  error = $state.raw<Error | null>(null);
  loading = $state(false);

  #wish: Wish<T> | null = null;
  #running: AbortController | null = null;
  #next: Wish<T> | null = null;

  /** Wishes for a version of a subject; the same wish again does nothing unless it failed and `again` is set. */
  want(wish: Wish<T>, again = false): void {
    const last = this.#next ?? this.#wish;
    if (last?.subject === wish.subject && last.version === wish.version && !again) return;
    if (this.#wish?.subject !== wish.subject) {
      this.stop();
      this.value = null;
      this.error = null;
    }
    if (this.#running) this.#next = wish;
    else void this.#run(wish);
  }

  again(): void {
    const wish = this.#next ?? this.#wish;
    if (wish) this.want(wish, true);
  }

  stop(): void {
    this.#running?.abort();
    this.#running = null;
    this.#next = null;
    this.loading = false;
  }

  async #run(wish: Wish<T>): Promise<void> {
    const control = new AbortController();
    this.#running = control;
    this.#wish = wish;
    this.loading = true;
    try {
      const value = await wish.load(control.signal);
      if (this.#running !== control) return;
      this.value = value;
      this.error = null;
    } catch (fault) {
      if (this.#running !== control) return;
      this.error = fault instanceof Error ? fault : new Error(String(fault));
    }
    this.#running = null;
    this.loading = false;
    const next = this.#next;
    this.#next = null;
    if (next) void this.#run(next);
  }
}
