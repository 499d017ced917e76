// Where the reader is, as the part of the URL after `#`. Every state worth a link is here: page, view, resource, filters, moment.

/** How each page is called in the URL; the overview is `#/`. */
const PATHS = {
  overview: "",
  view: "view",
  resources: "resources",
  resource: "r",
  commit: "commit",
  pipeline: "pipeline",
  runs: "runs",
  problems: "problems",
  whatif: "whatif",
  cluster: "cluster",
  sync: "sync",
  settings: "settings",
} as const;
export type Page = keyof typeof PATHS;

/** In the order they are written. `at` and `wi` say that all of the page is of then, or of a what-if. */
const PARAMS = ["at", "wi", "from", "show", "track", "triage", "stream", "header", "find", "sort", "hide", "only", "with", "edit", "unit"] as const;
export type Param = (typeof PARAMS)[number];
export type Params = Partial<Record<Param, string>>;

export interface Route {
  page: Page;
  /** The name of the view, resource, stage or what-if, or the commit; empty for the first view and for pages of all. */
  name: string;
  params: Params;
}

export function readRoute(hash: string): Route {
  const [path = "", query = ""] = split(hash.replace(/^#/, ""), "?");
  const [head = "", ...rest] = path.split("/").filter((part) => part !== "");
  const given = new URLSearchParams(query);
  const params: Params = {};
  for (const param of PARAMS) {
    const value = given.get(param);
    if (value !== null) params[param] = value;
  }
  const page = (Object.keys(PATHS) as Page[]).find((known) => PATHS[known] === head);
  const name = rest.map(decode).join("/");
  return page === undefined || (page === "resource" && name === "") ? { page: "overview", name: "", params } : { page, name, params };
}

export function writeRoute(page: Page, name = "", params: Params = {}): string {
  const query = new URLSearchParams();
  for (const param of PARAMS) {
    const value = params[param];
    if (value !== undefined) query.set(param, value);
  }
  const path = [PATHS[page], ...name.split("/")].filter((part) => part !== "");
  const place = `#/${path.map(encodeURIComponent).join("/")}`;
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
