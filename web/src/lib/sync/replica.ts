// What a replica does when frames alone do not keep it in step: copies, replays, differences and repairs.
import { type Digest, fromText } from "./digest";
import { Follower } from "./follower";
import { CHUNK, DELTA, DIFF, type Frame, NODES, readOne } from "./frame";
import type { Fault, Fields, Reply } from "./message";
import { Model } from "./model";
import { readOps } from "./op";
import type { Path } from "./path";
import { Repair } from "./repair";
import { Junctions } from "./section";

const PAUSE_MIN_MS = 100;
const PAUSE_MAX_MS = 30_000;
/** Who finds that something differs this soon after the last time waits before it asks again. */
const MEND_APART_MS = 10_000;
/** One that asks at its own pace asks no more often than this. */
const PULL_MIN_MS = 100;
/** It hears everything again when an answer told it no more operations than this. */
const PULL_LITTLE = 1_000;
/** A difference of more pages than this, or of more operations than this and twice the model's nodes, is none: comparing costs less. */
const PAGES_MAX = 10_000;
const OPS_MORE = 100_000;
/** How many chunks are asked for at once. */
const WINDOW = 8;
/** Changes at more paths than this are told as a new model. */
const CHANGED_MAX = 100_000;

interface Cut {
  cut: string;
  seq: number;
  digest: Digest;
  nodes: number;
}

/** What is under way beside frames. */
type Job =
  | { kind: "idle" | "hello" | "repair-cut" | "copy-cut" }
  | { kind: "copy"; cut: Cut; model: Model; ask: number; take: number; came: Map<number, Frame>; count: number }
  | { kind: "replay"; sections: readonly Path[] }
  | { kind: "diff"; sections: readonly Path[]; model: Model; done: Path[]; begun: number; pages: number; ops: number }
  | { kind: "repair"; cut: Cut; repair: Repair };

interface Asked {
  verb: string;
  index: number;
}

export class Replica extends Follower {
  /** Why the last thing failed; empty while all goes well. */
  fault = "";
  #job: Job = { kind: "hello" };
  readonly #flight = new Map<number, Asked>();
  #asked = 0;
  #pause = PAUSE_MIN_MS;
  /** Something differs and is not put right yet. */
  #isWrong = false;
  /** When something last differed, and how long it waited then. */
  #mended: { at: number; pause: number } | null = null;

  protected get isIdle(): boolean {
    return this.#job.kind === "idle";
  }

  protected get isReplaying(): boolean {
    return this.#job.kind === "replay";
  }

  protected get isAsking(): boolean {
    return this.#job.kind === "diff";
  }

  /** There is a connection, which hears everything. */
  connected(now: number): void {
    this.isOnline = true;
    this.pull = null;
    this.isDeaf = false;
    this.heard = now;
    this.greet(now);
    this.settle();
  }

  /** There is none any more. */
  disconnected(): void {
    this.isOnline = false;
    this.#flight.clear();
    this.#job = { kind: "hello" };
    this.retryAt = null;
    this.settle();
  }

