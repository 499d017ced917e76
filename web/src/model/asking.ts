// The way into asking “what if”, for buttons and for the key `w`: what is looked at can be edited from then on.
import type { Model } from "./model";
import { writeRoute } from "../core/route";
import { refusal } from "./may";

/** Whether what is looked at can be edited: a view or a resource, of now or of a what-if, by who may. */
export function canAsk({ place, live, session }: Model): boolean {
  return place.param("at") === null && live.state !== null && refusal({ live, session }, "what-if") === "";
}

/** Turns what is looked at into its editor; where nothing can be edited, opens the list of what-ifs. */
export function askWhatIf(model: Model): void {
  const { place } = model;
  const { page } = place.route;
  if (!canAsk(model)) location.hash = writeRoute("whatif");
  else if (page === "view") place.set({ edit: "1" });
  else if (page === "resource") place.set({ edit: "1", show: "content" });
  else location.hash = place.to("whatif");
}
