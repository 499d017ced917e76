// What is said aloud to readers who do not see the page: one quiet line for changes, at most every few seconds, and one for failures.

const QUIET_MS = 3_000;

export class Notices {
  /** For a polite live region. */
  status = $state("");
  /** For an assertive live region: failures only. */
  alert = $state("");

  #saidAt = 0;
  #waiting: ReturnType<typeof setTimeout> | undefined;

  say(text: string): void {
    clearTimeout(this.#waiting);
    const rest = this.#saidAt + QUIET_MS - Date.now();
    this.#waiting = setTimeout(() => {
      this.#saidAt = Date.now();
      this.status = text;
    }, Math.max(rest, 0));
  }

  warn(text: string): void {
    this.alert = text;
  }
}
