// The planning page: what fits, what is short, what ends when, and what would be if something came earlier. All of it is live.
import esker from "../esker.js";
import { dayOf, readPlan, readWork } from "./plan.js";
import { bars, line } from "./draw.js";

const at = (id) => document.getElementById(id);
const plan = esker.resource("results/plan");
const raw = esker.resource("raw/plan");
/** The what-if that is looked at; null for what is. */
let whatIf = null;
/** What is shown, what there is, and the rows of the spreadsheet. */
let shown = null;
let base = null;
let work = [];

const here = () => new URLSearchParams(location.hash.slice(1));

/** Keeps a filter, or the what-if, in the address of the page. */
function keep(name, value) {
  const all = here();
  if (value) all.set(name, value);
  else all.delete(name);
  history.replaceState(null, "", `#${all}`);
}

/** Says what went wrong in looking or in doing; that one goes well takes back nothing that was said of the other. */
function say(of, fault) {
  const place = at("fault");
  if (!fault && place.dataset.of !== of) return;
  place.dataset.of = of;
  place.textContent = fault ? `${fault.message}${fault.hint ? `: ${fault.hint}` : ""}` : "";
}

async function look() {
  try {
    base = readPlan(await plan.text());
    work = readWork(await raw.text());
    shown = whatIf?.state === "done" || whatIf?.state === "applied" ? readPlan(await whatIf.text("results/plan")) : base;
    say("look");
  } catch (fault) {
    say("look", fault);
  }
  draw();
}

function badge() {
  const words = { live: "● live", syncing: "◌ connecting", "catching-up": "◌ catching up", stale: "✕ not connected; what is shown may be old" };
  at("state").textContent = words[plan.state];
}

function draw() {
  badge();
  at("what-if").hidden = !whatIf;
  document.body.classList.toggle("in-what-if", Boolean(whatIf));
  document.title = whatIf ? `What if: ${whatIf.title}` : "Planning";
  if (whatIf) {
    at("what-if-title").textContent = `What if: ${whatIf.title}`;
    at("what-if-state").textContent = `${whatIf.state}${whatIf.state === "problem" || whatIf.state === "invalid" ? `: ${whatIf.summary}` : ""}`;
    at("what-if-link").href = whatIf.url;
    at("apply").disabled = whatIf.state !== "done";
  }
  if (!shown) return;
  choices("track", ["All", ...shown.tracks.slice(1).map((track) => track.name)]);
  choices("triage", ["all", ...shown.triages]);
  const name = at("track").value;
  const place = Math.max(0, shown.tracks.findIndex((track, index) => index > 0 && track.name === name));
  const track = shown.tracks[place];
  const before = base.tracks[place];
  const upTo = at("triage").value === "all" ? shown.triages.length - 1 : shown.triages.indexOf(at("triage").value);
  const rows = shown.skills.map((skill, index) => ({
    skill,
    manpower: track.manpower[index],
    steps: track.demand.slice(0, upTo + 1).map((all) => all[index]),
  }));
  const short = rows.filter((row) => row.steps.at(-1) > row.manpower).map((row) => row.skill);
  at("fits").textContent = short.length === 0 ? "✓ Everything fits." : `▲ Too much for ${short.join(", ")}.`;
  at("fits").className = short.length === 0 ? "good" : "bad";
  at("capacity").replaceChildren(bars(rows, shown.triages));
  const items = track.items.filter((item) => item.triage <= Number(shown.triages[upTo]));
  at("items").replaceChildren(table(items, before?.items ?? []));
}

/** The choices of a filter, with the one that the address of the page names. */
function choices(id, all) {
  const select = at(id);
  if ([...select.options].map((option) => option.value).join("\n") !== all.join("\n")) {
    select.replaceChildren(...all.map((one) => new Option(one || "(none)", one)));
  }
  select.value = all.includes(here().get(id)) ? here().get(id) : all[0];
}

