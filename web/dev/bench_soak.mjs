// Whether the page and what serves it grow while they are at work:
//   ESKER_BIN=target/release/esker node dev/bench_soak.mjs [MINUTES] [ROWS] [VERSIONS_A_SECOND] [CELLS_A_VERSION]
// Two pages of a real Chromium: one stays on a table of so many rows that changes all the time, one walks through all pages over and over. Each
// minute both are collected, and what they and the processes of esker hold is written down. At the end it says how fast each grows once it has
// settled, after a third of the time; and ends with 1 where something grows that must not.
import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "@playwright/test";
import { answers, change, feed, freePort, LiveTable, rest, until } from "./live_table.mjs";

const [minutes, rows, versions, cells] = [30, 5_000, 10, 1_000].map((usual, at) => Number(process.argv[2 + at] ?? usual));
const program = resolve(process.env.ESKER_BIN ?? "../target/release/esker");
/** How often what is held is looked at. */
const LOOK_MS = 60_000;
/** How long the one who walks stays on a page. */
const STAY_MS = 1_500;
/** How often an input of the pipeline changes. */
const INPUT_MS = 5_000;
/** What may be added in ten minutes once all has settled, as a part of what there is; and so much in any case. */
const GROWTH_MAX = 0.03;
const NOISE = { heap: 0.5e6, nodes: 300, listeners: 60, documents: 1, memory: 2e6, files: 4, threads: 1 };

const DEFINITION = `[project]
name = "soak"
[stage.sorted]
input = "raw/small"
run = ["sort"]
output = "results/sorted"
[stage.numbered]
input = "results/sorted"
run = ["awk", "{ print NR \\",\\" $0 }"]
output = "results/numbered"
[view.live]
resource = "raw/live"
kind = "table"
[view.numbered]
resource = "results/numbered"
kind = "table"
`;

