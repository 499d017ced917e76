// The live model `project` (docs/live-model.md) as the page shows it. What has not changed in the model is the same object there, and
// so it is here: a change of one resource among thousands reads that one.
import { readCluster } from "./cluster";
import {
  Field,
  readProblem,
  readRun,
  readStage,
  readVersion,
  readView,
  readWhatIf,
  string,
  type State,
} from "./wire";

/** The sections of the model that the page follows: all but contents, which are fetched when looked at. */
export const SECTIONS = ["about", "resources", "stages", "runs", "problems", "views", "whatifs", "cluster"].map((name) => [name]);

export class Reader {
  /** What was read from an object of the model, which never changes. */
  readonly #known = new WeakMap<object, unknown>();

  /** Reads the model. Throws a FormatError that says where it is otherwise than expected; null before there is anything. */
  read(model: unknown): State | null {
    const root = new Field(model, "");
    if (root.missing() || root.get("about").missing()) return null;
    const about = root.get("about");
    const cluster = this.#once(root.get("cluster"), () => readCluster(root.get("cluster")));
    const each = <T>(section: string, read: (field: Field, key: string) => T): T[] =>
      root.get(section).entries().map(([key, field]) => this.#once(field, () => read(field, key)));
    return {
      project: about.get("project").string(),
      version: about.get("version").text(),
      head: about.get("head").orNull(string),
      resources: each("resources", readVersion),
      stages: inOrder(each("stages", readStage), about.get("stages")),
      runs: each("runs", (field, stage) => readRun(stage, field)),
      problems: each("problems", readProblem),
      warnings: [...about.get("warnings").list((warning) => warning.text()), ...(cluster?.own.fault ? [`cluster: ${cluster.own.fault}`] : [])],
      views: inOrder(each("views", readView), about.get("views")),
      whatIfs: each("whatifs", readWhatIf),
      cluster,
      runner: about.get("runner").missing() || about.get("runner").true(),
      app: about.get("app").true(),
      asOf: about.get("as_of").orNull(string),
    };
  }

  #once<T>(field: Field, read: () => T): T {
    const object = field.object();
    if (!object) return read();
    if (!this.#known.has(object)) this.#known.set(object, read());
    return this.#known.get(object) as T;
  }
}

/** A dict has no order of its own; the one that counts is told beside it. */
function inOrder<T extends { name: string }>(items: T[], order: Field): T[] {
  const places = new Map(order.list(string).map((name, index) => [name, index]));
  const place = (item: T): number => places.get(item.name) ?? places.size;
  return [...items].sort((a, b) => place(a) - place(b));
}
