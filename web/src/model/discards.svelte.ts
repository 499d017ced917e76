// What-ifs that are about to be discarded. Until then nothing has happened: who closes the page has discarded nothing.
import { discardWhatIf } from "./whatifs";

/** Long enough to take it back. */
const UNDO_MS = 10_000;

export interface Discard {
  id: string;
  title: string;
  /** When it happens. */
  at: number;
  fault: string;
}

class Discards {
  pending = $state.raw<readonly Discard[]>([]);
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  has(id: string): boolean {
    return this.pending.some((one) => one.id === id && one.fault === "");
  }

  start(id: string, title: string): void {
    this.undo(id);
    this.pending = [...this.pending, { id, title, at: Date.now() + UNDO_MS, fault: "" }];
    this.#timers.set(id, setTimeout(() => void this.#end(id), UNDO_MS));
  }

  undo(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.pending = this.pending.filter((one) => one.id !== id);
  }

  async #end(id: string): Promise<void> {
    try {
      await discardWhatIf(id);
      this.undo(id);
    } catch (fault) {
      this.pending = this.pending.map((one) => (one.id === id ? { ...one, fault: fault instanceof Error ? fault.message : String(fault) } : one));
    }
  }
}

export const discards = new Discards();
