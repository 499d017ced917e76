// What is being edited: a new what-if, or the one that is looked at; its unsaved changes, and saving them.
import { merged } from "../core/edits";
import { editLine, type Edit } from "../core/whatif";
import { ApiError } from "../lib/rest";
import type { Moment } from "./api";
import { drafts } from "./drafts.svelte";
import type { Model } from "./model";
import { amendWhatIf, getWhatIf, makeWhatIf } from "./whatifs";

export const TITLE_MAX = 200;

export class Editing {
  busy = $state(false);
  error = $state.raw<Error | null>(null);
  readonly #model: Model;

  constructor(model: Model) {
    this.#model = model;
  }

  readonly #id = $derived.by(() => this.#model.world.moment.whatIf);
  readonly #project = $derived.by(() => this.#model.live.state?.project ?? "");
  /** What the live model knows of the one that is amended; null for a new one. */
  readonly whatIf = $derived.by(() => this.#model.world.whatIf);
  readonly draft = $derived.by(() => drafts.of(this.#project, this.#id));
  readonly edits: readonly Edit[] = $derived.by(() => this.draft?.edits ?? []);
  readonly title = $derived.by(() => this.draft?.title ?? "");
  /** The commit whose contents are edited. */
  readonly base = $derived.by(() => this.draft?.base ?? this.whatIf?.head ?? this.#model.live.state?.head ?? "");
  /** Where the contents are read that the edits are laid on; a what-if is read as it is now. */
  readonly moment: Moment = $derived.by(() => (this.#id === null ? { at: this.base, whatIf: null } : { at: null, whatIf: this.#id }));
  /** Changes when the contents at `moment` may be others. */
  readonly version = $derived.by(() => (this.#id === null ? this.base : `${this.whatIf?.about ?? ""} ${this.whatIf?.head ?? ""}`));
  /** Somebody has amended the what-if, or main has moved on, since the first unsaved change. */
  readonly isBehind = $derived.by(() => {
    if (!this.draft) return false;
    return this.#id === null ? this.draft.base !== this.#model.live.state?.head : this.draft.about !== this.whatIf?.about;
  });

  change(edits: readonly Edit[]): void {
    this.#put({ edits: [...edits] });
  }

  rename(title: string): void {
    this.#put({ title });
  }

  /** Lays the unsaved changes on what there is now. */
  relay(): void {
    this.error = null;
    this.#put({ base: this.#newest(), about: this.whatIf?.about ?? null });
  }

  throwAway(): void {
    this.error = null;
    drafts.drop(this.#project, this.#id);
  }

  /** Makes or amends the what-if; its id, or null if that failed. */
  async save(): Promise<string | null> {
    const { draft } = this;
    if (!draft || this.busy) return null;
    this.busy = true;
    this.error = null;
    try {
      const id = draft.whatIf === null ? await this.#make(draft.title) : await this.#amend(draft.whatIf, draft.about ?? "");
      drafts.drop(this.#project, draft.whatIf);
      return id;
    } catch (fault) {
      this.error = fault instanceof Error ? fault : new Error(String(fault));
      return null;
    } finally {
      this.busy = false;
    }
  }

  async #make(title: string): Promise<string> {
    const [first] = this.edits;
    const made = await makeWhatIf({ title: fitting(title.trim() || (first ? editLine(first) : "")), base: this.base, edits: this.edits });
    return made.id;
  }

  async #amend(id: string, about: string): Promise<string> {
    const now = await getWhatIf(id, new AbortController().signal);
    if (now.about !== about) throw new ApiError("conflict", `${id} has been amended by somebody else meanwhile`, "lay your changes on theirs, look, and save again");
    await amendWhatIf(id, { about, edits: merged(now.edits, this.edits) });
    return id;
  }

  #newest(): string {
    return this.whatIf?.head ?? this.#model.live.state?.head ?? "";
  }

  #put(patch: { edits?: Edit[]; title?: string; base?: string; about?: string | null }): void {
    const was = this.draft ?? { whatIf: this.#id, title: "", base: this.#newest(), about: this.whatIf?.about ?? null, edits: [] };
    drafts.put(this.#project, { ...was, ...patch });
  }
}

/** A title has so many bytes at most. */
function fitting(title: string): string {
  let text = title;
  while (new TextEncoder().encode(text).length > TITLE_MAX) text = text.slice(0, -1);
  return text;
}
