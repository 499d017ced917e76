// Where the reader is, as the part of the URL after `#`. Every state worth a link is here: page, view, resource, filters, moment.
export const PAGES = ["view", "resources", "resource", "pipeline", "problems"] as const;
export type Page = (typeof PAGES)[number];

/** In the order they are written. */
const PARAMS = ["at", "from", "show", "track", "triage", "stream", "header", "find", "sort"] as const;
export type Param = (typeof PARAMS)[number];
export type Params = Partial<Record<Param, string>>;

export interface Route {
  page: Page;
  /** The view's or the resource's name; empty for the first view and for pages without one. */
  name: string;
  params: Params;
}

const RESOURCE = "r";

export function readRoute(hash: string): Route {
  const [path = "", query = ""] = split(hash.replace(/^#/, ""), "?");
  const [head = "", ...rest] = path.split("/").filter((part) => part !== "");
  const name = rest.map(decode).join("/");
  const given = new URLSearchParams(query);
  const params: Params = {};
  for (const param of PARAMS) {
    const value = given.get(param);
    if (value !== null) params[param] = value;
  }
  if (head === RESOURCE && name !== "") return { page: "resource", name, params };
  const page = PAGES.find((known) => known === head && known !== "resource") ?? "view";
  return { page, name: page === "view" && head === "view" ? name : "", params };
}

export function writeRoute(page: Page, name = "", params: Params = {}): string {
  const query = new URLSearchParams();
  for (const param of PARAMS) {
    const value = params[param];
    if (value !== undefined) query.set(param, value);
  }
  const path = [page === "resource" ? RESOURCE : page, ...name.split("/")].filter((part) => part !== "");
  const place = page === "view" && name === "" ? "#/" : `#/${path.map(encodeURIComponent).join("/")}`;
  const text = query.toString();
  return text === "" ? place : `${place}?${text}`;
}

/** The same page with some parameters set, or taken away with null. */
export function withParams(route: Route, patch: Partial<Record<Param, string | null>>): Route {
  const params: Params = { ...route.params };
  for (const [param, value] of Object.entries(patch) as [Param, string | null][]) {
    if (value === null) delete params[param];
    else params[param] = value;
  }
  return { ...route, params };
}

/** How a table is sorted: `sort=name` upwards, `sort=-name` downwards. */
export interface Sort {
  column: string;
  down: boolean;
}

export function readSort(text: string | undefined, fallback: Sort): Sort {
  if (text === undefined || text === "" || text === "-") return fallback;
  return text.startsWith("-") ? { column: text.slice(1), down: true } : { column: text, down: false };
}

export function writeSort(sort: Sort): string {
  return `${sort.down ? "-" : ""}${sort.column}`;
}

function split(text: string, mark: string): [string, string] {
  const place = text.indexOf(mark);
  return place < 0 ? [text, ""] : [text.slice(0, place), text.slice(place + 1)];
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A stray percent sign in a hand-written URL is taken as it stands.
    return part;
  }
}
