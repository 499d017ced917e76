// What-ifs over HTTP: one of them, making, amending, asking for something, discarding.
import { ordered } from "../core/edits";
import { editJson, readCase, type Edit, type WhatIfCase } from "../core/whatif";
import { request } from "../lib/rest";

export interface NewWhatIf {
  title: string;
  base: string;
  edits: readonly Edit[];
}

export interface Amendment {
  /** The version of what it says of itself that this goes by. */
  about: string;
  title?: string;
  edits?: readonly Edit[];
  days?: number;
  pinned?: boolean;
  ask?: { what: "apply" | "undo" | "rebase"; onto?: string; why?: string; settle?: { edit: number; side: string }[] };
}

export async function getWhatIf(id: string, signal: AbortSignal): Promise<WhatIfCase> {
  return readCase(await request("GET", path(id), null, signal));
}

export async function makeWhatIf({ edits, ...rest }: NewWhatIf): Promise<WhatIfCase> {
  return readCase(await request("POST", "whatif", { ...rest, edits: ordered(edits).map(editJson) }));
}

export async function amendWhatIf(id: string, { edits, ...rest }: Amendment): Promise<WhatIfCase> {
  return readCase(await request("PUT", path(id), { ...rest, ...(edits && { edits: edits.map(editJson) }) }));
}

export async function discardWhatIf(id: string): Promise<void> {
  await request("DELETE", path(id), null);
}

function path(id: string): string {
  return `whatif/${encodeURIComponent(id)}`;
}
