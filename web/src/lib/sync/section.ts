// Sections: the parts of a model that have chains and topics of their own.
import { type Digest, ofDict, sectionId } from "./digest";
import { isSame, type Path, startsWith } from "./path";

/** The sections whose numbers are remembered. */
const KNOWN_MAX = 100_000;

/** The dicts whose children are sections; the root always is one. */
export class Junctions {
  readonly #paths: Path[];
  readonly #known = new Map<bigint, Path>();

  constructor(paths: readonly Path[] = []) {
    const all = [[] as Path, ...paths.flatMap((path) => path.map((_, at) => path.slice(0, at + 1)))];
    this.#paths = all.filter((path, at) => all.findIndex((other) => isSame(other, path)) === at);
  }

  /** The section a path belongs to; null if it is a junction itself. */
  section(path: Path): Path | null {
    for (let depth = 1; depth <= path.length; depth += 1) {
      const is = (junction: Path): boolean => junction.length === depth && startsWith(path, junction);
      if (!this.#paths.some(is)) return path.slice(0, depth);
    }
    return null;
  }

  /** Whether a frame may name this section with this number. */
  isNamed(section: Path, id: bigint): boolean {
    const known = this.#known.get(id);
    if (known) return isSame(known, section);
    if (sectionId(section) !== id) return false;
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(id, section);
    return true;
  }

  /** The sum of the junctions above these sections. */
  above(sections: readonly Path[]): Digest {
    const above = this.#paths.filter((junction) => sections.some((section) => startsWith(section, junction)));
    return above.reduce((sum, junction) => sum + ofDict(junction), 0n);
  }
}
