// The connection's life: what the badge says when, when it is given up, what is believed.
import { describe, expect, it } from "vitest";
import { badge, closed, connecting, due, heard, opened, SILENT_MS, STALE_MS, start, wait, type Link } from "./link";
import type { Message, State } from "./wire";

function state(seq: number, epoch = "e"): Message {
  const content: State = { project: "p", version: "1", epoch, seq, head: null, resources: [], stages: [], problems: [], warnings: [], views: [], runner: true, asOf: null };
  return { type: "state", state: content };
}
const beat = (seq: number, epoch = "e"): Message => ({ type: "heartbeat", epoch, seq });
const live = (): Link => heard(opened(start(0), 10), state(5), 20);

describe("badge", () => {
  it("catches up until the first state, then is live", () => {
    expect(badge(start(0), 1)).toBe("catching-up");
    expect(badge(opened(start(0), 10), 11)).toBe("catching-up");
    expect(badge(live(), 21)).toBe("live");
  });

  it("is stale after 12 s of silence, and live again with a heartbeat", () => {
    expect(badge(live(), 20 + STALE_MS - 1)).toBe("live");
    expect(badge(live(), 20 + STALE_MS)).toBe("stale");
    expect(badge(heard(live(), beat(5), 20 + STALE_MS), 20 + STALE_MS)).toBe("live");
  });

  it("is offline between attempts and during them, catching up once open", () => {
    const lost = closed(live(), 100, 0);
    expect(badge(lost, 101)).toBe("offline");
    expect(badge(connecting(lost, 400), 401)).toBe("offline");
    const again = opened(connecting(lost, 400), 410);
    expect(badge(again, 411)).toBe("catching-up");
    expect(again.state?.seq).toBe(5);
    expect(badge(heard(again, state(5), 420), 421)).toBe("live");
  });

  it("catches up when a heartbeat names a newer state or another epoch", () => {
    expect(badge(heard(live(), beat(6), 30), 31)).toBe("catching-up");
    expect(badge(heard(live(), beat(5, "other"), 30), 31)).toBe("catching-up");
    expect(badge(heard(heard(live(), beat(6), 30), state(6), 40), 41)).toBe("live");
  });
});

describe("heard", () => {
  it("keeps the newer of two states of one connection, whatever the order", () => {
    expect(heard(live(), state(4), 30).state?.seq).toBe(5);
    expect(heard(live(), state(1, "new"), 30).state?.epoch).toBe("new");
  });

  it("believes the first state of a new connection, even an older one", () => {
    expect(heard(opened(live(), 50), state(2), 60).state?.seq).toBe(2);
  });
});

describe("due", () => {
  it("connects when the wait is over", () => {
    const lost = closed(start(0), 100, 0);
    expect(due(lost, lost.retryAt - 1)).toBeNull();
    expect(due(lost, lost.retryAt)).toBe("connect");
  });

  it("gives up what does not open, what is silent, and what does not deliver", () => {
    expect(due(start(0), 10_000)).toBe("give-up");
    expect(due(live(), 20 + SILENT_MS)).toBe("give-up");
    const behind = heard(heard(live(), beat(6), 1000), beat(6), 3000);
    expect(due(behind, 3999)).toBeNull();
    expect(due(behind, 4000)).toBe("give-up");
  });
});

describe("wait", () => {
  it("doubles with a limit and spreads", () => {
    expect([0, 1, 2, 3].map((failures) => wait(failures, 0))).toEqual([250, 500, 1000, 2000]);
    expect(wait(50, 0.999)).toBeLessThanOrEqual(15_000);
    expect(wait(3, 0.5)).toBe(3000);
  });
});
