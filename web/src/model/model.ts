// What every component can reach: the live state, what of it is looked at, the place in the page,
// the notices, what can be done, what the reader prefers.
import { createContext } from "svelte";
import type { Actions } from "./actions.svelte";
import type { Hubs } from "./hubs.svelte";
import type { Live } from "./live.svelte";
import type { Notices } from "./notices.svelte";
import type { Place } from "./place.svelte";
import type { Session } from "./session.svelte";
import type { Tastes } from "./tastes.svelte";
import type { World } from "./world.svelte";

export interface Model {
  live: Live;
  /** The projects that the server shows; null where it shows this one alone. */
  hubs: Hubs | null;
  place: Place;
  world: World;
  session: Session;
  notices: Notices;
  actions: Actions;
  tastes: Tastes;
}

export const [useModel, provideModel] = createContext<Model>();
