// For tests alone: a replica and its publisher, with a clock and a way between them that are the test's.
import { expect } from "vitest";
import type { State } from "./follower";
import type { Fields } from "./message";
import { isSame, type Path } from "./path";
import { Publisher, type Sent } from "./publisher";
import { Replica } from "./replica";
import type { ToldOp } from "./testing";

/** Numbers from 0 to 1 that are the same each time. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class World {
  now = 0;
  publisher: Publisher;
  readonly replica: Replica;
  readonly pick: () => number;
  readonly states: State[] = [];
  changed: (readonly Path[] | null)[] = [];
  asked: { at: number; id: number; verb: string; fields: Fields; body: Uint8Array | undefined }[] = [];
  onWay: { at: number; sent: Sent }[] = [];
  hearsAll = true;
  readonly hears: boolean[] = [];
  asks = 0;
  reconnects = 0;
  /** How much is lost, and how much comes late. */
  loss = 0;
  late = 0;

  constructor(
    seed: number,
    publisher = new Publisher(1n),
    readonly sections: readonly Path[] = [],
  ) {
    this.pick = random(seed);
    this.publisher = publisher;
    this.replica = new Replica(sections, {
      changed: (paths) => this.changed.push(paths),
      state: (state) => this.states.push(state),
      hear: (everything) => this.hears.push((this.hearsAll = everything)),
      reconnect: () => {
        this.reconnects += 1;
        this.replica.disconnected();
        this.hearsAll = true;
        this.replica.connected(this.now);
      },
      ask: (id, verb, fields, body) => {
        this.asks += 1;
        this.asked.push({ at: this.now + 1 + this.pick() * 5, id, verb, fields, body });
      },
      random: this.pick,
    });
    this.replica.connected(this.now);
  }

  send(all: readonly Sent[]): void {
    for (const sent of all) {
      const isWanted = this.sections.length === 0 || sent.section.length === 0 || this.sections.some((section) => isSame(section, sent.section));
      if (!isWanted || (!this.hearsAll && sent.section.length > 0) || this.pick() < this.loss) continue;
      const copies = this.pick() < this.late ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) this.onWay.push({ at: this.now + this.pick() * (this.late > 0 ? 60 : 0), sent });
    }
  }

  change(...ops: ToldOp[]): void {
    this.send(this.publisher.change(ops));
  }

  /** Lets so many milliseconds pass. */
  pass(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now += 1) {
      if (this.now % 1000 === 999) this.send(this.publisher.heartbeats());
      const due = this.onWay.filter(({ at }) => at <= this.now);
      this.onWay = this.onWay.filter(({ at }) => at > this.now);
      for (const { sent } of due) this.replica.frame(sent.header, sent.body, this.now);
      const asked = this.asked.filter(({ at }) => at <= this.now);
      this.asked = this.asked.filter(({ at }) => at > this.now);
      for (const { id, verb, fields, body } of asked) this.replica.answer(id, this.publisher.answer(verb, fields, body), this.now);
      if (this.replica.due() <= this.now) this.replica.tick(this.now);
    }
  }

  /** Both have the same, and the replica knows it. */
  isEqual(): void {
    expect(this.replica.state).toBe("live");
    expect(this.replica.epoch).toBe(this.publisher.epoch);
    if (this.sections.length === 0) expect(this.replica.model.digest).toBe(this.publisher.model.digest);
    for (const section of this.sections) expect(this.replica.model.digestAt(section)).toBe(this.publisher.model.digestAt(section));
  }
}

export function set(...path: string[]): ToldOp {
  return { op: "SET", path: path.slice(0, -1), value: path.at(-1) as string };
}

function anyOp(pick: () => number): ToldOp {
  const key = (name: string, count: number): string => `${name}${Math.floor(pick() * count)}`;
  const path = ["junction", key("s", 4), key("r", 40), key("f", 4)].slice(pick() < 0.3 ? 1 : 0, pick() < 0.8 ? 4 : 3);
  const kind = pick();
  if (kind < 0.85 || path.length < 2) return { op: "SET", path, value: { integer: String(Math.floor(pick() * 1e6)) } };
  return { op: kind < 0.93 ? "DEL" : kind < 0.97 ? "DICT" : "CLEAR", path };
}

/** Changes at random; each section of it begins with a key below the junction, or one beside it. */
export function storm(world: World, count: number): void {
  for (let left = count; left > 0; left -= 1) {
    world.change(...Array.from({ length: 1 + Math.floor(world.pick() * 3) }, () => anyOp(world.pick)));
    world.pass(Math.floor(world.pick() * 12));
  }
}

