// For tests alone: a small publisher of esker-sync/1, with a ring, cuts, chunks, pages of differences, NODES and GET.
import { Reader, Writer } from "./bytes";
import { low, sectionId, toText, Trail } from "./digest";
import { BYE, CHUNK, DELTA, DIFF, HEARTBEAT, NODES } from "./frame";
import { Fault, type Fields, Reply } from "./message";
import { Dict, Leaf, Model, type Node } from "./model";
import { between } from "./nodes";
import { readOps } from "./op";
import { isSame, type Path, readAfter, startsWith } from "./path";
import { Junctions } from "./section";
import { concat, type HeaderOf, type Told, type ToldOp, utf8, writeHeader, writeOps, writePath } from "./testing";

export interface Sent {
  section: Path;
  header: Uint8Array;
  body: Uint8Array;
}

interface Kept extends Sent {
  seq: number;
}

/** An answer as it goes over the wire. */
interface Said {
  head: Uint8Array;
  frames: readonly Uint8Array[];
}

interface Answer {
  kind: string;
  told: Fields;
  frames: Uint8Array[];
}

type Ok = (more: Fields, ...frames: Uint8Array[]) => Answer;

/** What is told of a leaf: values of tests are texts and integers. */
function toldOf(node: Leaf): Told {
  return typeof node.value === "number" ? { integer: String(node.value) } : (node.value as Told);
}

export class Publisher {
  model = new Model();
  seq = 0;
  readonly #junctions: Junctions;
  readonly #last = new Map<string, number>();
  readonly #ring: Kept[] = [];
  /** The last transaction of which something is kept no more. */
  #forgotten = 0;
  readonly #cuts: { model: Model; seq: number; sections: readonly Path[] }[] = [];
  readonly #past = new Map<number, Model>([[0, new Model()]]);
  /** How far back DIFF reaches. */
  diffs = 200;

  constructor(
    public epoch: bigint,
    readonly junctions: readonly Path[] = [],
    /** How many frames are kept to be replayed. */
    readonly ring = 50,
    model?: Model,
  ) {
    this.#junctions = new Junctions(junctions);
    if (model) this.model = model.clone();
    for (const path of junctions) this.#apply([{ op: "DICT", path }]);
    this.#past.set(0, this.model.clone());
  }

