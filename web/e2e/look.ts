// Looks at a page as tests do: that it complains of nothing, keeps to the screen, can be used by everybody, and what it looks like.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, type Page } from "@playwright/test";

const pictures = process.env["ESKER_SCREENSHOTS"] ?? "node_modules/.cache/screenshots";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 780 };

/** What the page complains of from now on. Losing esker is no fault of the page. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    const lost = /WebSocket|ERR_CONNECTION_REFUSED|Failed to load resource/.test(message.text());
    if (message.type() === "error" && !lost) complaints.push(message.text());
  });
  return complaints;
}

export function badge(page: Page, state: string): Promise<void> {
  return expect(page.getByTestId("live-badge")).toHaveAttribute("data-state", state);
}

export function isWithinTheScreen(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
}

/** Where a picture is kept, and how it is taken. */
export function picture(name: string): { path: string; animations: "disabled" } {
  mkdirSync(pictures, { recursive: true });
  return { path: join(pictures, `${name}.png`), animations: "disabled" };
}

/** What axe finds, each with where. */
async function faults(page: Page): Promise<string[]> {
  // Through the debugger, which the page's policy does not bind.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    interface Result {
      violations: { id: string; help: string; nodes: { target: unknown[]; failureSummary?: string }[] }[];
    }
    const { axe } = window as unknown as { axe: { run: (options: object) => Promise<Result> } };
    const { violations } = await axe.run({ resultTypes: ["violations"] });
    return violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.target.join(" ")}: ${node.failureSummary ?? ""}`));
  });
}

/** Holds a page against axe and the screen's width, in the light, in the dark and on a phone, and takes a picture of each: in the light of
 * the first screen, as people see it and the documentation shows it, else of all of it. */
export async function look(page: Page, name: string): Promise<void> {
  const shown = [
    { name, size: WIDE, colorScheme: "light" },
    { name: `${name}-dark`, size: WIDE, colorScheme: "dark" },
    { name: `${name}-phone`, size: PHONE, colorScheme: "light" },
  ] as const;
  for (const one of shown) {
    await page.setViewportSize(one.size);
    // Colours that are still fading would be measured as they are on the way.
    await page.emulateMedia({ colorScheme: one.colorScheme, reducedMotion: "reduce" });
    await page.screenshot({ ...picture(one.name), fullPage: one.name !== name });
    expect(await isWithinTheScreen(page), `${one.name} is wider than the screen`).toBe(true);
    expect(await faults(page), one.name).toEqual([]);
  }
  await page.setViewportSize(WIDE);
  await page.emulateMedia({ colorScheme: "light" });
}
