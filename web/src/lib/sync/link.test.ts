// The WebSocket of a replica: what is said when, and how it is opened again.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Link } from "./link";
import { Publisher } from "./publisher";
import { FakeSocket } from "./socket";
import { utf8 } from "./testing";

let sockets: FakeSocket[];
let states: string[];
let link: Link;

function newest(): FakeSocket {
  return sockets.at(-1) as FakeSocket;
}

function start(publisher: Publisher | null = null): void {
  const connect = (): FakeSocket => {
    sockets.push(new FakeSocket(publisher));
    return newest();
  };
  link = new Link("m", [["a"]], connect, { changed: () => {}, state: (state) => states.push(state) });
}

beforeEach(() => {
  vi.useFakeTimers();
  [sockets, states] = [[], []];
});

afterEach(() => {
  link.close();
  vi.useRealTimers();
});

it("says what it follows before it asks anything", () => {
  start();
  expect(newest().binaryType).toBe("arraybuffer");
  newest().open();
  expect(newest().asked.map(({ verb, model }) => [verb, model])).toEqual([["FOLLOW", "m"], ["HELLO", "m"]]);
  expect(newest().asked[0]?.fields["section"]).toEqual([["a"]]);
  expect(link.isOnline).toBe(true);
});

it("connects again after pauses that grow to half a minute, and soon once it was in step", async () => {
  start(new Publisher(1n));
  const pauses: number[] = [];
  for (let failure = 0; failure < 15; failure += 1) {
    const before = Date.now();
    newest().end();
    const count = sockets.length;
    while (sockets.length === count) vi.advanceTimersToNextTimer();
    pauses.push(Date.now() - before);
  }
  pauses.forEach((pause, failure) => {
    const most = Math.min(30_000, 100 * 2 ** failure);
    expect(pause).toBeGreaterThanOrEqual(Math.floor(most / 2));
    expect(pause).toBeLessThanOrEqual(most + 1);
  });
  newest().open();
  await vi.advanceTimersByTimeAsync(100);
  expect(states).toEqual(["catching-up", "live"]);
  const before = Date.now();
  newest().end();
  expect(states).toEqual(["catching-up", "live", "stale"]);
  const count = sockets.length;
  while (sockets.length === count) vi.advanceTimersToNextTimer();
  expect(Date.now() - before).toBeLessThanOrEqual(101);
  expect(link.lost).toBe(16);
});

it("gives up a connection that does not open, or does not answer", () => {
  start();
  vi.advanceTimersByTime(15_001);
  expect(newest().isClosed).toBe(true);
  vi.advanceTimersByTime(101);
  expect(sockets.length).toBe(2);
  newest().open();
  vi.advanceTimersByTime(15_001);
  expect(sockets[1]?.isClosed).toBe(true);
});

it("leaves out what cannot be read, and what a socket says that it has let go", async () => {
  start(new Publisher(1n));
  newest().open();
  await vi.advanceTimersByTimeAsync(10);
  newest().hear(utf8("=====esker/1 WHAT\n"));
  newest().onmessage?.call(newest() as never, { data: new Uint8Array([9, 0, 0]).buffer } as never);
  newest().hear(utf8("esker-sync/1 m\0"), new Uint8Array(71), new Uint8Array());
  newest().hear(utf8("=====esker/1 OK\n\tid: 99\n"));
  expect(link.replica.counts.malformed).toBe(3);
  expect(states).toEqual(["catching-up", "live"]);
  const late = newest();
  link.close();
  expect(late.onmessage).toBeNull();
  vi.advanceTimersByTime(60_000);
  expect(sockets.length).toBe(1);
});

it("hears heartbeats alone while it asks at its own pace", () => {
  start();
  newest().open();
  link.hear(false);
  expect(newest().asked.at(-1)).toMatchObject({ verb: "FOLLOW", fields: { section: [[]] } });
  link.hear(true);
  expect(newest().asked.at(-1)).toMatchObject({ verb: "FOLLOW", fields: { section: [["a"]] } });
});
