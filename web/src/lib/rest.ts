// Calls the server's /api over HTTP. Every call has a time and a size limit.

import { within } from "./base";

const DEADLINE_MS = 30_000;
/** More than this is not shown in a page; the command line has no such limit. */
const CONTENT_MAX = 16 * 1024 * 1024;

/** What the server, or the way to it, said instead of an answer. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly hint = "",
    /** What HTTP calls it; 0 if there was no answer. */
    readonly status = 0,
  ) {
    super(message);
  }
}

/** Asks for a path below /api, with JSON if there is something to say; what is answered. */
export async function request(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<string> {
  const said = body === null ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const answer = await ask(path, { method, ...said }, signal ?? new AbortController().signal);
  return readText(answer, path);
}

/** Asks for a path below /api; a refusal is thrown as an ApiError. */
export async function ask(path: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]);
  let answer: Response;
  try {
    answer = await fetch(within(`api/${path}`), { ...init, signal: limit });
  } catch (fault) {
    throw unreached(fault, signal);
  }
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

function unreached(fault: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return fault;
  if (fault instanceof DOMException && fault.name === "TimeoutError") {
    return new ApiError("timeout", `no answer within ${DEADLINE_MS / 1000} s`, "try again; if it goes on, look at the log of esker");
  }
  return new ApiError("unavailable", "cannot reach esker", "is it still running? This page goes on trying");
}

async function refusal(answer: Response): Promise<ApiError> {
  const text = (await answer.text()).slice(0, 4000);
  try {
    const error = (JSON.parse(text) as { error?: { code?: unknown; message?: unknown; hint?: unknown } }).error;
    if (typeof error?.message === "string") {
      return new ApiError(word(error.code) || String(answer.status), error.message, word(error.hint), answer.status);
    }
  } catch {
    // Not esker's own words, perhaps a proxy's: shown as they are, below.
  }
  return new ApiError(String(answer.status), `the server answered ${answer.status} ${answer.statusText}`.trim(), text, answer.status);
}

function word(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** What was answered, if it is not too large. */
export async function readBytes(answer: Response, what: string): Promise<Uint8Array> {
  const reader = answer.body?.getReader();
  if (!reader) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > CONTENT_MAX) {
      await reader.cancel();
      throw new ApiError("too-large", `${what} is larger than the ${CONTENT_MAX / 1024 / 1024} MiB a page shows`, "use the command line: esker get");
    }
    parts.push(value);
  }
  const bytes = new Uint8Array(size);
  let place = 0;
  for (const part of parts) {
    bytes.set(part, place);
    place += part.length;
  }
  return bytes;
}

/** As `readBytes`, of what is text. */
export async function readText(answer: Response, what: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(answer, what));
}