const dir = mkdtempSync(join(tmpdir(), "esker-bench-soak-"));
writeFileSync(join(dir, "esker.toml"), DEFINITION);
const said = (...args) => execFileSync(program, args, { cwd: dir, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
const put = (resource) => (input) => feed(program, ["put", resource], { cwd: dir, input });
const small = (turn) => `id,amount\n${Array.from({ length: 40 }, (_, row) => `k${row},${(row * 7 + turn) % 41}`).join("\n")}\n`;

const started = [];
function start(...args) {
  const child = spawn(program, args, { cwd: dir, stdio: "ignore" });
  started.push(child);
  return child;
}

/** What a process holds, as the kernel counts it. */
function held({ pid }) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const count = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return { memory: (count("RssAnon") || 0) * 1024, files: readdirSync(`/proc/${pid}/fd`).length, threads: count("Threads") };
}

/** What a page holds once it was collected. */
async function kept(session) {
  for (let time = 0; time < 3; time += 1) await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const of = (name) => metrics.find((one) => one.name === name)?.value ?? NaN;
  return { heap: of("JSHeapUsedSize"), nodes: of("Nodes"), listeners: of("JSEventListeners"), documents: of("Documents") };
}

async function open(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable");
  await session.send("HeapProfiler.enable");
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(url);
  return { page, session, errors };
}

/** Every page that there is, and what is looked at on it. */
function walk(whatIf, commit) {
  const revisions = said("log", "raw/small").match(/\b[0-9a-f]{10,40}\b/g) ?? [];
  const then = revisions[Math.min(5, revisions.length - 1)];
  return [
    "/",
    "/resources?find=r",
    "/r/raw/live",
    "/r/raw/live?show=lines",
    "/r/raw/live?show=content",
    "/r/raw/small",
    `/r/raw/small?at=${then}&show=changes`,
    `/r/results/numbered?from=${then}`,
    `/commit/${commit}`,
    "/pipeline",
    "/pipeline/numbered",
    "/runs",
    "/runs/numbered",
    "/runs?only=failed",
    "/problems",
    "/view/numbered?sort=-1&find=k1",
    `/view/numbered?at=${then}`,
    `/view/numbered?wi=${whatIf}`,
    "/whatif",
    `/whatif/${whatIf}`,
    `/r/results/numbered?wi=${whatIf}&show=changes`,
    "/r/raw/small?show=content&edit=1",
    "/sync",
    "/settings",
    "/view/live?sort=-1",
  ].map((place) => `#${place}`);
}

/** By how much it grows in ten minutes: the slope of the line through the points that is least far from them. */
function slope(points) {
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [time, value] = [mean((point) => point.time), mean((point) => point.value)];
  const above = points.reduce((sum, point) => sum + (point.time - time) * (point.value - value), 0);
  return (above / points.reduce((sum, point) => sum + (point.time - time) ** 2, 0)) * 10;
}

const shown = (what, value) => (what === "heap" || what === "memory" ? `${(value / 1e6).toFixed(1)} MB` : value.toFixed(0));

/** What grows, of everything that was looked at. */
function judge(looks) {
  const settled = looks.filter(({ time }) => time >= minutes / 3 - 0.1);
  let failed = 0;
  for (const who of Object.keys(settled[0].held)) {
    for (const what of Object.keys(settled[0].held[who])) {
      const points = settled.map(({ time, held }) => ({ time, value: held[who][what] }));
      const values = points.map(({ value }) => value);
      const [first, last, most] = [looks[0].held[who][what], values.at(-1), Math.max(...values)];
      const grows = slope(points);
      const most10 = Math.max(GROWTH_MAX * values[0], NOISE[what]);
      // The history of everything that was ever put is the hub's to know, and so are its packs until they are merged.
      const mustNot = who !== "hub" || what === "threads";
      const bad = mustNot && grows > most10;
      failed += bad ? 1 : 0;
      const sign = grows < 0 ? "−" : "+";
      console.log(`${who}, ${what}: ${shown(what, first)} at first, ${shown(what, values[0])} settled, ${shown(what, most)} at most, ${shown(what, last)} at the end; ${sign}${shown(what, Math.abs(grows))} in 10 minutes: ${mustNot ? (bad ? "GROWS" : "level") : "told only"}`);
    }
  }
  return failed;
}

const web = `127.0.0.1:${await freePort()}`;
const hub = start("hub", "--port-base", "0");
const addresses = () => JSON.parse(readFileSync(join(dir, ".esker/endpoints.json"), "utf8"));
await until("the hub", () => { try { return addresses().hub && addresses().model; } catch { return false; } });
const runner = start("runner");
await until("the runner", () => addresses().runner);
const server = start("web", "--bind", web);
const browser = await chromium.launch({ executablePath: process.env.ESKER_BROWSER ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
let failed = 0;
try {
  await until("the page", () => answers(`http://${web}/readyz`));
  const table = new LiveTable(rows, cells);
  await put("raw/live")(table.next());
  for (let turn = 0; turn < 8; turn += 1) await put("raw/small")(small(turn));
  await until("the results", () => said("log", "results/numbered") !== "");
  const whatIf = said("whatif", "new", "More", "--set", "raw/small:[k3].amount=99");
  const commit = said("log", "results/numbered").match(/\b[0-9a-f]{10,40}\b/)[0];
  const stays = await open(browser, `http://${web}/#/view/live`);
  await stays.page.locator("[data-testid=data-table] td").first().waitFor();
  const walks = await open(browser, `http://${web}/`);

  let isOver = false;
  const goesOn = () => !isOver;
  const begun = performance.now();
  const changing = change(put("raw/live"), table, { versions, goesOn });
  const running = (async () => {
    for (let turn = 8; goesOn(); turn += 1, await rest(INPUT_MS)) await put("raw/small")(small(turn));
  })();
  let rounds = 0;
  let pausing = Promise.resolve();
  const walking = (async () => {
    for (; goesOn(); rounds += 1) {
      for (const place of walk(whatIf, commit)) {
        if (!goesOn()) return;
        await pausing;
        await walks.page.evaluate((place) => (location.hash = place), place);
        await rest(STAY_MS);
      }
    }
  })();

  const looks = [];
  for (let look = 1; performance.now() - begun < minutes * 60_000; look += 1) {
    await rest(begun + Math.min(look * LOOK_MS, minutes * 60_000) - performance.now());
    // Both are looked at on the page they are at home: another one holds more or less by what it is.
    let go;
    pausing = new Promise((done) => (go = done));
    await rest(STAY_MS);
    await walks.page.evaluate(() => (location.hash = "#/"));
    await walks.page.getByTestId("overview").waitFor();
    await rest(STAY_MS);
    const time = (performance.now() - begun) / 60_000;
    const now = { "page that stays": await kept(stays.session), "page that walks": await kept(walks.session), web: held(server), runner: held(runner), hub: held(hub) };
    go();
    looks.push({ time, held: now });
    console.log(JSON.stringify({ minute: Number(time.toFixed(1)), version: table.version, rounds, ...now }));
  }
  isOver = true;
  const [count] = await Promise.all([changing, running, walking]);
  const last = String(table.version);
  await stays.page.waitForFunction((last) => document.querySelector("[data-testid=data-table] td:nth-child(2)")?.innerText.split("\n")[0]?.trim() === last, last);
  console.log(`${count} versions of ${rows} rows, ${((count * cells) / (minutes * 60)).toFixed(0)} cells a second; ${rounds} rounds through ${walk(whatIf, commit).length} pages`);
  failed = judge(looks);
  for (const error of [...stays.errors, ...walks.errors]) {
    console.log(`the page complained: ${error}`);
    failed += 1;
  }
} finally {
  await browser.close();
  for (const child of started.reverse()) await new Promise((done) => child.once("exit", done) && child.kill());
  rmSync(dir, { recursive: true, force: true });
}
process.exitCode = failed > 0 ? 1 : 0;
