// What every component can reach: the live state, what of it is looked at, the place in the page, the notices.
import { createContext } from "svelte";
import type { Live } from "./live.svelte";
import type { Notices } from "./notices.svelte";
import type { Place } from "./place.svelte";
import type { World } from "./world.svelte";

export interface Model {
  live: Live;
  place: Place;
  world: World;
  notices: Notices;
}

export const [useModel, provideModel] = createContext<Model>();
