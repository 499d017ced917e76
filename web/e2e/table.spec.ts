// A table of thousands of rows that change while somebody works with it: it stays where it is, shows what is asked for, and what is
// taken along is what is shown.
import { readFileSync } from "node:fs";
import { expect, type Page } from "@playwright/test";
import { badge, look } from "./look.ts";
import type { Project } from "./project.ts";
import { test } from "./story.ts";

const ROWS = 5_000;
const DEFINITION = '[project]\nname = "orders"\n[view.live]\ntitle = "Orders"\nresource = "raw/live"\nkind = "table"\n';

/** What the cells of a version are: of every tenth row the amount says which version it is. */
function cells(version: number): string[][] {
  return Array.from({ length: ROWS }, (_, row) => [
    `k${row}`,
    row % 10 === 0 ? String(version * 100_000 + row) : String(row),
    ["open", "packed", "sent"][row % 3] ?? "",
    row % 7 === 0 ? `has a "quote", and a comma` : `note ${row % 50}`,
  ]);
}

const HEADER = ["id", "amount", "state", "note"];
const csv = (rows: string[][]) => rows.map((row) => `${row.map((cell) => (/[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")}\r\n`).join("");

function put(project: Project, version: number): void {
  project.put("raw/live", csv([HEADER, ...cells(version)]));
}

const table = (page: Page) => page.getByTestId("data-table");
const shown = (page: Page) => table(page).locator("tbody tr:not(.space)");

/** The first row in sight below the heading, and how far it is from there. */
function place(page: Page): Promise<{ id: string; amount: string; top: number }> {
  return table(page).evaluate((element) => {
    const rim = (element.querySelector("thead") as Element).getBoundingClientRect().bottom;
    const row = [...element.querySelectorAll("tbody tr:not(.space)")].find((one) => one.getBoundingClientRect().top >= rim) as HTMLTableRowElement;
    const [id = "", amount = ""] = [...row.cells].map((cell) => cell.querySelector(".hidden") ? (cell.firstChild?.textContent ?? "") : cell.innerText);
    return { id: id.trim(), amount: amount.trim(), top: row.getBoundingClientRect().top - rim };
  });
}

function copied(page: Page): Promise<string> {
  return page.evaluate(() => navigator.clipboard.readText());
}

async function saved(page: Page): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV" }).click()]);
  expect(download.suggestedFilename()).toBe("raw-live.csv");
  return readFileSync(await download.path(), "utf8");
}

test.beforeEach(async ({ page, project }) => {
  project.write("esker.toml", DEFINITION);
  project.clear();
  await project.start();
  put(project, 0);
  await page.goto(`${project.url}/#/view/live`);
  await expect(table(page)).toBeVisible();
});

test("sorted, filtered, with the columns that are wanted; all of it in the URL", async ({ page, project }) => {
  await expect(page.getByText(`${ROWS} rows`)).toBeVisible();
  await look(page, "table");
  await table(page).getByRole("button", { name: "amount" }).click();
  await table(page).getByRole("button", { name: "amount" }).click();
  await expect(shown(page).first()).toContainText(`k${ROWS - 1}`);
  await page.getByLabel("Find in the table").fill("packed k49");
  await expect(page.getByText(/^\d+ of 5000 rows$/)).toBeVisible();
  await page.getByTestId("columns").locator("summary").click();
  await page.getByTestId("columns").getByLabel("note").uncheck();
  await expect(table(page).getByRole("columnheader")).toHaveText([/id/, /amount/, /state/]);
  await look(page, "table-columns");
  const url = page.url();
  await page.goto("about:blank");
  await page.goto(url);
  await expect(table(page).getByRole("columnheader")).toHaveText([/id/, /amount ▼/, /state/]);
  const wanted = cells(0).filter((row) => row.join(" ").includes("k49") && row[2] === "packed");
  const first = wanted.reduce((most, row) => (Number(row[1]) > Number(most[1]) ? row : most));
  await expect(shown(page).first()).toContainText(first[0] ?? "");
  await expect(page.getByText(`${wanted.length} of ${ROWS} rows`)).toBeVisible();
  // The last column cannot be taken away, and all come back at once.
  await page.getByTestId("columns").locator("summary").click();
  for (const name of ["id", "amount"]) await page.getByTestId("columns").getByLabel(name).uncheck();
  await expect(page.getByTestId("columns").getByLabel("state")).toBeDisabled();
  await page.getByTestId("columns").getByRole("button", { name: "All" }).click();
  await expect(table(page).getByRole("columnheader")).toHaveCount(4);
  // A change of what is filtered and sorted is there as well.
  put(project, 1);
  const newest = cells(1).filter((row) => row.join(" ").includes("k49") && row[2] === "packed");
  const top = newest.reduce((most, row) => (Number(row[1]) > Number(most[1]) ? row : most));
  await expect(shown(page).first()).toContainText(top[1] ?? "");
});

test("who has scrolled stays there while rows change", async ({ page, project }) => {
  const region = page.getByRole("region", { name: "raw/live" });
  await region.evaluate((element) => (element.scrollTop = 80_000));
  await expect.poll(async () => Number((await place(page)).id.slice(1))).toBeGreaterThan(2_000);
  const before = await place(page);
  for (const version of [1, 2, 3, 4, 5]) put(project, version);
  const row = table(page).locator("tbody tr", { hasText: /^\s*k25\d0\b/ }).first();
  await expect(row).toContainText("50250");
  const after = await place(page);
  expect({ id: after.id, top: after.top }).toEqual({ id: before.id, top: before.top });
  await expect(row.locator("td.changed")).toHaveCount(1);
  expect(await region.evaluate((element) => element.scrollTop)).toBe(80_000);
  await badge(page, "live");
  await look(page, "table-scrolled");
  // By the keyboard alone.
  await region.focus();
  await page.keyboard.press("End");
  await expect(table(page).getByText(`k${ROWS - 1}`, { exact: true })).toBeInViewport();
});

test("what is copied or saved is what is shown, at that moment", async ({ page, project, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await expect(page.getByText(`${ROWS} rows copied`)).toBeVisible();
  expect(await copied(page)).toBe([HEADER, ...cells(0)].map((row) => `${row.join("\t")}\n`).join(""));
  expect(await saved(page)).toBe(csv([HEADER, ...cells(0)]));

  await page.getByLabel("Find in the table").fill("open");
  await page.getByTestId("columns").locator("summary").click();
  await page.getByTestId("columns").getByLabel("state").uncheck();
  await page.getByTestId("columns").locator("summary").click();
  await table(page).getByRole("button", { name: "amount" }).click();
  put(project, 3);
  const open = cells(3).filter((row) => row[2] === "open").sort((a, b) => Number(a[1]) - Number(b[1]));
  const taken = [HEADER, ...open].map(([id = "", amount = "", , note = ""]) => [id, amount, note]);
  await expect(page.getByTestId("changes")).toContainText("cells changed");
  expect(await saved(page)).toBe(csv(taken));
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await expect(page.getByText(`${open.length} rows copied`)).toBeVisible();
  expect(await copied(page)).toBe(taken.map((row) => `${row.join("\t")}\n`).join(""));
});
