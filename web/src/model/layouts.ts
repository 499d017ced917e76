// Where the nodes go, asked of one worker and remembered by shape: a change of state lays out nothing.
import { hashOf, type Layout, type Shape } from "../core/shape";

const KEPT_MAX = 20;
const DEADLINE_MS = 60_000;

export class Layouts {
  readonly #kept = new Map<string, Layout>();
  #worker: Worker | null = null;

  known(hash: string): Layout | null {
    return this.#kept.get(hash) ?? null;
  }

  /** One at a time: whoever asks for another one has ended the one before by its signal. */
  async lay(shape: Shape, signal: AbortSignal): Promise<Layout> {
    const hash = hashOf(shape);
    const kept = this.#kept.get(hash);
    if (kept) return kept;
    const made = await this.#ask(shape, signal);
    this.#kept.set(hash, made);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_MAX) break;
      this.#kept.delete(oldest);
    }
    return made;
  }

  #ask(shape: Shape, signal: AbortSignal): Promise<Layout> {
    const worker = (this.#worker ??= new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" }));
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(late);
        signal.removeEventListener("abort", dropped);
      };
      // Nothing but its end stops a worker that lays out.
      const stop = (why: Error): void => {
        end();
        worker.terminate();
        this.#worker = null;
        reject(why);
      };
      const late = setTimeout(() => stop(new Error(`the graph is not laid out within ${DEADLINE_MS / 1000} s: find a part of it, or fold groups`)), DEADLINE_MS);
      const dropped = (): void => stop(new Error("no longer wanted"));
      signal.addEventListener("abort", dropped);
      worker.onmessage = (event: MessageEvent<Layout>) => {
        end();
        resolve(event.data);
      };
      worker.onerror = (event) => stop(new Error(`the graph cannot be laid out${event.message ? `: ${event.message}` : ""}`));
      worker.postMessage(shape);
    });
  }
}

/** One for the whole page, so that coming back to the graph shows it at once. */
export const layouts = new Layouts();
