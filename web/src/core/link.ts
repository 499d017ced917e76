// The life of the connection to /api/live as values: what was heard when, what to do next, what the badge says.
// Pure: sockets and timers are in model/live.svelte.ts; the time and the random number are passed in.
import type { Message, State } from "./wire";

/** A heartbeat comes every 5 s; two lost and a little more is no accident. */
export const STALE_MS = 12_000;
/** A connection this silent is given up. */
export const SILENT_MS = 20_000;
/** A connection that does not open in this time is given up. */
export const OPEN_MS = 10_000;
/** A state the server has announced but not sent is asked for again after this time. */
const BEHIND_MS = 3_000;
const WAIT_MIN_MS = 500;
const WAIT_MAX_MS = 15_000;

export type Badge = "live" | "catching-up" | "stale" | "offline";

export interface Link {
  phase: "connecting" | "open" | "waiting";
  /** When the phase began. */
  since: number;
  /** Attempts that failed since the last state was received. */
  failures: number;
  /** When to try again, in phase `waiting`. */
  retryAt: number;
  heardAt: number | null;
  /** The newest state, kept over connections. */
  state: State | null;
  /** The state came over this connection. */
  current: boolean;
  /** Since when a heartbeat has named a state we do not have. */
  behindSince: number | null;
}

export function start(now: number): Link {
  return { phase: "connecting", since: now, failures: 0, retryAt: 0, heardAt: null, state: null, current: false, behindSince: null };
}

export function opened(link: Link, now: number): Link {
  return { ...link, phase: "open", since: now, heardAt: now, current: false, behindSince: null };
}

export function heard(link: Link, message: Message, now: number): Link {
  const next = { ...link, heardAt: now };
  switch (message.type) {
    case "state":
      return outdated(link, message.state) ? next : { ...next, state: message.state, current: true, failures: 0, behindSince: null };
    case "heartbeat": {
      const { state } = link;
      const same = state !== null && state.epoch === message.epoch && state.seq >= message.seq;
      return { ...next, behindSince: same ? null : (link.behindSince ?? now) };
    }
    case "other":
      return next;
  }
}

/** An older state than the one already received over the same connection. */
function outdated(link: Link, state: State): boolean {
  return link.current && link.state !== null && link.state.epoch === state.epoch && state.seq < link.state.seq;
}

export function closed(link: Link, now: number, random: number): Link {
  const retryAt = now + wait(link.failures, random);
  return { ...link, phase: "waiting", since: now, failures: link.failures + 1, retryAt, current: false, behindSince: null };
}

export function connecting(link: Link, now: number): Link {
  return { ...link, phase: "connecting", since: now };
}

/** Doubling waits with a limit; `random` in [0, 1) spreads the clients of a restarted server. */
export function wait(failures: number, random: number): number {
  const most = Math.min(WAIT_MAX_MS, WAIT_MIN_MS * 2 ** Math.min(failures, 16));
  return most / 2 + (most / 2) * random;
}

/** What the clock calls for: open a new connection, or give up the one there is. */
export function due(link: Link, now: number): "connect" | "give-up" | null {
  switch (link.phase) {
    case "waiting":
      return now >= link.retryAt ? "connect" : null;
    case "connecting":
      return now - link.since >= OPEN_MS ? "give-up" : null;
    case "open":
      return silence(link, now) >= SILENT_MS || (link.behindSince !== null && now - link.behindSince >= BEHIND_MS) ? "give-up" : null;
  }
}

export function badge(link: Link, now: number): Badge {
  if (link.phase === "waiting") return "offline";
  if (link.phase === "connecting") return link.failures > 0 ? "offline" : "catching-up";
  if (silence(link, now) >= STALE_MS) return "stale";
  return link.current && link.behindSince === null ? "live" : "catching-up";
}

function silence(link: Link, now: number): number {
  return now - (link.heardAt ?? link.since);
}
