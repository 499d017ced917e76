// Unsaved edits, in this browser's storage: they survive a reload, and other tabs see them.
import { DRAFTS, draftKey, readDraft, writeDraft, type Draft } from "../core/drafts";
import { count } from "../core/changes";
import type { Edit } from "../core/whatif";

class Drafts {
  /** By where they are kept. */
  #all = $state.raw<ReadonlyMap<string, Draft>>(new Map());
  /** Why they are not kept, if the browser does not. */
  fault = $state("");

  constructor() {
    this.#read();
    window.addEventListener("storage", () => this.#read());
  }

  of(project: string, whatIf: string | null): Draft | null {
    return this.#all.get(draftKey(project, whatIf)) ?? null;
  }

  all(project: string): Draft[] {
    const of = draftKey(project, null);
    return [...this.#all].filter(([key]) => key.startsWith(of)).map(([, draft]) => draft);
  }

  /** The edits of a draft, and with them the draft, become others. Without edits and a title there is none. */
  put(project: string, draft: Draft): void {
    const key = draftKey(project, draft.whatIf);
    const isNothing = draft.edits.length === 0 && (draft.whatIf !== null || draft.title === "");
    const all = new Map(this.#all);
    if (isNothing) all.delete(key);
    else all.set(key, draft);
    this.#all = all;
    try {
      if (isNothing) localStorage.removeItem(key);
      else localStorage.setItem(key, writeDraft(draft));
      this.fault = "";
    } catch {
      this.fault = "this browser keeps nothing for this page: what is unsaved is gone when it is closed";
    }
  }

  drop(project: string, whatIf: string | null): void {
    this.put(project, { whatIf, title: "", base: "", about: null, edits: [] });
  }

  #read(): void {
    const all = new Map<string, Draft>();
    try {
      for (const key of Object.keys(localStorage)) {
        const draft = key.startsWith(DRAFTS) ? readDraft(localStorage.getItem(key) ?? "") : null;
        if (draft) all.set(key, draft);
      }
    } catch {
      this.fault = "this browser keeps nothing for this page: what is unsaved is gone when it is closed";
    }
    this.#all = all;
  }
}

export const drafts = new Drafts();

export function unsaved(edits: readonly Edit[]): string {
  return count(edits.length, "unsaved change");
}
