// The runs that are over, as far back as somebody has looked: fetched when something has run, never by the clock.
import { joined, type PastRun, type RunList } from "../core/runs";
import type { State } from "../core/wire";
import { getRuns, type RunsAsked } from "./api";
import type { Loader } from "./loader.svelte";

const PAGE = 100;
const MORE = 500;

/** Changes whenever a run may have ended. */
export function runsVersion(state: State): string {
  const stages = state.stages.map((stage) => `${stage.name} ${stage.state}`);
  const runs = state.runs.map((run) => `${run.stage} ${run.since}`);
  const problems = state.problems.map((problem) => `${problem.id} ${problem.count} ${problem.since}`);
  return [state.head, ...stages, ...runs, ...problems].join("\n");
}

export class RunLog {
  #wanted = $state(PAGE);
  #subject = "";

  readonly #loader: Loader<RunList>;
  readonly runs: PastRun[] | null = $derived.by(() => this.#loader.value?.runs ?? null);
  readonly hasMore: boolean = $derived.by(() => (this.#loader.value?.next ?? null) !== null);
  readonly loading: boolean = $derived.by(() => this.#loader.loading);
  readonly error: Error | null = $derived.by(() => this.#loader.error);

  constructor(loader: Loader<RunList>) {
    this.#loader = loader;
  }

  /** To be called in an effect. */
  want(asked: RunsAsked, version: string): void {
    const subject = `${asked.stage}\n${asked.failed}`;
    if (subject !== this.#subject) {
      this.#subject = subject;
      this.#wanted = PAGE;
    }
    const wanted = this.#wanted;
    this.#loader.want({ subject, version: `${wanted}\n${version}`, load: (signal) => this.#load(asked, wanted, signal) });
  }

  more(): void {
    this.#wanted = (this.runs?.length ?? 0) + MORE;
  }

  again(): void {
    this.#loader.again();
  }

  async #load(asked: RunsAsked, wanted: number, signal: AbortSignal): Promise<RunList> {
    const known = this.#loader.value;
    let list = joined(known, await getRuns(asked, PAGE, null, signal));
    while (list.runs.length < wanted && list.next !== null) {
      const { runs, next } = await getRuns(asked, Math.min(wanted - list.runs.length, MORE), list.next, signal);
      list = { runs: [...list.runs, ...runs], next };
    }
    return list;
  }
}
