// How many updates a second /esker.js verifies in a real Chromium while it draws, over a real server:
//   ESKER_BIN=target/release/esker node dev/bench_browser.mjs [UPDATES_A_SECOND] [UPDATES_A_TRANSACTION] [SECONDS] [ROWS]
// A table of so many rows of six fields is on the page; each picture draws the rows that changed.
import { spawn } from "node:child_process";
import { chromium } from "@playwright/test";
import { freePort } from "./live_table.mjs";

const [rate, size, seconds, rows] = [10_000, 10, 10, 5_000].map((usual, at) => Number(process.argv[2 + at] ?? usual));
const program = process.env.ESKER_BIN ?? "../target/release/esker";

/** Follows the model, draws the changed rows, and measures pictures. */
async function follow() {
  const { default: esker } = await import("/esker.js");
  const model = esker.model("bench");
  await model.ready;
  // Lines of one height that say so: what it takes to lay out a table anew is not what is measured.
  const list = document.body.appendChild(document.createElement("div"));
  const lines = new Map();
  const draw = (name) => {
    let line = lines.get(name);
    if (!line) {
      lines.set(name, (line = list.appendChild(document.createElement("div"))));
      line.style.cssText = "contain: strict; height: 16px; content-visibility: auto";
    }
    line.textContent = Object.values(model.get(["tasks", name]) ?? {}).join(" · ");
  };
  model.on("change", (paths) => {
    const named = new Set(paths.flatMap((path) => (path.length > 1 ? [path[1]] : model.keys(["tasks"]))));
    for (const name of named) draw(name);
  });
  const seen = { pictures: 0, longest: 0, late: 0, last: performance.now() };
  const picture = (now) => {
    const took = now - seen.last;
    Object.assign(seen, { last: now, pictures: seen.pictures + 1, longest: Math.max(seen.longest, took), late: seen.late + (took > 34 ? 1 : 0) });
    requestAnimationFrame(picture);
  };
  requestAnimationFrame(picture);
  Object.assign(window, { model, seen });
}

const [web, requests, events] = await Promise.all([freePort(), freePort(), freePort()]);
const at = `tcp://127.0.0.1:${requests}`;
const server = spawn(program, ["model", "serve", "bench", "--web", `127.0.0.1:${web}`, "--requests", at, "--events", `tcp://127.0.0.1:${events}`], { stdio: "ignore" });
const browser = await chromium.launch({ executablePath: process.env.ESKER_BROWSER ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
try {
  const page = await browser.newPage();
  while (!(await page.goto(`http://127.0.0.1:${web}/esker.d.ts`).catch(() => null))) await new Promise((done) => setTimeout(done, 50));
  const driver = spawn("python3", ["dev/bench_driver.py", at, "bench", rows, rate, size, seconds].map(String), { stdio: ["pipe", "pipe", "inherit"] });
  const says = () => new Promise((done) => driver.stdout.once("data", (data) => done(String(data).trim())));
  await says();
  await page.evaluate(follow);
  const before = await page.evaluate(() => ({ ...window.seen, ...window.model.counts, now: performance.now() }));
  const system = await browser.newBrowserCDPSession();
  const busy = async () => {
    const { processInfo } = await system.send("SystemInfo.getProcessInfo");
    return Math.max(...processInfo.filter(({ type }) => type === "renderer").map(({ cpuTime }) => cpuTime));
  };
  const begun = await busy();
  driver.stdin.write("go\n");
  const said = await says();
  const last = Number(said.split(" ")[0]);
  const caught = Date.now();
  await page.waitForFunction((last) => window.model.seq >= last, last, { polling: 20 });
  const after = await page.evaluate(() => ({ ...window.seen, ...window.model.counts, now: performance.now(), digest: window.model.digest, state: window.model.state }));
  const time = (after.now - before.now) / 1000;
  console.log(`driver: ${said}`);
  console.log(`browser: ${after.applied - before.applied} transactions of ${size} verified one by one in ${time.toFixed(1)} s: ${(((after.applied - before.applied) * size) / time).toFixed(0)} updates a second`);
  console.log(`pictures: ${((after.pictures - before.pictures) / time).toFixed(1)} a second, the longest took ${after.longest.toFixed(0)} ms, ${after.late} more than 34 ms; behind by ${Date.now() - caught} ms at the end`);
  console.log(`the page's process took ${((100 * ((await busy()) - begun)) / time).toFixed(0)} % of a core`);
  console.log(JSON.stringify(Object.fromEntries(Object.keys(before).filter((key) => key in after && !["now", "last"].includes(key)).map((key) => [key, after[key] - before[key]]))));
} finally {
  await browser.close();
  server.kill();
}
