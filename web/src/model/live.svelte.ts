// The one store of the page: follows /api/live and holds the newest state. Every part of the page is a projection of it.
// The rules (waits, silence, order) are in core/link.ts; here are only the socket and the clock.
import { badge, closed, connecting, due, heard, opened, start, type Badge, type Link } from "../core/link";
import { FormatError } from "../core/stacked";
import { readMessage, type State } from "../core/wire";

const TICK_MS = 1_000;

export class Live {
  /** The reader's clock, to the second. */
  now = $state(Date.now());
  /** Why the last message could not be read; empty when it could. */
  fault = $state("");
  /** When each resource last changed while this page watched. */
  changedAt = $state.raw<ReadonlyMap<string, number>>(new Map());

  #link = $state.raw<Link>(start(Date.now()));
  /** Derived, so that who depends on it hears of changes only, not of every tick. */
  readonly badge: Badge = $derived(badge(this.#link, this.now));
  #socket: WebSocket | null = null;
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  get state(): State | null {
    return this.#link.state;
  }

  get heardAt(): number | null {
    return this.#link.heardAt;
  }

  /** When the next attempt to connect is made; null when there is none ahead. */
  get retryAt(): number | null {
    return this.#link.phase === "waiting" ? this.#link.retryAt : null;
  }

  get failures(): number {
    return this.#link.failures;
  }

  /** Connects and keeps connecting until the returned function is called. */
  run(): () => void {
    this.#connect();
    const timer = setInterval(() => this.#tick(), TICK_MS);
    const wake = (): void => {
      this.now = Date.now();
      if (document.visibilityState === "visible" && this.badge !== "live") this.retry();
    };
    window.addEventListener("online", wake);
    document.addEventListener("visibilitychange", wake);
    return () => {
      clearInterval(timer);
      window.removeEventListener("online", wake);
      document.removeEventListener("visibilitychange", wake);
      this.#drop();
    };
  }

  /** Tries now instead of at the time planned. */
  retry(): void {
    if (this.#link.phase !== "connecting") this.#connect();
  }

  #tick(): void {
    this.now = Date.now();
    switch (due(this.#link, this.now)) {
      case "connect":
        this.#connect();
        break;
      case "give-up":
        this.#drop();
        this.#link = closed(this.#link, this.now, Math.random());
        break;
      case null:
        break;
    }
  }

  #connect(): void {
    this.#drop();
    this.#link = connecting(this.#link, Date.now());
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => (this.#link = opened(this.#link, Date.now()));
    socket.onmessage = (event) => this.#hear(event.data);
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#link = closed(this.#link, Date.now(), Math.random());
    };
  }

  #hear(data: unknown): void {
    const before = this.#link.state;
    this.now = Date.now();
    try {
      if (typeof data !== "string") throw new FormatError("expected a text message");
      this.#link = heard(this.#link, readMessage(data), this.now);
      this.fault = "";
    } catch (fault) {
      this.fault = fault instanceof Error ? fault.message : String(fault);
    }
    if (before && this.#link.state && this.#link.state !== before) this.#noteChanges(before, this.#link.state);
  }

  #noteChanges(before: State, after: State): void {
    const old = new Map(before.resources.map((version) => [version.resource, version.revision]));
    const changed = after.resources.filter((version) => old.get(version.resource) !== version.revision);
    if (changed.length === 0) return;
    this.changedAt = new Map([...this.changedAt, ...changed.map((version) => [version.resource, this.now] as const)]);
  }

  /** Lets go of the socket; its late events change nothing. */
  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