function table(items, before) {
  const made = document.createElement("table");
  made.dataset.testid = "items";
  const head = made.createTHead().insertRow();
  for (const word of ["Rank", "Item", "Triage", "Short of", "Ends", "Within the plan"]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = word;
    head.append(cell);
  }
  const body = made.createTBody();
  const [first, last] = [dayOf(shown.start), Math.max(dayOf(shown.end), ...items.map((item) => dayOf(item.ends) || 0))];
  for (const [index, item] of items.entries()) {
    const row = body.insertRow();
    row.tabIndex = 0;
    row.draggable = Boolean(rowOf(item));
    row.dataset.name = item.name;
    const was = before.find((one) => one.name === item.name);
    const short = item.shortages.map(([skill, weeks]) => `${skill} ${Math.round(Math.abs(weeks) * 10) / 10}`).join(", ");
    const ends = item.ends === "DNF" ? "✕ not within the plan" : item.ends;
    for (const text of [item.rank, item.name, item.triage, short, ends]) row.insertCell().textContent = String(text);
    if (was && was.ends !== item.ends) {
      const mark = row.cells[4].appendChild(document.createElement("span"));
      mark.className = "was";
      mark.textContent = ` was ${was.ends === "DNF" ? "not within the plan" : was.ends}`;
      row.classList.add("changed");
    }
    row.insertCell().append(line((dayOf(item.ends) - first) / Math.max(1, last - first), (dayOf(shown.end) - first) / Math.max(1, last - first)));
    row.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/plain", item.name));
    row.addEventListener("dragover", (event) => event.preventDefault());
    row.addEventListener("drop", (event) => {
      event.preventDefault();
      const from = items.find((one) => one.name === event.dataTransfer.getData("text/plain"));
      if (from && from !== item) void rank(from, item.rank);
    });
    row.addEventListener("keydown", (event) => {
      const step = event.altKey ? { ArrowUp: -1, ArrowDown: 1 }[event.key] : undefined;
      const to = step && items[index + step];
      if (!to) return;
      event.preventDefault();
      void rank(item, to.rank);
    });
  }
  return made;
}

/** The one row of the spreadsheet that an item is; none if several are called so. */
function rowOf(item) {
  const found = work.filter((row) => row.name === item.name && row.id !== "");
  return found.length === 1 ? found[0] : null;
}

/** Asks what would be if an item had this rank. */
async function rank(item, to) {
  const row = rowOf(item);
  if (!row) return;
  const edit = { at: `raw/plan:Work[${row.id}].Rank`, rank: to };
  try {
    if (whatIf) await whatIf.amend({ edits: [...(await edits(whatIf.id)), edit] });
    else follow(await esker.whatIf({ title: `${item.name} at rank ${to}`, edits: [edit], days: 1 }));
    await whatIf.done();
    await look();
    [...document.querySelectorAll("#items tr")].find((one) => one.dataset.name === item.name)?.focus();
    say("do");
  } catch (fault) {
    say("do", fault);
  }
}

/** The edits a what-if has, as they are sent. */
async function edits(id) {
  const answer = await fetch(`/api/whatif/${encodeURIComponent(id)}`);
  const { edits } = await answer.json();
  return edits.map(({ number, found, ...edit }) => edit);
}

function follow(one) {
  whatIf?.close();
  whatIf = one;
  keep("what-if", one?.id);
  one?.on("change", () => void look());
  void look();
}

at("apply").addEventListener("click", async () => {
  try {
    await whatIf.apply({ why: "from the planning page" });
    follow(null);
    say("do");
  } catch (fault) {
    const hint = fault.conflicts ? "settle it on esker's page: All of it" : fault.hint;
    say("do", { message: `Not applied: ${fault.message}`, hint });
  }
});
at("discard").addEventListener("click", async () => {
  const one = whatIf;
  follow(null);
  say("do");
  await one.discard().catch((fault) => say("do", fault));
});
for (const id of ["track", "triage"]) {
  at(id).addEventListener("change", () => {
    keep(id, at(id).value);
    draw();
  });
}
at("filters").addEventListener("submit", (event) => event.preventDefault());
plan.on("change", () => void look());
raw.on("change", () => void look());
setInterval(badge, 1_000);

await plan.ready;
const asked = here().get("what-if");
try {
  if (asked) follow(await esker.whatIf(asked));
} catch {
  keep("what-if", null);
}
await look();
