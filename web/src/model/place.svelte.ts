// The route as the page sees it: follows the URL and changes it.
import { readRoute, withParams, writeRoute, type Page, type Param, type Params, type Route } from "../core/route";

export class Place {
  route = $state.raw<Route>(readRoute(location.hash));

  run(): () => void {
    const read = (): void => {
      this.route = readRoute(location.hash);
    };
    window.addEventListener("hashchange", read);
    return () => window.removeEventListener("hashchange", read);
  }

  param(name: Param): string | null {
    return this.route.params[name] ?? null;
  }

  /** The URL of another page, of the same moment and what-if. */
  to(page: Page, name = "", params: Params = {}): string {
    const { at, wi } = this.route.params;
    return writeRoute(page, name, { ...(at !== undefined && { at }), ...(wi !== undefined && { wi }), ...params });
  }

  /** The URL of this page with other parameters. */
  with(patch: Partial<Record<Param, string | null>>): string {
    const { page, name, params } = withParams(this.route, patch);
    return writeRoute(page, name, params);
  }

  /** Changes parameters; typing in a search field must not fill the history, so `replace`. */
  set(patch: Partial<Record<Param, string | null>>, replace = false): void {
    const hash = this.with(patch);
    if (hash === location.hash) return;
    if (!replace) {
      location.hash = hash;
      return;
    }
    history.replaceState(history.state, "", hash);
    this.route = readRoute(hash);
  }
}