  /** What was under way is of no interest any more. */
  #begin(job: Job): void {
    this.#flight.clear();
    this.missing = null;
    this.retryAt = null;
    this.#job = job;
  }

  #ask(verb: string, fields: Fields, body?: Uint8Array, index = 0): void {
    this.#asked += 1;
    this.#flight.set(this.#asked, { verb, index });
    this.needs.ask(this.#asked, verb, fields, body);
  }

  protected greet(_now: number): void {
    this.#begin({ kind: "hello" });
    if (this.isOnline) this.#ask("HELLO", {});
  }

  #askCut(kind: "repair-cut" | "copy-cut"): void {
    this.#begin({ kind });
    // A cut from before what is here would go back in time.
    this.#ask("CUT", { section: this.sections, from: this.newer === null ? this.chain.newest : 0 });
  }

  /** Puts right what differs; whoever says again and again that something does is not believed more often than now and then. */
  protected mend(now: number): void {
    this.#isWrong = true;
    const before = this.#mended;
    if (!before || now >= before.at + before.pause + MEND_APART_MS) {
      this.#mended = { at: now, pause: 0 };
      return this.#askCut("repair-cut");
    }
    const pause = Math.min(Math.max(2 * before.pause, PAUSE_MIN_MS), PAUSE_MAX_MS);
    this.#mended = { at: now, pause };
    this.#rest(pause, now);
  }

  protected replay(lacking: readonly Path[], _now: number): void {
    this.counts.replays += 1;
    this.#replay(lacking);
  }

  #replay(sections: readonly Path[]): void {
    this.#begin({ kind: "replay", sections });
    this.#askReplay(sections);
  }

  #askReplay(lacking: readonly Path[]): void {
    const section = this.chain.isWhole ? [] : lacking;
    this.#ask("REPLAY", { epoch: this.epoch ?? 0n, after: this.chain.oldest(lacking), section });
  }

  protected diff(sections: readonly Path[], now: number): void {
    this.counts.diffs += 1;
    const wanted = this.chain.isWhole ? [] : sections.length > 0 ? sections : this.sections;
    this.#begin({ kind: "diff", sections: wanted, model: this.model.clone(), done: [], begun: now, pages: 0, ops: 0 });
    this.#askDiff(wanted, {});
  }

  #askDiff(section: readonly Path[], more: Fields): void {
    this.#ask("DIFF", { epoch: this.epoch ?? 0n, from: this.chain.oldest(section), section, ...more });
  }

  /** Takes the answer to a question. */
  answer(id: number, reply: Reply, now: number): void {
    const asked = this.#flight.get(id);
    // What was given up meanwhile is of no interest.
    if (!asked) return;
    this.#flight.delete(id);
    try {
      if (reply.fault) this.#refused(asked, reply.fault, now);
      else this.#answered(asked, reply, now);
    } catch (error) {
      this.counts.malformed += 1;
      this.#fail(String(error), now);
    }
    this.settle();
  }

  #refused(asked: Asked, fault: Fault, now: number): void {
    const job = this.#job;
    if (fault.code === "gone" && job.kind === "replay") this.diff(job.sections, now);
    else if (fault.code === "gone" && asked.verb === "DIFF") this.#askCut("repair-cut");
    else if (job.kind === "copy" && asked.index > 0 && this.#flight.size > 0) {
      // Behind the last chunk there is none; the last one may come later than that is told.
      job.ask = Number.POSITIVE_INFINITY;
    } else this.#fail(fault.message, now);
  }

  /** Gives up what is under way, and begins anew after a pause. */
  #fail(why: string, now: number): void {
    this.fault = why;
    const pause = this.#pause;
    this.#pause = Math.min(2 * pause, PAUSE_MAX_MS);
    this.#rest(pause, now);
  }

  /** Does nothing for a while, and then asks where the publisher is. */
  protected rest(now: number): void {
    this.#rest(PAUSE_MIN_MS, now);
  }

  #rest(pause: number, now: number): void {
    this.#begin({ kind: "hello" });
    this.retryAt = now + (pause / 2) * (1 + this.needs.random());
  }

  /** What was under way came to a good end. */
  #finish(now: number): void {
    this.fault = "";
    this.#pause = PAUSE_MIN_MS;
    this.#begin({ kind: "idle" });
    this.drain(now);
  }

  #answered(asked: Asked, reply: Reply, now: number): void {
    const epoch = reply.big("epoch");
    if (this.#isGhost(epoch)) {
      this.newer = null;
      this.kept.clear();
    }
    const known = this.newer ?? this.epoch;
    if (known !== null && epoch < known) {
      this.counts.zombies += 1;
      return this.#fail("an older publisher answered", now);
    }
    if (known === null || epoch > known) {
      this.newer = epoch;
      this.kept.forget((frame) => frame.epoch < epoch);
      if (asked.verb !== "HELLO") return this.greet(now);
    }
    const job = this.#job;
    switch (job.kind) {
      case "hello":
        return this.#greeted(reply, now);
      case "repair-cut":
      case "copy-cut":
        return this.#cut(readCut(reply), job.kind);
      case "copy":
        return this.#copy(job, asked.index, reply, now);
      case "replay":
        return this.#replayed(job.sections, reply, now);
      case "diff":
        return this.#differ(job, reply, now);
      case "repair":
        return this.#repaired(job, asked.verb, reply);
    }
  }

  /** Whether the newer start that was heard of is none: it is silent, and the publisher knows nothing of it. */
  #isGhost(epoch: bigint): boolean {
    return this.isSilent && this.newer !== null && epoch < this.newer && (this.epoch === null || epoch >= this.epoch);
  }

  #greeted(reply: Reply, now: number): void {
    const [epoch, seq, digest] = [reply.big("epoch"), reply.count("seq"), fromText(reply.require("digest"))];
    this.junctions = new Junctions(reply.paths("junction"));
    if (this.epoch === null) return this.#askCut("copy-cut");
    if (this.isDeaf) {
      this.heard = now;
      this.needs.reconnect();
      if (!this.isOnline) return;
    }
    if (this.newer === epoch || this.#isWrong) {
      if (!this.chain.isWhole || digest !== this.model.digest) return this.#askCut("repair-cut");
      this.#adopt(seq);
      return this.#finish(now);
    }
    if (!this.chain.isWhole) this.diff([], now);
    else if (seq > this.chain.newest) this.replay([[]], now);
    else if (seq === this.chain.newest && digest !== this.model.digest) this.#askCut("repair-cut");
    else this.#finish(now);
  }

  /** The model is the publisher's as of this transaction. */
  #adopt(seq: number): void {
    this.epoch = this.newer ?? this.epoch;
    this.newer = null;
    this.#isWrong = false;
    this.chain.restart(seq);
  }

  /** The model is that of a cut, which others may have asked for before: what came since is asked for too. */
  #adoptCut(seq: number): void {
    this.#adopt(seq);
    const all = [...this.chain.places()].map(([, place]) => place.path);
    this.#replay(all);
  }

  /** The digest of some of the sections with the junctions above them; of the whole model if none is named. */
  #digestOf(model: Model, sections: readonly Path[]): Digest {
    if (sections.length === 0) return model.digest;
    return BigInt.asUintN(128, sections.reduce((sum, path) => sum + model.digestAt(path), this.junctions.above(sections)));
  }

  #cut(cut: Cut, kind: "repair-cut" | "copy-cut"): void {
    if (this.epoch !== null && this.#digestOf(this.model, this.sections) === cut.digest) return this.#adoptCut(cut.seq);
    if (kind === "copy-cut") {
      this.counts.copies += 1;
      return this.#askChunks({ kind: "copy", cut, model: new Model(), ask: 0, take: 0, came: new Map(), count: Number.POSITIVE_INFINITY });
    }
    this.counts.repairs += 1;
    const bases = this.chain.isWhole ? [[]] : this.sections;
    this.#goOn({ kind: "repair", cut, repair: new Repair(this.model.clone(), bases, cut.nodes) });
  }

  #askChunks(copy: Job & { kind: "copy" }): void {
    this.#job = copy;
    for (; copy.ask < Math.min(copy.count, copy.take + WINDOW); copy.ask += 1) {
      this.#ask("CHUNK", { cut: copy.cut.cut, index: copy.ask }, undefined, copy.ask);
    }
  }

  #copy(copy: Job & { kind: "copy" }, index: number, reply: Reply, now: number): void {
    const came = this.#page(reply, CHUNK, copy.cut);
    if (came.last) copy.count = index + 1;
    copy.came.set(index, came);
    for (let frame = copy.came.get(copy.take); frame; frame = copy.came.get(copy.take)) {
      copy.came.delete(copy.take);
      // The root is there from the beginning.
      const before = copy.take === 0 ? 0n : copy.model.digest;
      for (const op of readOps(frame.body)) copy.model.apply(op);
      if (BigInt.asUintN(128, copy.model.digest - before) !== frame.after || copy.model.nodes > copy.cut.nodes) return this.#isUntrue(now);
      copy.take += 1;
    }
    if (copy.take !== copy.count) return this.#askChunks(copy);
    if (this.#digestOf(copy.model, this.sections) !== copy.cut.digest) return this.#isUntrue(now);
    this.model = copy.model;
    this.needs.changed(null);
    this.#adoptCut(copy.cut.seq);
  }

  /** A copy is not what it says it is: another one at once would not be either. */
  #isUntrue(now: number): void {
    this.counts.mismatches += 1;
    this.#fail("a copy of the model does not have the digest it was to have", now);
  }

  /** A frame that answers, of this type and of this cut. */
  #page(reply: Reply, kind: number, cut: Cut): Frame {
    const frame = readOne(reply.frame());
    if (frame.kind !== kind || frame.seq !== cut.seq || frame.epoch !== (this.newer ?? this.epoch)) throw new Error("the answer is not what was asked for");
    return frame;
  }

  #replayed(sections: readonly Path[], reply: Reply, now: number): void {
    const before = this.chain.oldest(sections);
    for (const bytes of reply.body) {
      const frame = readOne(bytes);
      if (frame.kind !== DELTA || frame.epoch !== this.epoch) throw new Error("the answer is not what was asked for");
      this.kept.push(frame);
      this.drain(now);
      // A digest differed, and something else has begun.
      if (!this.isReplaying) return;
    }
    const seq = reply.count("seq");
    // Nothing else touched these sections up to there.
    if (!this.chain.isWhole) this.chain.advance(seq, sections);
    const after = this.chain.oldest(sections);
    if (reply.get("next") !== undefined && after > before) this.#askReplay(sections);
    else if (after < seq) this.diff(sections, now);
    else this.#finish(now);
  }

  #differ(job: Job & { kind: "diff" }, reply: Reply, now: number): void {
    const cut = readCut(reply);
    const frame = this.#page(reply, DIFF, cut);
    // A cut that others share may be older than what is here of some sections: soon there is another one.
    if (cut.seq < this.chain.newest) return this.#fail("the cut is older than what is here", now);
    const ops = readOps(frame.body);
    job.ops += ops.length;
    job.pages += 1;
    for (const op of ops) if (job.model.apply(op)) job.done.push(op.path);
    const next = reply.paths("next").at(-1);
    const isEndless = job.pages >= PAGES_MAX || job.ops > 2 * cut.nodes + OPS_MORE;
    if (next && !isEndless) return this.#askDiff(job.sections, { cut: cut.cut, after: [next] });
    if (next || this.#digestOf(job.model, job.sections) !== cut.digest) {
      this.counts.mismatches += 1;
      return this.mend(now);
    }
    this.#pace(job, now);
    this.model = job.model;
    this.#tell(job.done);
    this.chain.reach(cut.seq, job.sections);
    this.#finish(now);
  }

  /** Who asks at its own pace asks again after a while, or hears every frame again if there was little to tell. */
  #pace(job: Job & { kind: "diff" }, now: number): void {
    if (this.pull === null) return;
    this.pull = now + Math.max(PULL_MIN_MS, 2 * (now - job.begun));
    if (job.done.length > PULL_LITTLE) return;
    this.pull = null;
    this.needs.hear(true);
  }

  #tell(done: readonly Path[]): void {
    if (done.length > 0) this.needs.changed(done.length > CHANGED_MAX ? null : done);
  }

  #repaired(job: Job & { kind: "repair" }, verb: string, reply: Reply): void {
    if (verb === "NODES") job.repair.compare(this.#page(reply, NODES, job.cut).body);
    else job.repair.fetch(this.#page(reply, CHUNK, job.cut), reply.paths("next").at(-1) ?? null);
    this.#goOn(job);
  }

  #goOn(job: Job & { kind: "repair" }): void {
    this.#job = job;
    const { cut, repair } = job;
    const wants = repair.next();
    if (wants === "too-much") return this.#askCut("copy-cut");
    if (wants && "queries" in wants) return this.#ask("NODES", { cut: cut.cut }, wants.queries);
    if (wants) return this.#ask("GET", { cut: cut.cut, path: wants.paths, after: wants.after ? [wants.after] : [] });
    if (this.#digestOf(repair.model, this.sections) !== cut.digest) {
      this.counts.mismatches += 1;
      return this.#askCut("copy-cut");
    }
    this.model = repair.model;
    this.#tell(repair.done);
    this.#adoptCut(cut.seq);
  }
}

function readCut(reply: Reply): Cut {
  return { cut: reply.require("cut"), seq: reply.count("seq"), digest: fromText(reply.require("digest")), nodes: reply.count("nodes") };
}
