// A page that follows a live model: it ends with the publisher's digest, whatever happens to the publisher in between.
import { expect, type Page, test } from "@playwright/test";
import { ModelServer } from "./model.ts";

let server: ModelServer;

test.beforeEach(async ({ page }) => {
  server = new ModelServer();
  await server.start();
  await server.open(page);
  await shows(page, "state", "live");
});

test.afterEach(async () => {
  await server.remove();
});

function shows(page: Page, what: string, value: string): Promise<void> {
  return expect(page.locator("body")).toHaveAttribute(`data-${what}`, value);
}

/** Waits until the page has come so far. */
async function hasCome(page: Page, seq: number): Promise<void> {
  await page.waitForFunction((seq) => Number(document.body.dataset["seq"]) >= seq, seq, { timeout: 90_000 });
}

/** The page and the publisher agree, and nothing changes any more. */
async function agrees(page: Page): Promise<void> {
  const { epoch, seq, digest } = server.hello();
  await shows(page, "epoch", epoch);
  await shows(page, "seq", String(seq));
  await shows(page, "digest", digest);
  await shows(page, "state", "live");
}

function counts(page: Page): Promise<Record<string, number>> {
  return page.evaluate(() => (window as unknown as { model: { counts: Record<string, number> } }).model.counts);
}

test("a page ends with the publisher's digest after 100,000 random deltas and a kill in between", async ({ page }) => {
  const first = server.drive(60_000, 1);
  await hasCome(page, 30_000);
  await server.kill();
  await shows(page, "state", "stale");
  await shows(page, "online", "false");
  await first;
  await server.start();
  await shows(page, "state", "live");
  await agrees(page);
  console.log(`    ${await server.drive(70_000, 2)}`);
  await agrees(page);
  expect(server.hello().seq).toBeGreaterThan(65_000);
  const counted = await counts(page);
  console.log(`    ${JSON.stringify(counted)}`);
  expect(counted["mismatches"]).toBe(0);
  expect(counted["malformed"]).toBe(0);
});

test("a page says that it is stale while the publisher stands still, and catches up", async ({ page }) => {
  await server.drive(100, 3);
  await agrees(page);
  server.signal("SIGSTOP");
  await shows(page, "state", "stale");
  await shows(page, "online", "true");
  server.signal("SIGCONT");
  await shows(page, "state", "live");
  await server.drive(100, 4);
  await agrees(page);
});
