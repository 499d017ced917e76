// Frames that have come and cannot be applied yet: they wait for those before them.
import type { Frame } from "./frame";

const FRAMES_MAX = 4096;
const BYTES_MAX = 16 * 1024 * 1024;

/** Frames of one epoch, in order. */
export class Kept {
  #frames: Frame[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  /** Keeps a frame; the oldest go when there are too many, which leaves a gap. */
  push(frame: Frame): void {
    // Nearly all come in order.
    let at = this.#frames.length;
    while (at > 0 && order(this.#frames[at - 1] as Frame, frame) > 0) at -= 1;
    const twin = this.#frames[at - 1];
    if (twin && order(twin, frame) === 0) this.#cut((at -= 1), 1);
    this.#frames.splice(at, 0, frame);
    this.#bytes += frame.body.length;
    while (this.#frames.length > FRAMES_MAX || this.#bytes > BYTES_MAX) this.#cut(0, 1);
  }

  #cut(at: number, count: number): Frame[] {
    const cut = this.#frames.splice(at, count);
    for (const frame of cut) this.#bytes -= frame.body.length;
    return cut;
  }

  clear(): void {
    this.#cut(0, this.#frames.length);
  }

  /** Forgets frames, and tells how many. */
  forget(isOld: (frame: Frame) => boolean): number {
    const before = this.#frames.length;
    if (!this.#frames.some(isOld)) return 0;
    this.#frames = this.#frames.filter((frame) => !isOld(frame));
    this.#bytes = this.#frames.reduce((sum, frame) => sum + frame.body.length, 0);
    return before - this.#frames.length;
  }

  /** How many frames of a transaction that comes next are there, one behind the other. */
  begun(seq: number): number {
    const first = this.#frames[0];
    if (first?.seq !== seq || first.part !== 0) return 0;
    // Nearly always all of them are.
    const last = this.#frames.at(-1) as Frame;
    const count = this.#frames.length;
    if (last.seq === seq && last.part === count - 1) return count;
    const gap = this.#frames.findIndex((frame, at) => frame.seq !== seq || frame.part !== at);
    return gap < 0 ? count : gap;
  }

  /** Takes a transaction, if all of its frames are there. */
  takeWhole(seq: number): Frame[] | null {
    const begin = this.#frames.findIndex((frame) => frame.seq === seq);
    const first = this.#frames[begin];
    if (!first) return null;
    let end = begin;
    while (this.#frames[end]?.seq === seq) end += 1;
    return end - begin === first.parts ? this.#cut(begin, first.parts) : null;
  }

  /** Takes what a transaction has of a section, if all of its frames are there; `follows` judges the first one. */
  takeSection(section: bigint, follows: (frame: Frame) => boolean): Frame[] | null {
    const found: Frame[] = [];
    for (const frame of this.#frames) {
      if (frame.section !== section) continue;
      const last = found.at(-1);
      if (!last || last.seq !== frame.seq || last.part + 1 !== frame.part) {
        found.length = 0;
        if (frame.prev === frame.seq || !follows(frame)) return null;
      }
      found.push(frame);
      if (frame.last) {
        this.forget((one) => found.includes(one));
        return found;
      }
    }
    return null;
  }

  /** Whether anything of a section waits. */
  has(section: bigint): boolean {
    return this.#frames.some((frame) => frame.section === section);
  }
}

function order(a: Frame, b: Frame): number {
  return a.seq - b.seq || a.part - b.part;
}
