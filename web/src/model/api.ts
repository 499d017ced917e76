// What the page fetches when it is looked at: contents, histories, differences, runs, problems.
import { readWhere, type Where } from "../core/cluster";
import { readProblems, type ProblemTold } from "../core/problems";
import { readDetail, readRuns, type RunDetail, type RunList } from "../core/runs";
import { readListing, readLog, type Listing, type Version } from "../core/wire";
import { within } from "../lib/base";
import { ask, readBytes, readText, request } from "../lib/rest";

export interface Content {
  resource: string;
  bytes: Uint8Array;
  /** The revision these bytes are from. */
  revision: string;
  contentType: string | null;
}

/** What is looked at: now, as of a moment, or in a what-if. */
export interface Moment {
  at: string | null;
  whatIf: string | null;
}

export async function getContent(resource: string, moment: Moment, signal: AbortSignal): Promise<Content> {
  const answer = await call("get", { resource, ...query(moment) }, signal);
  return {
    resource,
    bytes: await readBytes(answer, resource),
    revision: answer.headers.get("x-esker-revision") ?? moment.at ?? "",
    contentType: answer.headers.get("content-type"),
  };
}

export async function getListing(moment: Moment, signal: AbortSignal): Promise<Listing> {
  const answer = await call("list", query(moment), signal);
  return readListing(await readText(answer, "the list of resources"));
}

/** The versions of a resource, or of all; newest first. */
export async function getLog(resource: string | null, limit: number, moment: Moment, signal: AbortSignal): Promise<Version[]> {
  const answer = await call("log", { ...(resource !== null && { resource }), limit: String(limit), ...query(moment) }, signal);
  return readLog(await readText(answer, `the history of ${resource ?? "everything"}`));
}

/** How a difference is said: lines, or what `form` asks for. */
export interface Difference {
  form: string;
  text: string;
}

export async function getDiff(resource: string, from: string, to: Moment, form: "text" | "auto", signal: AbortSignal): Promise<Difference> {
  const { at, ...rest } = query(to);
  const answer = await call("diff", { resource, from, ...(at !== undefined && { to: at }), ...rest, as: form }, signal);
  return { form: answer.headers.get("x-esker-as") ?? "text", text: await readText(answer, `the changes of ${resource}`) };
}

/** Which runs: of a stage or of all, those that failed or all. */
export interface RunsAsked {
  stage: string;
  failed: boolean;
}

/** Runs that are over, newest first; after a place in the list, if it goes on. */
export async function getRuns(asked: RunsAsked, limit: number, after: string | null, signal: AbortSignal): Promise<RunList> {
  const { stage, failed } = asked;
  const query = { ...(stage !== "" && { stage }), ...(failed && { failed: "true" }), ...(after !== null && { after }), limit: String(limit) };
  return readRuns(await readText(await call("runs", query, signal), "the runs"));
}

/** One run, with what its program said. */
export async function getRun(id: string, signal: AbortSignal): Promise<RunDetail> {
  const answer = await call(`runs/${encodeURIComponent(id)}`, {}, signal);
  return readDetail(await readText(answer, "the run"));
}

/** Which workers of the cluster have an id. */
export async function findInCluster(id: string, signal: AbortSignal): Promise<Where> {
  return readWhere(await readText(await call("cluster/where", { id }, signal), `where ${id} is`));
}

/** What is known of each problem beside what the live model tells: what people have said of it, too. */
export async function getProblems(signal: AbortSignal): Promise<ProblemTold[]> {
  return readProblems(await readText(await call("problems", {}, signal), "the problems"));
}

export type ProblemDeed = "retry" | "acknowledge" | "mute" | "clear";

/** Does something about a problem, known by its id or its stage. */
export async function settleProblem(id: string, deed: ProblemDeed, body: Record<string, string>): Promise<void> {
  await request("POST", `problems/${encodeURIComponent(id)}/${deed}`, body);
}

/** Where a browser can save the bytes from. */
export function contentUrl(resource: string, moment: Moment): string {
  return within(`api/get?${new URLSearchParams({ resource, ...query(moment) }).toString()}`);
}

function query({ at, whatIf }: Moment): Record<string, string> {
  return { ...(at !== null && { at }), ...(whatIf !== null && { whatif: whatIf }) };
}

function call(verb: string, query: Record<string, string>, signal: AbortSignal): Promise<Response> {
  return ask(`${verb}?${new URLSearchParams(query).toString()}`, {}, signal);
}
