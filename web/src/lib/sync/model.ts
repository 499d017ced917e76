// The model: nested dicts with the digest of each. A clone costs nothing: who changes a dict that others have too copies it first.
import { add, type Digest, ofDict } from "./digest";
import { CLEAR, DELETE, DICT, type Op, SET } from "./op";
import { compareKeys, type Path } from "./path";
import type { Value } from "./value";

/** What is at a path, as plain objects without prototypes that cannot be changed. */
export type Plain = Value | { readonly [key: string]: Plain };

export class Leaf {
  readonly nodes = 1;

  constructor(
    readonly value: Value,
    readonly digest: Digest,
  ) {}
}

export class Dict {
  readonly children: Map<string, Node>;
  digest: Digest;
  /** Leaves and dicts, itself among them. */
  nodes = 1;
  #owner: object;
  #keys: string[] | null = null;
  #view: Plain | undefined;

  constructor(digest: Digest, owner: object, children = new Map<string, Node>()) {
    this.digest = digest;
    this.#owner = owner;
    this.children = children;
  }

  /** Itself, or a copy, to be changed by its owner. */
  of(owner: object): Dict {
    if (this.#owner === owner) return this;
    const copy = new Dict(this.digest, owner, new Map(this.children));
    copy.nodes = this.nodes;
    copy.#keys = this.#keys;
    return copy;
  }

  put(key: string, node: Node | undefined): void {
    const before = this.children.size;
    if (node) this.children.set(key, node);
    else this.children.delete(key);
    if (this.children.size !== before) this.#keys = null;
  }

  /** Takes in that something below it is another. */
  changed(digest: Digest, nodes: number): void {
    this.digest = add(this.digest, digest);
    this.nodes += nodes;
    this.#view = undefined;
  }

  /** Its keys in order; the array is not to be changed. */
  keys(): readonly string[] {
    this.#keys ??= [...this.children.keys()].sort(compareKeys);
    return this.#keys;
  }

  /** Made when it is looked at, and kept while nothing in it changes. */
  view(): Plain {
    if (this.#view === undefined) {
      const view: Record<string, Plain> = Object.create(null);
      for (const key of this.keys()) view[key] = plain(this.children.get(key) as Node);
      this.#view = Object.freeze(view);
    }
    return this.#view;
  }
}

export type Node = Leaf | Dict;

function plain(node: Node): Plain {
  return node instanceof Dict ? node.view() : node.value;
}

export class Model {
  #root: Dict;
  #owner: object = {};

  constructor(root?: Dict) {
    this.#root = root ?? new Dict(ofDict([]), this.#owner);
  }

  /** The same now; each changes without the other. */
  clone(): Model {
    // Nothing that both have belongs to either any more.
    this.#owner = {};
    return new Model(this.#root);
  }

  get digest(): Digest {
    return this.#root.digest;
  }

  get nodes(): number {
    return this.#root.nodes;
  }

  node(path: Path): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const key of path) {
      if (!(node instanceof Dict)) return undefined;
      node = node.children.get(key);
    }
    return node;
  }

  get(path: Path): Plain | undefined {
    const node = this.node(path);
    return node && plain(node);
  }

  /** The digest of what is at a path, 0 if that is nothing. */
  digestAt(path: Path): Digest {
    return this.node(path)?.digest ?? 0n;
  }

  /** Does one operation; whether anything is different now. */
  apply(op: Op): boolean {
    const { path, act } = op;
    const last = path.length - 1;
    if (last < 0) {
      const emptied = act === CLEAR && this.#root.children.size > 0;
      if (emptied) this.#root = new Dict(op.digest, this.#owner);
      return emptied;
    }
    const above = [this.#root];
    let dict = this.#root;
    while (above.length <= last) {
      const next = dict.children.get(path[above.length - 1] as string);
      if (!(next instanceof Dict)) break;
      above.push((dict = next));
    }
    const depth = above.length - 1;
    const old = dict.children.get(path[depth] as string);
    if (depth === last ? isDone(op, old) : act === DELETE) return false;
    const node = this.#made(op, depth);
    this.#put(above, path, node, (node?.digest ?? 0n) - (old?.digest ?? 0n), (node?.nodes ?? 0) - (old?.nodes ?? 0));
    return true;
  }

  /** What is to be below the dict at the first `depth` keys: the node itself, or the dicts that lead to it. */
  #made(op: Op, depth: number): Node | undefined {
    if (op.act === DELETE) return undefined;
    let node: Node = op.act === SET ? new Leaf(op.value, op.digest) : new Dict(op.digest, this.#owner);
    for (let at = op.path.length - 1; at > depth; at -= 1) {
      const dict: Dict = new Dict(ofDict(op.path, at), this.#owner);
      dict.put(op.path[at] as string, node);
      dict.changed(node.digest, node.nodes);
      node = dict;
    }
    return node;
  }

  #put(above: Dict[], path: Path, node: Node | undefined, digest: bigint, nodes: number): void {
    let dict = (this.#root = this.#root.of(this.#owner));
    dict.changed(digest, nodes);
    for (let depth = 1; depth < above.length; depth += 1) {
      const key = path[depth - 1] as string;
      const child = (above[depth] as Dict).of(this.#owner);
      if (child !== above[depth]) dict.put(key, child);
      child.changed(digest, nodes);
      dict = child;
    }
    dict.put(path[above.length - 1] as string, node);
  }
}

/** Whether a node is already as an operation makes it. */
function isDone(op: Op, old: Node | undefined): boolean {
  switch (op.act) {
    case DELETE:
      return old === undefined;
    case SET:
      // Equal digests at one path are equal leaves.
      return old instanceof Leaf && old.digest === op.digest;
    case DICT:
      return old instanceof Dict;
    default:
      return old instanceof Dict && old.children.size === 0;
  }
}
