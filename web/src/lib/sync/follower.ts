// What a replica makes of frames: which it applies, what it lacks, and when it says that it is in step.
// Pure: it is told what came and what time it is, and says what to do. A transaction counts only when it was applied whole and
// its digest agreed.
import { Malformed } from "./bytes";
import { Chain, type Place } from "./chain";
import { BYE, DELTA, type Frame, HEARTBEAT, readFrame } from "./frame";
import { Kept } from "./kept";
import { Model } from "./model";
import { type Op, readOps } from "./op";
import { type Path, startsWith } from "./path";
import { Junctions } from "./section";

/** How long what is missing may take to come in another order. */
const REORDER_MS = 20;
/** A replica that has heard nothing for this long is stale. */
const SILENCE_MS = 3_000;
/** So many losses within a minute mean that it is too slow for every frame. */
const LOSSES_MAX = 3;
const LOSSES_WITHIN_MS = 60_000;

/** How much what a replica shows is worth: nothing yet, all, something is missing and being fetched, nobody is heard. */
export type State = "syncing" | "live" | "catching-up" | "stale";

/** What a replica wants of who runs it. */
export interface Needs {
  /** Its model changed at these paths; null if at too many to tell. */
  changed(paths: readonly Path[] | null): void;
  /** It is in another state. */
  state(state: State): void;
  /** Every event from now on, or only heartbeats. */
  hear(everything: boolean): void;
  /** A connection of its own is needed: this one is silent although the publisher answers, or does not answer. */
  reconnect(): void;
  /** A question, whose answer is told with the number. */
  ask(id: number, verb: string, fields: Record<string, string | number | bigint | readonly Path[]>, body?: Uint8Array): void;
  /** From 0 to 1, without 1. */
  random(): number;
}

export abstract class Follower {
  /** As far as it is known: whole, as of `seq`. */
  model = new Model();
  /** The publisher's start; null before the first copy. */
  epoch: bigint | null = null;
  state: State = "syncing";
  /** What happened so far. */
  readonly counts = { applied: 0, duplicates: 0, zombies: 0, malformed: 0, losses: 0, mismatches: 0, replays: 0, diffs: 0, repairs: 0, copies: 0 };

  protected junctions = new Junctions();
  protected readonly chain: Chain;
  protected readonly kept = new Kept();
  /** A newer start was heard of. */
  protected newer: bigint | null = null;
  protected isOnline = false;
  /** Nothing was heard for too long. */
  protected isSilent = false;
  /** Nothing was heard for too long over this connection. */
  protected isDeaf = false;
  protected heard: number | null = null;
  /** Since when something is missing, and nothing went on. */
  protected missing: number | null = null;
  /** The transaction that comes next, and how many of its frames are there, one behind the other. */
  #begun = { seq: 0, frames: 0 };
  /** When to ask next, if it asks at its own pace. */
  protected pull: number | null = null;
  #losses: number[] = [];

  constructor(
    protected readonly sections: readonly Path[],
    protected readonly needs: Needs,
  ) {
    this.chain = new Chain(sections);
  }

  /** The last transaction. */
  get seq(): number {
    return this.chain.newest;
  }

  protected abstract get isIdle(): boolean;
  /** Frames can be applied meanwhile. */
  protected abstract get isReplaying(): boolean;
  protected abstract get isAsking(): boolean;
  protected abstract greet(now: number): void;
  /** Greets after a pause. */
  protected abstract rest(now: number): void;
  /** Puts right what differs. */
  protected abstract mend(now: number): void;
  protected abstract replay(lacking: readonly Path[], now: number): void;
  protected abstract diff(sections: readonly Path[], now: number): void;
  /** When something that failed is tried again. */
  protected retryAt: number | null = null;

  /** When `tick` is to be called at the latest, if nothing comes before. */
  due(): number {
    const silence = this.heard === null ? null : this.heard + SILENCE_MS;
    const missing = this.missing === null ? null : this.missing + REORDER_MS;
    return Math.min(...[missing, silence, this.retryAt, this.pull].map((time) => time ?? Number.POSITIVE_INFINITY));
  }

  /** Takes what was published: a header and a body. */
  frame(header: Uint8Array, body: Uint8Array, now: number): void {
    try {
      this.#take(readFrame(header, body), now);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.counts.malformed += 1;
    }
    this.settle();
  }

