// The page as a whole: the first look, the past, differences, where things came from, the keyboard alone.
import { expect, test } from "@playwright/test";
import { badge, complaintsOf, look } from "./look.ts";
import { Project } from "./project.ts";

let project: Project;
let complaints: string[];

test.beforeEach(async ({ page }) => {
  complaints = complaintsOf(page);
  project = new Project();
  await project.start();
  await page.goto(project.url);
  await expect(page.getByTestId("standing")).toHaveAttribute("data-kind", "good");
});

test.afterEach(async () => {
  await project.remove();
  expect(complaints).toEqual([]);
});

function revision(resource: string): string {
  return JSON.parse(project.run("get", resource, "--json")).revision;
}

test("the first look says that all is fresh, what changed, and leads on", async ({ page }) => {
  await badge(page, "live");
  await expect(page.getByTestId("standing")).toContainText("Everything is fresh");
  await expect(page.getByTestId("overview")).toContainText("results/plan");
  await look(page, "overview");
  project.edit("Work", "B5", "soon");
  await expect(page.getByTestId("standing")).toHaveAttribute("data-kind", "bad");
  await expect(page.getByTestId("standing")).toContainText("condition");
  await expect(page).toHaveTitle(/^\(1\)/);
  await look(page, "overview-problem");
  project.edit("Work", "B5", "400");
  await expect(page.getByTestId("standing")).toHaveAttribute("data-kind", "good");
  await page.getByTestId("open-plan").click();
  await expect(page.getByTestId("plan-table")).toBeVisible();
  await look(page, "plan");
});

test("a project with nothing in it says what to do", async ({ page }) => {
  await project.kill();
  project.write("esker.toml", '[project]\nname = "empty"\n[stage.sum]\ninput = "raw/a"\nrun = ["cat"]\noutput = "out/a"\n[view.sum]\nresource = "out/a"\n');
  project.clear();
  await project.start();
  await page.goto(project.url);
  await expect(page.getByTestId("standing")).toContainText("Waiting for data");
  await expect(page.getByTestId("overview")).toContainText("esker put raw/a < FILE");
  await look(page, "empty");
  await page.goto(`${project.url}/#/view/sum`);
  await expect(page.getByTestId("empty")).toContainText("esker put raw/a < FILE");
});

test("versions on a slider: the past says so everywhere, and is left again", async ({ page }) => {
  project.edit("Work", "C2", "Only in the newer one");
  await expect.poll(() => project.run("get", "results/plan")).toContain("Only in the newer one");
  await page.goto(`${project.url}/#/r/results/plan`);
  const slider = page.getByTestId("version-slider");
  await expect(slider).toHaveAttribute("max", "1");
  await expect(slider).toHaveValue("1");
  await page.keyboard.press("[");
  await expect(page.getByTestId("past")).toBeVisible();
  await expect(slider).toHaveValue("0");
  await expect(page).toHaveURL(/at=[0-9a-f]{40}/);
  await expect(page).toHaveTitle(/^as of/);
  // Everything on the way is of then.
  await page.keyboard.press("g");
  await page.keyboard.press("v");
  await expect(page.getByTestId("plan-table")).toContainText("One-page checkout");
  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
  await expect(page.getByTestId("past")).toBeInViewport();
  await look(page, "past");
  // What comes meanwhile does not show.
  project.edit("Work", "C3", "While in the past");
  await expect.poll(() => project.run("get", "results/plan")).toContain("While in the past");
  await expect(page.getByTestId("plan-table")).not.toContainText("While in the past");
  await page.getByRole("link", { name: "Return to now" }).click();
  await expect(page.getByTestId("past")).toHaveCount(0);
  await expect(page.getByTestId("plan-table")).toContainText("While in the past");
  // A moment as a person writes it.
  await page.goto(`${project.url}/#/view/plan?at=HEAD~3`);
  await expect(page.getByTestId("past")).toContainText("HEAD~3");
  await page.goto(`${project.url}/#/view/plan?at=nowhere`);
  await expect(page.getByTestId("error")).toContainText("nowhere");
});

