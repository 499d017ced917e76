// What the page itself costs, in a real Chromium against a real esker:
//   ESKER_BIN=target/release/esker node dev/bench_page.mjs [SECONDS] [ROWS] [VERSIONS_A_SECOND] [CELLS_A_VERSION]
// First paint and what travels for the first view; then a live table of so many rows that so many cells change in a second.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "@playwright/test";
import { answers, change, feed, freePort, LiveTable, until } from "./live_table.mjs";

const [seconds, rows, versions, cells] = [20, 5_000, 10, 1_000].map((usual, at) => Number(process.argv[2 + at] ?? usual));
const program = resolve(process.env.ESKER_BIN ?? "../target/release/esker");
const LOADS = 9;

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const dir = mkdtempSync(join(tmpdir(), "esker-bench-page-"));
writeFileSync(join(dir, "esker.toml"), '[project]\nname = "bench"\n[view.live]\nresource = "raw/live"\nkind = "table"\n');
const table = new LiveTable(rows, cells);
const put = (input) => feed(program, ["put", "raw/live"], { cwd: dir, input });
const web = `127.0.0.1:${await freePort()}`;
const esker = spawn(program, ["up", "--port-base", "0", "--bind", web], { cwd: dir, stdio: "ignore" });
const browser = await chromium.launch({
  executablePath: process.env.ESKER_BROWSER ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info", "--js-flags=--expose-gc"],
});
try {
  await until("the page", () => answers(`http://${web}/healthz`));
  await put(table.next());
  for (const [name, route] of [["overview", ""], ["table", "view/live"]]) {
    const paints = [];
    let travelled = 0;
    for (let load = 0; load < LOADS; load += 1) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
      const page = await context.newPage();
      const session = await context.newCDPSession(page);
      await session.send("Network.enable");
      let bytes = 0;
      const scripts = new Set();
      session.on("Network.responseReceived", ({ requestId, type }) => type === "Script" && scripts.add(requestId));
      session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => (bytes += scripts.has(requestId) ? encodedDataLength : 0));
      await page.goto(`http://${web}/#/${route}`);
      await page.locator(name === "overview" ? "[data-testid=standing]" : "[data-testid=data-table] td").first().waitFor();
      const shown = await page.evaluate(() => ({
        first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
        data: performance.now(),
      }));
      paints.push(shown);
      travelled = bytes;
      await context.close();
    }
    const of = (key) => median(paints.map((one) => one[key])).toFixed(0);
    console.log(`${name}: first paint ${of("first")} ms, with its data ${of("data")} ms (median of ${LOADS}, nothing cached); scripts ${(travelled / 1000).toFixed(0)} kB as they travel`);
  }

  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(`http://${web}/#/view/live`);
  await page.locator("[data-testid=data-table] td").first().waitFor();
  await page.evaluate(() => {
    const seen = { pictures: 0, longest: 0, late: 0, last: performance.now() };
    const picture = (now) => {
      const took = now - seen.last;
      Object.assign(seen, { last: now, pictures: seen.pictures + 1, longest: Math.max(seen.longest, took), late: seen.late + (took > 34 ? 1 : 0) });
      requestAnimationFrame(picture);
    };
    requestAnimationFrame(picture);
    Object.assign(window, { seen });
  });
  const heap = () =>
    page.evaluate(() => {
      globalThis.gc?.();
      return performance.memory.usedJSHeapSize / 1e6;
    });
  const before = { ...(await page.evaluate(() => window.seen)), heap: await heap(), now: performance.now() };
  const end = performance.now() + seconds * 1000;
  const count = await change(put, table, { versions, goesOn: () => performance.now() < end });
  const version = String(table.version);
  const put_end = performance.now();
  await page.waitForFunction((version) => document.querySelector("[data-testid=data-table] td:nth-child(2)")?.innerText.split("\n")[0]?.trim() === version, version);
  const behind = performance.now() - put_end;
  const after = { ...(await page.evaluate(() => window.seen)), heap: await heap() };
  const time = (put_end - before.now) / 1000;
  console.log(`live table of ${rows} rows: ${count} versions in ${time.toFixed(1)} s, ${((count * cells) / time).toFixed(0)} cells a second; behind by ${behind.toFixed(0)} ms at the end`);
  console.log(`pictures: ${((after.pictures - before.pictures) / time).toFixed(1)} a second, the longest took ${after.longest.toFixed(0)} ms, ${after.late} more than 34 ms`);
  console.log(`heap: ${before.heap.toFixed(1)} MB before, ${after.heap.toFixed(1)} MB after`);
} finally {
  await browser.close();
  await new Promise((done) => esker.once("exit", done) && esker.kill());
  rmSync(dir, { recursive: true, force: true });
}
