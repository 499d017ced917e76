// Who looks at this page. Where nobody has to log in, nobody is named.
import { ApiError, request } from "../lib/rest";

export class Session {
  user = $state<string | null>(null);
  role = $state("");
  /** Whether there is a session that can be ended. */
  hasBegun = $state(false);

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
