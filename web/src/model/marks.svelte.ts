// Remembers for a short while what changed between two versions of what is shown, so that it can be marked.

/** Long enough to find the mark, short enough not to become decoration. */
export const MARK_MS = 15_000;

export class Marks<T, C> {
  changes = $state.raw<C | null>(null);
  at = $state(0);

  #subject = "";
  #revision = "";
  #value: T | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #compare: (before: T, after: T) => C;

  constructor(compare: (before: T, after: T) => C) {
    this.#compare = compare;
  }

  /** Takes what is shown now; returns the changes when the same subject was shown in another revision before. */
  show(subject: string, revision: string, value: T): C | null {
    if (subject === this.#subject && revision === this.#revision) return null;
    const before = subject === this.#subject ? this.#value : null;
    this.#subject = subject;
    this.#revision = revision;
    this.#value = value;
    clearTimeout(this.#timer);
    this.changes = before === null ? null : this.#compare(before, value);
    if (this.changes === null) return null;
    this.at = Date.now();
    this.#timer = setTimeout(() => (this.changes = null), MARK_MS);
    return this.changes;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
