// Fetches what differs between a base and several what-ifs.
import { planDifferences, readPlaces, sideBySide, whole, type Difference } from "../core/compare";
import { parsePlan, type Plan } from "../core/plan";
import { decodeText } from "../core/text";
import type { Listing } from "../core/wire";
import { ApiError } from "../lib/rest";
import { getContent, getDiff, getListing, type Moment } from "./api";

/** A resource that differs in one of them at least. */
export interface Compared {
  resource: string;
  /** Of tables and JSON; null of what is compared as text alone. */
  differences: Difference[] | null;
  /** Of a plan. */
  plan: { capacity: Difference[]; ends: Difference[] } | null;
  /** In which of them it differs. */
  differs: boolean[];
  fault: string;
}

/** What a what-if says of itself, and what applying left beside main, is no difference of the project. */
const OWN = /^(whatif|overrides|overridden)\//;

export async function compare(base: string, ids: readonly string[], plans: ReadonlySet<string>, signal: AbortSignal): Promise<Compared[]> {
  const then = await getListing({ at: base, whatIf: null }, signal);
  const each = await Promise.all(ids.map((id) => getListing({ at: null, whatIf: id }, signal)));
  const blobs = (listing: Listing): Map<string, string> => new Map(listing.entries.map((entry) => [entry.resource, entry.blob]));
  const [before, ...after] = [then, ...each].map(blobs);
  const names = [...new Set([...(before?.keys() ?? []), ...after.flatMap((one) => [...one.keys()])])].filter((name) => !OWN.test(name));
  const differing = names.map((resource) => ({ resource, isBefore: before?.has(resource) === true, isAfter: after.map((one) => one.has(resource)), differs: after.map((one) => one.get(resource) !== before?.get(resource)) })).filter(({ differs }) => differs.some(Boolean));
  // Plans are what people look at first.
  const order = [...differing.filter(({ resource }) => plans.has(resource)), ...differing.filter(({ resource }) => !plans.has(resource))];
  return Promise.all(order.map((one) => comparedOne(base, ids, { ...one, isPlan: plans.has(one.resource) }, signal)));
}

interface Where {
  resource: string;
  /** Whether it was at the base, and is in each of them. */
  isBefore: boolean;
  isAfter: boolean[];
  differs: boolean[];
  isPlan: boolean;
}

async function comparedOne(base: string, ids: readonly string[], { resource, isBefore, isAfter, differs, isPlan }: Where, signal: AbortSignal): Promise<Compared> {
  const one: Compared = { resource, differs, differences: null, plan: null, fault: "" };
  try {
    const told = await Promise.all(
      ids.map(async (id, index) => {
        if (!differs[index]) return [];
        if (!isBefore || !isAfter[index]) return whole(isBefore);
        const { form, text } = await getDiff(resource, base, { at: null, whatIf: id }, "auto", signal);
        return readPlaces(form, text);
      }),
    );
    one.differences = told.includes(null) ? null : sideBySide(told.map((changes) => changes ?? []));
    if (isPlan) {
      const first = await plan(resource, { at: base, whatIf: null }, signal);
      if (first) one.plan = planDifferences(first, await Promise.all(ids.map((id) => plan(resource, { at: null, whatIf: id }, signal))));
    }
  } catch (fault) {
    if (signal.aborted || (fault instanceof ApiError && fault.code === "unavailable")) throw fault;
    one.fault = fault instanceof Error ? fault.message : String(fault);
  }
  return one;
}

async function plan(resource: string, moment: Moment, signal: AbortSignal): Promise<Plan | null> {
  try {
    return parsePlan(decodeText((await getContent(resource, moment, signal)).bytes) ?? "");
  } catch (fault) {
    // A plan that is not there, or is none, is compared as none.
    if (signal.aborted) throw fault;
    return null;
  }
}
