// Starts the page.
import { mount } from "svelte";
import { Actions } from "./model/actions.svelte";
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

const live = new Live(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/sync/1`);
const place = new Place();
mount(App, { target, props: { model: { live, place, world: new World(live, place), session: new Session(), notices: new Notices(), actions: new Actions(), tastes: new Tastes() } } });
