// What who looks may do, and why not: nobody is offered what would be refused.
import type { Model } from "./model";
import type { Role } from "./session.svelte";

/** Why something that needs this role cannot be done here, as a sentence; empty if it can. */
export function refusal({ live, session }: Pick<Model, "live" | "session">, needed: Role, what = "This"): string {
  if (live.state && live.state.asOf !== null) {
    return needed === "what-if" ? "This is an excavation: what-ifs are made and changed in its folder, with esker whatif." : "This is an excavation: nothing in it can be changed.";
  }
  return session.may(needed) ? "" : `${what} needs the role “${needed}”; yours is “${session.role}”.`;
}