  #apply(ops: readonly ToldOp[]): void {
    for (const op of readOps(writeOps(ops))) this.model.apply(op);
  }

  /** One transaction; what it sends. */
  change(ops: readonly ToldOp[]): Sent[] {
    this.seq += 1;
    const sections: Path[] = [];
    for (const { path } of ops) {
      const section = this.#junctions.section(path) ?? [];
      if (!sections.some((known) => isSame(known, section))) sections.push(section);
    }
    const sent = sections.map((section, part) => this.#send(section, ops.filter(({ path }) => startsWith(path, section)), part, sections.length));
    this.#past.set(this.seq, this.model.clone());
    this.#past.delete(this.seq - this.diffs);
    this.#ring.push(...sent);
    while (this.#ring.length > this.ring) this.#forgotten = this.#ring.shift()?.seq ?? 0;
    return sent;
  }

  #send(section: Path, ops: readonly ToldOp[], part: number, parts: number): Kept {
    this.#apply(ops);
    const prev = this.#last.get(JSON.stringify(section)) ?? 0;
    this.#last.set(JSON.stringify(section), this.seq);
    const body = writeOps(ops);
    const header = this.#header({ kind: DELTA, prev, last: true, after: this.model.digestAt(section), section: sectionId(section), ops: ops.length, part, parts });
    return { section, header, body, seq: this.seq };
  }

  #header(header: Partial<HeaderOf> & { kind: number }): Uint8Array {
    return writeHeader({ epoch: this.epoch, seq: this.seq, ...header });
  }

  get first(): number {
    return this.#forgotten + 1;
  }

  /** Of the whole model, and of each section. */
  heartbeats(kind = HEARTBEAT): Sent[] {
    const of = (section: Path, seq: number): Sent => ({
      section,
      header: this.#header({ kind, seq, prev: section.length === 0 ? this.first : 0, after: this.model.digestAt(section), section: sectionId(section) }),
      body: writePath(section),
    });
    const sections = [...this.#last].map(([section, seq]) => of(JSON.parse(section), seq));
    return [of([], this.seq), ...(kind === BYE ? [] : sections)];
  }

  /** Answers; what would be an error is one. */
  answer(verb: string, fields: Fields, body?: Uint8Array): Reply {
    const { head, frames } = this.say(0, verb, fields, body);
    return new Reply(head, frames);
  }

  /** Answers a question of this number, as it goes over the wire. */
  say(id: number, verb: string, fields: Fields, body?: Uint8Array): Said {
    try {
      const { kind, told, frames } = this.#answer(verb, fields, body);
      return { head: headOf(kind, { id, ...told }), frames };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return { head: headOf(`ERROR ${error.code}`, { id, message: error.message }), frames: [] };
    }
  }

  #answer(verb: string, fields: Fields, body?: Uint8Array): Answer {
    const sections = (fields["section"] ?? []) as readonly Path[];
    if (fields["epoch"] !== undefined && BigInt(fields["epoch"] as bigint) !== this.epoch) throw new Fault("gone", "that epoch is over");
    const ok: Ok = (more, ...frames) => ({ kind: "OK", told: { epoch: this.epoch, ...more }, frames });
    switch (verb) {
      case "HELLO":
        return ok({ seq: this.seq, digest: toText(this.model.digest), first: this.first, nodes: this.model.nodes, junction: [[], ...this.junctions] });
      case "REPLAY":
        return this.#replay(Number(fields["after"]), sections, ok);
      case "CUT":
        this.#cuts.push({ model: this.model.clone(), seq: this.seq, sections });
        return ok(this.#told(this.#cuts.length - 1));
      case "DIFF":
        return this.#diff(Number(fields["from"]), fields, sections, ok);
    }
    const cut = this.#cuts[Number(fields["cut"])];
    if (!cut) throw new Fault("gone", "there is no such cut");
    const frame = (kind: number, ops: readonly ToldOp[], last: boolean): Uint8Array => this.#one(cut.seq, kind, ops, last);
    if (verb === "NODES") return ok({}, concat(this.#header({ kind: NODES, seq: cut.seq }), compare(cut.model, body ?? new Uint8Array())));
    const bases = verb === "GET" ? (fields["path"] as readonly Path[]) : cut.sections;
    const ops = told(cut.model, bases, verb === "CHUNK" ? this.junctions : null);
    if (verb === "CHUNK") {
      const index = Number(fields["index"]);
      const chunk = ops.slice(index * 10, index * 10 + 10);
      if (chunk.length === 0) throw new Fault("bad-request", "there is no such chunk");
      return ok({}, frame(CHUNK, chunk, (index + 1) * 10 >= ops.length));
    }
    const [page, more] = paged(ops, (fields["after"] as readonly Path[] | undefined)?.[0]);
    return ok({ ...this.#told(Number(fields["cut"])), ...more }, frame(CHUNK, page, false));
  }

  #told(cut: number): Fields {
    const { model, seq, sections } = this.#cuts[cut] as { model: Model; seq: number; sections: readonly Path[] };
    const some = sections.reduce((sum, path) => sum + model.digestAt(path), this.#junctions.above(sections));
    return { cut, seq, digest: toText(BigInt.asUintN(128, sections.length === 0 ? model.digest : some)), nodes: model.nodes };
  }

  #one(seq: number, kind: number, ops: readonly ToldOp[], last: boolean): Uint8Array {
    const body = writeOps(ops);
    const after = BigInt.asUintN(128, readOps(body).reduce((sum, op) => sum + op.digest, 0n));
    return concat(this.#header({ kind, seq, after, last, ops: ops.length }), body);
  }

  #replay(after: number, sections: readonly Path[], ok: Ok): Answer {
    if (after + 1 < this.first && after < this.seq) throw new Fault("gone", "that was too long ago");
    const frames = this.#ring.filter(({ seq, section }) => seq > after && (sections.length === 0 || sections.some((one) => isSame(one, section))));
    return ok({ seq: this.seq }, ...frames.map(({ header, body }) => concat(header, body)));
  }

  #diff(from: number, fields: Fields, sections: readonly Path[], ok: Ok): Answer {
    const before = this.#past.get(from);
    if (!before || from > this.seq) throw new Fault("gone", "that was too long ago");
    if (fields["cut"] === undefined) this.#cuts.push({ model: this.model.clone(), seq: this.seq, sections });
    const cut = fields["cut"] === undefined ? this.#cuts.length - 1 : Number(fields["cut"]);
    const { model, seq } = this.#cuts[cut] as { model: Model; seq: number };
    const ops = differences(before, model, sections);
    const [page, more] = paged(ops, (fields["after"] as readonly Path[] | undefined)?.[0]);
    return ok({ ...this.#told(cut), ...more }, this.#one(seq, DIFF, page, false));
  }
}

function headOf(kind: string, fields: Fields): Uint8Array {
  const line = (key: string, value: unknown): string => `\t${key}: ${String(value)}\n`;
  const lines = Object.entries(fields).map(([key, value]) =>
    typeof value === "object" ? value.map((path) => line(key, JSON.stringify(path))).join("") : line(key, value),
  );
  return utf8(`=====esker/1 ${kind}\n${lines.join("")}`);
}

/** Twelve operations behind the path that the page before told. */
function paged(ops: readonly ToldOp[], after: Path | undefined): [readonly ToldOp[], Fields] {
  const begin = after ? ops.findLastIndex((op) => isSame(op.path, after)) + 1 : 0;
  const page = ops.slice(begin, begin + 12);
  const end = begin + page.length;
  return [page, end < ops.length ? { next: [(page.at(-1) as ToldOp).path] } : {}];
}

/** The nodes at and below some paths, in order; with the junctions above them if they are given. */
function told(model: Model, bases: readonly Path[], junctions: readonly Path[] | null): ToldOp[] {
  const ops: ToldOp[] = [];
  const walk = (path: Path, node: Node | undefined): void => {
    if (node instanceof Leaf) ops.push({ op: "SET", path, value: toldOf(node) });
    if (!(node instanceof Dict)) return;
    ops.push({ op: "DICT", path });
    for (const key of node.keys()) walk([...path, key], node.children.get(key));
  };
  if (junctions && bases.length > 0) {
    for (const path of [[], ...junctions]) if (bases.some((base) => startsWith(base, path))) ops.push({ op: "DICT", path });
  }
  for (const base of junctions && bases.length === 0 ? [[]] : bases) walk(base, model.node(base));
  return ops;
}

/** What makes one model of another, in some sections: DELs, then CLEARs and SETs. */
function differences(before: Model, after: Model, sections: readonly Path[]): ToldOp[] {
  const [gone, made]: [ToldOp[], ToldOp[]] = [[], []];
  const is = (path: Path): boolean => sections.length === 0 || sections.some((section) => startsWith(path, section) || startsWith(section, path));
  const make = (path: Path): void => {
    for (const op of told(after, [path], null)) made.push(op.op === "DICT" ? { op: "CLEAR", path: op.path } : op);
  };
  const walk = (path: Path, old: Node | undefined, node: Node | undefined): void => {
    if (!is(path) || old?.digest === node?.digest) return;
    if (!node) gone.push({ op: "DEL", path });
    else if (!(old instanceof Dict) || !(node instanceof Dict)) make(path);
    else for (const key of new Set([...old.keys(), ...node.keys()])) walk([...path, key], old.children.get(key), node.children.get(key));
  };
  walk([], before.node([]), after.node([]));
  return [...gone, ...made];
}

/** Answers NODES. */
function compare(model: Model, body: Uint8Array): Uint8Array {
  const reader = new Reader(body);
  const trail = new Trail();
  const writer = new Writer();
  const big = (value: bigint, bytes: number): void => {
    for (let at = 0; at < bytes; at += 1) writer.byte(Number((value >> BigInt(8 * at)) & 0xffn));
  };
  for (let left = reader.count(); left > 0; left -= 1) {
    readAfter(trail, reader);
    const flags = Number(reader.varint());
    const from = flags & 1 ? reader.text() : null;
    const to = flags & 2 ? reader.text() : null;
    const node = model.node(trail.keys);
    writer.byte(node instanceof Dict ? 2 : node ? 1 : 0);
    if (node) big(node.digest, 16);
    if (!(node instanceof Dict)) continue;
    const children = between(node, from, to);
    if (children.length <= 16) {
      writer.byte(0).varint(children.length);
      for (const [key, child] of children) {
        writer.text(key).byte(child instanceof Dict ? 2 : 1);
        big(low(child.digest), 8);
      }
      continue;
    }
    const size = Math.ceil(children.length / 16);
    writer.byte(1).varint(Math.ceil(children.length / size));
    for (let at = 0; at < children.length; at += size) {
      const range = children.slice(at, at + size);
      writer.text((range[0] as [string, Node])[0]).varint(range.length);
      big(low(range.reduce((sum, [, child]) => sum + child.digest, 0n)), 8);
    }
  }
  return writer.bytes.slice();
}