test("a difference of tables is told cell by cell, of text line by line, of JSON as a tree", async ({ page }) => {
  const before = revision("raw/plan");
  project.edit("Params", "B3", "2027-04-02");
  await expect.poll(() => revision("raw/plan")).not.toBe(before);
  await page.goto(`${project.url}/#/r/raw/plan`);
  const diff = page.getByTestId("diff");
  await expect(page.getByTestId("diff-summary")).toHaveText("1 cell changed");
  await expect(diff).toContainText("2027-03-26");
  await expect(diff).toContainText("2027-04-02");
  await expect(diff.locator("tbody tr")).toHaveCount(1);
  await look(page, "diff-table");
  await page.getByRole("link", { name: "Lines" }).click();
  await expect(diff).toContainText("1 line added, 1 line removed");
  project.put("raw/settings", '{"team": {"size": 3, "lead": "Ann"}}');
  project.put("raw/settings", '{"team": {"size": 4, "lead": "Ann"}}');
  await page.goto(`${project.url}/#/r/raw/settings`);
  await expect(diff).toContainText("size");
  await expect(diff).not.toContainText("lead");
  await look(page, "diff-json");
});

test("a revision leads to what it was made from, and to what was made of it", async ({ page }) => {
  const raw = revision("raw/plan");
  await page.goto(`${project.url}/#/view/plan`);
  const chip = page.locator(`article [data-revision="${revision("results/plan")}"] a`).first();
  await chip.click();
  const origins = page.getByTestId("origins");
  await expect(origins).toContainText("conditioned/plan");
  await expect(origins).toContainText("esker qplan schedule");
  await expect(origins.locator(`[data-revision="${raw}"]`)).toBeVisible();
  await look(page, "commit");
  await origins.locator(`[data-revision="${raw}"] a`).click();
  await expect(page.getByTestId("uses")).toContainText("results/plan");
  await page.goto(`${project.url}/#/commit/${"0".repeat(40)}`);
  await expect(page.getByTestId("error")).toBeVisible();
});

test("the keyboard alone goes everywhere, and types where one types", async ({ page }) => {
  await page.keyboard.press("Control+k");
  const palette = page.getByTestId("palette");
  await expect(palette).toBeVisible();
  await page.keyboard.type("conditioned res");
  await expect(palette.getByRole("option").first()).toContainText("conditioned/plan");
  await look(page, "palette");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/#\/r\/conditioned\/plan$/);
  await expect(palette).toHaveCount(0);
  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await expect(page).toHaveURL(/#\/resources$/);
  await page.keyboard.press("/");
  await page.keyboard.type("gp?raw");
  await expect(page).toHaveURL(/find=gp%3Fraw/);
  await page.getByRole("searchbox").blur();
  await page.keyboard.press("?");
  await expect(page.getByTestId("help")).toContainText("Return to now", { ignoreCase: true });
  await look(page, "keys");
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("help")).toHaveCount(0);
  await page.keyboard.press(".");
  await expect(page.getByTestId("past")).toBeVisible();
  await page.keyboard.press(".");
  await expect(page.getByTestId("past")).toHaveCount(0);
});

test("settings are kept, and single keys can be turned off", async ({ page }) => {
  await page.goto(`${project.url}/#/settings`);
  await look(page, "settings");
  const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  await page.getByLabel("dark", { exact: true }).check();
  expect(await scheme()).toBe("dark");
  await page.getByLabel("Single keys do something").uncheck();
  await page.reload();
  await expect(page.getByLabel("dark", { exact: true })).toBeChecked();
  expect(await scheme()).toBe("dark");
  await page.keyboard.press("?");
  await page.goto(`${project.url}/#/sync`);
  await expect(page.getByTestId("sync-page")).toContainText("Digest");
  await expect(page.getByTestId("help")).toHaveCount(0);
  await look(page, "sync");
});

test("every other page can be used by everybody", async ({ page }) => {
  for (const [name, route] of [["resources", "resources"], ["resource", "r/results/plan?show=content"], ["inputs", "view/inputs"], ["problems", "problems"]]) {
    await page.goto(`${project.url}/#/${route}`);
    await badge(page, "live");
    await expect(page.locator("main [aria-busy=true]")).toHaveCount(0);
    await look(page, name ?? "");
  }
});
