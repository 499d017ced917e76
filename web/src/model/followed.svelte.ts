// A live model that is followed while the page is there, and what the badge says of it.
import type { LiveModel } from "../lib/sync/esker";

const TICK_MS = 1_000;

export type Badge = "live" | "catching-up" | "stale" | "offline";

/** Where the live model below a path of the server is. */
export function socketAt(path: string): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
}

export abstract class Followed {
  /** The reader's clock, to the second; it stands still while nobody sees the page. */
  now = $state(Date.now());
  /** Why the model could not be read; empty when it could. */
  fault = $state("");
  badge = $state<Badge>("catching-up");
  /** Since when the badge is what it is. */
  since = $state(Date.now());
  /** When the next attempt to connect is made; null when there is none ahead. */
  retryAt = $state<number | null>(null);
  /** How many connections were lost so far, or could not be opened. */
  lost = $state(0);

  constructor(protected readonly model: LiveModel) {}

  /** Whether anything is known yet. */
  protected abstract get isKnown(): boolean;

  /** Takes in what the model is now; what it throws is told as the fault. */
  protected abstract take(model: unknown): void;

  /** Follows the model until the returned function is called. */
  run(): () => void {
    const ends = [this.model.on("change", () => this.#read()), this.model.on("state", () => this.#look())];
    const timer = setInterval(() => this.#tick(), TICK_MS);
    const shown = (): void => this.#tick();
    document.addEventListener("visibilitychange", shown);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", shown);
      for (const end of ends) end();
      this.model.close();
    };
  }

  /** Tries now instead of at the time planned. */
  retry(): void {
    this.model.retry();
    this.#look();
  }

  #tick(): void {
    if (document.visibilityState !== "visible") return;
    this.now = Date.now();
    this.#look();
  }

  #look(): void {
    const { retryIn, online, state, lost } = this.model;
    this.lost = lost;
    this.retryAt = retryIn === null ? null : Date.now() + retryIn;
    const badge = online ? (state === "syncing" ? "catching-up" : state) : this.retryAt === null && !this.isKnown ? "catching-up" : "offline";
    if (badge === this.badge) return;
    this.badge = badge;
    this.since = Date.now();
  }

  #read(): void {
    this.now = Date.now();
    try {
      this.take(this.model.get());
      this.fault = "";
    } catch (fault) {
      this.fault = fault instanceof Error ? fault.message : String(fault);
    }
  }
}