  #take(frame: Frame, now: number): void {
    const known = this.newer ?? this.epoch;
    if (known !== null && frame.epoch < known) {
      this.counts.zombies += 1;
      return;
    }
    this.heard = now;
    this.isSilent = this.isDeaf = false;
    if (known === null) this.newer = frame.epoch;
    else if (frame.epoch > known) {
      this.newer = frame.epoch;
      this.kept.clear();
      this.greet(now);
    }
    if (frame.kind === HEARTBEAT || frame.kind === BYE) this.#heartbeat(frame, now);
    else if (frame.kind === DELTA && this.pull === null && this.chain.place(frame.section)) this.kept.push(frame);
    this.drain(now);
    if (frame.kind === BYE && this.epoch === frame.epoch) {
      // Nothing more comes from there; somebody else may be there soon.
      this.isSilent = true;
      this.rest(now);
    }
  }

  /** Whether frames fit what the model is: while a copy or a page is under way they wait. */
  protected get canApply(): boolean {
    return this.epoch !== null && this.newer === null && (this.isIdle || this.isReplaying);
  }

  #heartbeat(frame: Frame, now: number): void {
    if (this.epoch !== frame.epoch || this.newer !== null || this.pull !== null) return;
    const place = this.chain.named(frame.section);
    if (!place) return;
    place.told = Math.max(place.told, frame.seq);
    const isLevel = place.touched <= frame.seq && frame.seq <= place.last;
    if (this.isIdle && isLevel && this.model.digestAt(place.path) !== frame.after) {
      this.counts.mismatches += 1;
      this.mend(now);
    }
  }

  /** Applies what follows, one transaction after the other. */
  protected drain(now: number): void {
    const changed: Path[] = [];
    while (this.canApply) {
      const frames = this.#nextWhole();
      if (!frames) break;
      if (!this.#apply(frames, changed)) this.mend(now);
    }
    if (changed.length > 0) this.needs.changed(changed);
    if (this.chain.isWhole) {
      const seq = this.chain.newest + 1;
      const begun = { seq, frames: this.kept.begun(seq) };
      // It is being published: large transactions have many frames.
      if (begun.seq !== this.#begun.seq || begun.frames !== this.#begun.frames) this.missing = null;
      this.#begun = begun;
    }
    if (!this.canApply || !this.#isLacking()) this.missing = null;
    else if (this.missing === null && this.isIdle) this.missing = now;
  }

  #isLacking(): boolean {
    // Nearly always there is nothing.
    return this.chain.isWhole ? this.#lacks([0n, this.chain.place(0n) as Place]) : this.#lacking().length > 0;
  }

  #lacks([id, place]: [bigint, Place]): boolean {
    return place.last < place.told || (this.chain.isWhole ? !this.kept.isEmpty : this.kept.has(id));
  }

  /** The sections of which something is known to be missing; for the whole model, its empty path. */
  #lacking(): Path[] {
    return [...this.chain.places()].filter((entry) => this.#lacks(entry)).map(([, place]) => place.path);
  }

  /** Takes the frames that come next, of a transaction or of what it has of a section, once all are there. */
  #nextWhole(): Frame[] | null {
    if (this.kept.isEmpty) return null;
    if (this.chain.isWhole) {
      const last = this.chain.newest;
      this.counts.duplicates += this.kept.forget((frame) => frame.seq <= last);
      return this.kept.takeWhole(last + 1);
    }
    for (const [id, { last }] of this.chain.places()) {
      this.counts.duplicates += this.kept.forget((frame) => frame.section === id && frame.seq <= last);
      const taken = this.kept.takeSection(id, (first) => first.prev <= last);
      if (taken) return taken;
    }
    return null;
  }

  /** Applies frames that belong together; whether they could be read and their digests agree. What does not agree is put right by
   * a repair, from what is there then. */
  #apply(frames: readonly Frame[], changed: Path[]): boolean {
    const read = frames.map((frame) => this.#read(frame));
    if (read.includes(null)) {
      this.counts.malformed += 1;
      return false;
    }
    for (const [at, frame] of frames.entries()) {
      const [section, ops] = read[at] as [Path, Op[]];
      for (const op of ops) if (this.model.apply(op)) changed.push(op.path);
      if (this.model.digestAt(section) !== frame.after) {
        this.counts.mismatches += 1;
        return false;
      }
    }
    const { section, seq } = frames[0] as Frame;
    const place = this.chain.place(section);
    if (place) place.last = place.touched = seq;
    this.counts.applied += 1;
    return true;
  }

  /** The section and the operations of a frame, if all of them belong to the section it names. */
  #read(frame: Frame): [Path, Op[]] | null {
    let ops: Op[];
    try {
      ops = readOps(frame.body);
    } catch (error) {
      if (error instanceof Malformed) return null;
      throw error;
    }
    const section = ops[0] && this.junctions.section(ops[0].path);
    if (!section || ops.length !== frame.ops || !this.junctions.isNamed(section, frame.section)) return null;
    return ops.every((op) => startsWith(op.path, section)) ? [section, ops] : null;
  }

  /** Counts a loss, which is one only if it has not come in another order; who loses too often is too slow for every frame, and asks at its own pace from then on. */
  #lost(now: number): void {
    this.counts.losses += 1;
    this.#losses = [...this.#losses.filter((at) => at + LOSSES_WITHIN_MS >= now), now];
    if (this.#losses.length < LOSSES_MAX || this.pull !== null) return;
    this.#losses = [];
    this.kept.clear();
    this.chain.forgetTold();
    this.missing = null;
    this.pull = now;
    this.needs.hear(false);
  }

  /** Called when `due` says so, or earlier. */
  tick(now: number): void {
    if (this.isOnline && this.retryAt !== null && this.retryAt <= now) {
      this.retryAt = null;
      this.greet(now);
    }
    if (this.isOnline && this.isIdle) {
      if (this.missing !== null && this.missing + REORDER_MS <= now) {
        this.missing = null;
        this.#lost(now);
        // Who became too slow just now asks in another way.
        if (this.pull === null) this.replay(this.#lacking(), now);
      }
      if (this.isIdle && this.pull !== null && this.pull <= now) this.diff([], now);
    }
    if (this.heard !== null && this.heard + SILENCE_MS <= now) {
      this.isSilent = true;
      this.isDeaf = this.isOnline;
      this.heard = now;
      // Somebody who answers and is not heard is connected to anew.
      if (this.isOnline && this.isIdle) this.greet(now);
    }
    this.settle();
  }

  /** Tells its state if it is another one. */
  protected settle(): void {
    const state = this.#worth();
    if (state === this.state) return;
    this.state = state;
    this.needs.state(state);
  }

  #worth(): State {
    if (this.epoch === null) return "syncing";
    if (this.isSilent || !this.isOnline) return "stale";
    // What may come yet in another order is not missed.
    if (this.isIdle) return "live";
    return this.pull !== null && this.isAsking ? "live" : "catching-up";
  }
}
