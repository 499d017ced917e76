// Starts the page: of one project, or of all that the server shows. The server says in its first line which.
import { mount } from "svelte";
import { beginAt, within } from "./lib/base";
import { Actions } from "./model/actions.svelte";
import { socketAt } from "./model/followed.svelte";
import { Hubs } from "./model/hubs.svelte";
import { Live } from "./model/live.svelte";
import { Notices } from "./model/notices.svelte";
import { Place } from "./model/place.svelte";
import { Session } from "./model/session.svelte";
import { Tastes } from "./model/tastes.svelte";
import { World } from "./model/world.svelte";
import "./ui/base.css";
import App from "./ui/App.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("cannot start: index.html has no element #app");

const { base, hubs: isFront } = document.documentElement.dataset;
const session = new Session();
const tastes = new Tastes();
if (isFront !== undefined) {
  const { default: Front } = await import("./ui/Front.svelte");
  mount(Front, { target, props: { hubs: new Hubs(null), session, tastes } });
} else {
  beginAt(base ?? "/");
  const hubs = base === undefined ? null : new Hubs(decodeURIComponent(base.slice(1, -1)));
  const live = new Live(socketAt(within("sync/1")));
  const place = new Place();
  mount(App, { target, props: { model: { live, hubs, place, world: new World(live, place), session, notices: new Notices(), actions: new Actions(), tastes } } });
}
