// A replica at work in a browser: its WebSocket, its clock, and what is asked over it.
import { Malformed } from "./bytes";
import type { Needs, State } from "./follower";
import { type Fields, isReply, Reply, request, split } from "./message";
import type { Path } from "./path";
import { Replica } from "./replica";

/** How long a connection may take to open, and a question to be answered. */
const ANSWER_MS = 15_000;
const PAUSE_MIN_MS = 100;
const PAUSE_MAX_MS = 30_000;
/** The browser has a network again, or the page is shown again. */
const AWAKE = ["online", "pageshow", "visibilitychange"];
/** The question that is the link's own. */
const FOLLOW = 0;

/** What of a WebSocket is used. */
export type Socket = Pick<WebSocket, "binaryType" | "onopen" | "onmessage" | "onclose" | "send" | "close">;

/** What a link tells. */
export interface Hears {
  changed(paths: readonly Path[] | null): void;
  state(state: State): void;
}

export class Link implements Needs {
  readonly replica: Replica;
  #socket: Socket | null = null;
  #isOpen = false;
  #isOver = false;
  #pause = PAUSE_MIN_MS;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryIn: number | null = null;
  /** How many connections were lost so far, or could not be opened. */
  lost = 0;
  /** Until when questions are to be answered; the one of number -1 is the opening of the connection. */
  readonly #until = new Map<number, number>();
  #armed = Number.POSITIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly model: string,
    readonly sections: readonly Path[],
    readonly connect: () => Socket,
    readonly hears: Hears,
  ) {
    this.replica = new Replica(sections, this);
    this.#open();
    for (const event of AWAKE) globalThis.addEventListener?.(event, this.retry);
  }

  get isOnline(): boolean {
    return this.#isOpen;
  }

  /** In how many milliseconds the next try to connect is made; null while there is a connection, or one is being opened. */
  get retryIn(): number | null {
    return this.#retryIn === null ? null : Math.max(0, this.#retryIn - performance.now());
  }

  /** Tries to connect now, if it waits. */
  readonly retry = (): void => {
    if (!this.#socket && !this.#isOver) this.#open();
  };

  close(): void {
    this.#isOver = true;
    for (const event of AWAKE) globalThis.removeEventListener?.(event, this.retry);
    clearTimeout(this.#retry);
    clearTimeout(this.#timer);
    this.#drop();
    this.replica.disconnected();
  }

  #open(): void {
    clearTimeout(this.#retry);
    this.#retryIn = null;
    const socket = this.connect();
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    this.#until.set(-1, performance.now() + ANSWER_MS);
    socket.onopen = () => {
      this.#until.delete(-1);
      this.#isOpen = true;
      this.#follow(this.sections);
      this.replica.connected(performance.now());
      this.#arm();
    };
    socket.onmessage = (event: MessageEvent<unknown>) => this.#hear(event.data);
    socket.onclose = () => this.#lost();
    this.#arm();
  }

  /** Lets go of the socket; its late events change nothing. */
  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#isOpen = false;
    this.#until.clear();
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #lost(): void {
    this.lost += 1;
    this.#drop();
    this.replica.disconnected();
    const pause = (this.#pause / 2) * (1 + Math.random());
    this.#retryIn = performance.now() + pause;
    this.#retry = setTimeout(() => this.#open(), pause);
    this.#pause = Math.min(2 * this.#pause, PAUSE_MAX_MS);
    this.#arm();
  }

  #hear(data: unknown): void {
    const now = performance.now();
    try {
      const [head, ...rest] = split(new Uint8Array(data as ArrayBuffer));
      if (head && isReply(head)) this.#answered(new Reply(head, rest), now);
      else if (head && rest[0] && rest[1]) this.replica.frame(rest[0], rest[1], now);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.replica.counts.malformed += 1;
    }
    this.#arm();
  }

  #answered(reply: Reply, now: number): void {
    const id = reply.count("id");
    this.#until.delete(id);
    if (id !== FOLLOW) this.replica.answer(id, reply, now);
    else if (reply.fault) this.replica.fault = reply.fault.message;
  }

  /** Has the clock look again when something is due, if it would not anyway. */
  #arm(): void {
    const due = Math.min(this.replica.due(), ...this.#until.values());
    if (due >= this.#armed || this.#isOver) return;
    clearTimeout(this.#timer);
    this.#armed = due;
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, due - performance.now()));
  }

  #tick(): void {
    this.#armed = Number.POSITIVE_INFINITY;
    const now = performance.now();
    const isLate = [...this.#until.values()].some((until) => until <= now);
    if (isLate) this.#lost();
    this.replica.tick(now);
    this.#arm();
  }

  #follow(sections: readonly Path[]): void {
    this.#send(FOLLOW, "FOLLOW", { section: sections });
  }

  #send(id: number, verb: string, fields: Fields, body?: Uint8Array): void {
    if (!this.#isOpen) return;
    this.#until.set(id, performance.now() + ANSWER_MS);
    this.#socket?.send(request(verb, this.model, { id, ...fields }, body));
  }

  ask(id: number, verb: string, fields: Fields, body?: Uint8Array): void {
    this.#send(id, verb, fields, body);
  }

  hear(everything: boolean): void {
    // The empty path stands for the heartbeats of the whole model alone.
    this.#follow(everything ? this.sections : [[]]);
  }

  reconnect(): void {
    this.#lost();
  }

  random(): number {
    return Math.random();
  }

  changed(paths: readonly Path[] | null): void {
    this.hears.changed(paths);
  }

  state(state: State): void {
    if (state === "live") this.#pause = PAUSE_MIN_MS;
    this.hears.state(state);
  }
}
