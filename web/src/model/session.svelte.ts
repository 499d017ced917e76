// Who looks at this page. Where nobody has to log in, nobody is named.
import { ApiError, request } from "../lib/rest";

/** What may be done, each more than the one before. */
const ROLES = ["view", "what-if", "operate", "admin"] as const;
export type Role = (typeof ROLES)[number];

export class Session {
  user = $state<string | null>(null);
  role = $state("");
  /** Whether there is a session that can be ended. */
  hasBegun = $state(false);

  /** Whether something that needs this role may be done, as far as is known. */
  may(needed: Role): boolean {
    const has = ROLES.findIndex((role) => role === this.role);
    return has < 0 || has >= ROLES.indexOf(needed);
  }

  /** Asks who it is; whoever has to log in (again) is led there, and back. */
  async look(): Promise<void> {
    try {
      const told = JSON.parse(await request("GET", "me", null)) as { user: string | null; role: string; by: string | null };
      this.user = told.user;
      this.role = told.role;
      this.hasBegun = told.by === "session";
    } catch (fault) {
      // What cannot be reached says so elsewhere on the page.
      if (fault instanceof ApiError && fault.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.hash)}`);
    }
  }
}
