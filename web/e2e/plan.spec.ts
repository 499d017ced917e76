// What a planner sees: the plan, a save that shows at once, a mistake and its end, a restart, the past.
import { expect, test } from "@playwright/test";
import { badge, complaintsOf, isWithinTheScreen, picture } from "./look.ts";
import { Project } from "./project.ts";

let project: Project;
let complaints: string[];

test.beforeEach(async ({ page }) => {
  complaints = complaintsOf(page);
  project = new Project();
  await project.start();
  await page.goto(`${project.url}/#/view/plan`);
  await expect(page.getByTestId("plan-table")).toBeVisible();
});

test.afterEach(async () => {
  await project.remove();
  expect(complaints).toEqual([]);
});

test("shows the plan, capacity against demand, and every revision", async ({ page }) => {
  await badge(page, "live");
  await expect(page.getByTestId("capacity-chart")).toBeVisible();
  await expect(page.getByTestId("plan-table")).toContainText("One-page checkout");
  for (const resource of ["raw/plan", "conditioned/plan", "results/plan"]) {
    const revision = JSON.parse(project.run("get", resource, "--json")).revision;
    const shown = page.getByTestId(`revision-${resource}`);
    await expect(shown).toHaveAttribute("data-revision", revision);
  }
  await page.screenshot(picture("plan"));
});

test("follows a save of the spreadsheet without a reload", async ({ page }) => {
  await page.evaluate(() => Object.assign(window, { notReloaded: true }));
  const begun = Date.now();
  project.edit("Work", "C2", "A checkout nobody leaves");
  await expect(page.getByTestId("plan-table")).toContainText("A checkout nobody leaves");
  test.info().annotations.push({ type: "save to page", description: `${Date.now() - begun} ms` });
  console.log(`    from starting the editor's save to the page: ${Date.now() - begun} ms`);
  expect(await page.evaluate(() => "notReloaded" in window)).toBe(true);
});

test("keeps the last good plan while a cell is wrong, and says which", async ({ page }) => {
  const before = await page.getByTestId("revision-results/plan").getAttribute("data-revision");
  project.edit("Work", "B5", "soon");
  const problem = page.getByTestId("problem-condition").first();
  await expect(problem).toContainText("Work");
  await expect(problem).toContainText("row 5");
  const results = page.getByTestId("revision-results/plan");
  await expect(results).toHaveAttribute("data-revision", before ?? "");
  await page.screenshot(picture("problem"));
  project.edit("Work", "B5", "400");
  await expect(page.getByTestId("problem-condition")).toHaveCount(0);
});

test("stored markup is text", async ({ page }) => {
  project.edit("Work", "C2", "<img src=x onerror=alert(1)>");
  await expect(page.getByTestId("plan-table")).toContainText("<img src=x onerror=alert(1)>");
  await expect(page.locator("img[src=x]")).toHaveCount(0);
});

test("survives a kill and a restart", async ({ page }) => {
  await project.kill();
  await badge(page, "offline");
  await project.start();
  await badge(page, "live");
  project.edit("Work", "C3", "After the restart");
  await expect(page.getByTestId("plan-table")).toContainText("After the restart");
});

test("shows an older version, and says that it is the past", async ({ page }) => {
  const old = JSON.parse(project.run("get", "results/plan", "--json")).revision;
  project.edit("Work", "C2", "Only in the newer one");
  await expect(page.getByTestId("plan-table")).toContainText("Only in the newer one");
  await page.goto(`${project.url}/#/view/plan?at=${old}`);
  await expect(page.getByTestId("past")).toBeVisible();
  await expect(page.getByTestId("plan-table")).toContainText("One-page checkout");
  await page.goto(`${project.url}/#/r/results/plan`);
  await expect(page.getByTestId("diff")).toContainText("Only in the newer one");
  await page.screenshot(picture("history"));
});

test("fits a phone, and the dark", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 780 });
  await expect(page.getByTestId("plan-table")).toBeVisible();
  expect(await isWithinTheScreen(page)).toBe(true);
  await page.screenshot(picture("phone"));
  await page.setViewportSize({ width: 1280, height: 1000 });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.screenshot(picture("dark"));
});

test("draws a table as bars, and as lines where its first column is dates", async ({ page }) => {
  project.write("sales.csv", "item,total\napples,21\npears,37\nplums,4\n");
  project.write("days.csv", "day,apples,pears\n2027-01-04,12,7\n2027-01-05,,30\n2027-01-08,9,4\n");
  const part = (name: string) =>
    `[source.${name}]\nfile = "${name}.csv"\noutput = "raw/${name}"\n[view.${name}]\nresource = "raw/${name}"\nkind = "chart"\n`;
  project.write("esker.toml", project.read("esker.toml") + part("sales") + part("days"));
  await page.getByTestId("tab-sales").click();
  const chart = page.getByTestId("table-chart");
  await expect(chart.locator("rect.bar.series-0[x]")).toHaveCount(3);
  await expect(chart).toContainText("total");
  await expect(page.getByTestId("data-table")).toContainText("pears");
  await page.getByTestId("view-sales").screenshot(picture("chart"));
  project.write("sales.csv", "item,total\napples,21\n");
  await expect(chart.locator("rect.bar.series-0[x]")).toHaveCount(1);
  await page.getByTestId("tab-days").click();
  await expect(chart).toHaveAttribute("data-kind", "lines");
  await expect(chart.locator("polyline")).toHaveCount(3);
  await page.setViewportSize({ width: 360, height: 780 });
  expect(await isWithinTheScreen(page)).toBe(true);
});

test("answers the keyboard alone", async ({ page }) => {
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
  for (let presses = 0; presses < 20 && !/Pipeline/.test(await focused()); presses += 1) {
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("stage-schedule").first()).toBeVisible();
});
