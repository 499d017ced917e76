// Unsaved edits as they are kept in the browser.
import { Field } from "./wire";
import { editJson, readEdit, type Edit } from "./whatif";

/** Edits that nobody but this browser knows of. */
export interface Draft {
  /** The what-if they amend; null for a new one. */
  whatIf: string | null;
  title: string;
  /** The commit they were made on. */
  base: string;
  /** The version of what the what-if said of itself then; null for a new one. */
  about: string | null;
  edits: Edit[];
}

const FORM = 1;
/** How the keys of all drafts begin. */
export const DRAFTS = "esker.draft\n";

export function writeDraft({ edits, ...rest }: Draft): string {
  return JSON.stringify({ form: FORM, ...rest, edits: edits.map((edit) => ({ ...editJson(edit), ...(edit.found !== undefined && { found: edit.found }) })) });
}

/** What was kept; null if it cannot be read, for nothing of it is worth more than a page that opens. */
export function readDraft(text: string): Draft | null {
  try {
    const field = new Field(JSON.parse(text), "");
    if (field.get("form").number() !== FORM) return null;
    const orNull = (name: string): string | null => field.get(name).orNull((one) => one.string());
    return { whatIf: orNull("whatIf"), title: field.get("title").text(), base: field.get("base").string(), about: orNull("about"), edits: field.get("edits").list(readEdit) };
  } catch {
    return null;
  }
}

/** Where a draft is kept: one for each what-if of a project, and one for a new one. */
export function draftKey(project: string, whatIf: string | null): string {
  return `${DRAFTS}${project}\n${whatIf ?? ""}`;
}
