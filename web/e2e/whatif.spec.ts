// What if: asked in the page, computed, compared, shared, in conflict, applied, taken back, discarded.
import { expect, test, type Page } from "@playwright/test";
import { complaintsOf, look } from "./look.ts";
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

const END = "raw/plan:Params[Name=End].Value";

function at(page: Page, place: string): Promise<unknown> {
  return page.goto(`${project.url}/#${place}`);
}

function cell(page: Page, row: string, column: string) {
  return page.locator(`[data-testid=edit-table] [data-row="${row}"] [data-column="${column}"]`);
}

async function change(page: Page, row: string, column: string, text: string): Promise<void> {
  await cell(page, row, column).dblclick();
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
  await expect(cell(page, row, column)).toContainText(text);
}

/** Makes one on the command line, and waits until it is computed. */
function ask(title: string, ...changes: string[]): string {
  return project.run("whatif", "new", title, ...changes).trim();
}

function computed(page: Page) {
  return expect(page.getByTestId("what-if-banner")).toHaveAttribute("data-state", "done");
}

test("nobody has asked yet: the page says how, here and on the command line", async ({ page }) => {
  await at(page, "/whatif");
  await expect(page.getByTestId("no-whatifs")).toContainText('esker whatif new "Two more weeks" --set');
  await page.getByTestId("new-whatif").click();
  await page.getByTestId("new-title").fill("Smaller");
  await page.getByTestId("new-begin").selectOption("raw/plan");
  await look(page, "whatif-new");
  await page.getByTestId("new-go").click();
  await expect(page.getByTestId("draft-title")).toHaveValue("Smaller");
  await expect(page.getByTestId("edit-table")).toBeVisible();
});

test("a cell is changed in place, the plan is computed anew, compared, and its URL shows it to others", async ({ page, browser }) => {
  ask("Two more weeks", "--set", `${END}=2027-04-09`);
  await at(page, "/r/raw/plan?show=content&stream=Work");
  await page.getByTestId("ask-whatif").click();
  await change(page, "CHK-1", "Estimate", "Server:3, Web:4");
  await expect(cell(page, "CHK-1", "Estimate")).toHaveAttribute("title", "was Design:2, Server:5, Web:6, QA:2");
  await expect(page.getByTestId("unsaved")).toHaveAttribute("data-count", "1");
  await page.getByTestId("draft-title").fill("Small checkout");
  await look(page, "whatif-editor");
  await page.getByTestId("save").click();
  await expect(page).toHaveURL(/wi=small-checkout/);
  await computed(page);
  await expect(page).toHaveTitle(/^what-if: Small checkout/);
  await page.getByTestId("tab-plan").click();
  await expect(page.getByTestId("plan-table").locator("[data-shift=earlier]").first()).toBeVisible();
  await expect(page.getByTestId("capacity-others")).toContainText("Server demand 122 → 120");
  await expect(page.getByTestId("plan-table").locator("td.otherwise[title^='base: Design']")).toHaveCount(1);
  await look(page, "whatif-plan");

  const other = await (await browser.newContext()).newPage();
  await other.goto(page.url());
  await expect(other.getByTestId("what-if-banner")).toContainText("Small checkout");
  await expect(other.getByTestId("plan-table").locator("[data-shift=earlier]").first()).toBeVisible();
  await other.context().close();

  await at(page, "/whatif");
  for (const title of ["Small checkout", "Two more weeks"]) await page.getByRole("checkbox", { name: `Choose ${title} to compare` }).check();
  await look(page, "whatif-list");
  await page.getByTestId("compare-chosen").click();
  await expect(page).toHaveURL(/show=compare.*with=/);
  const work = page.getByTestId("compared-raw/plan").getByRole("row");
  await expect(work.filter({ hasText: "CHK-1" })).toContainText(/Design:2, Server:5, Web:6, QA:2.*Server:3, Web:4.*=/s);
  await expect(work.filter({ hasText: "End" })).toContainText(/2027-03-26.*=.*2027-04-09\s*\+14 days/s);
  await expect(page.getByTestId("compare-chart").locator("rect")).toHaveCount(15);
  const capacity = page.getByRole("region", { name: "Capacity in results/plan" }).getByRole("row").filter({ hasText: "Server" }).filter({ hasText: "demand" });
  await expect(capacity).toContainText("−2");
  await page.getByTestId("unit-pct").click();
  await expect(capacity).toContainText("−1.64 %");
  await expect(page).toHaveURL(/unit=pct/);
  await look(page, "whatif-compare");
});

test("unsaved changes survive a reload, are taken back one by one, and thrown away only when that is sure", async ({ page }) => {
  await at(page, "/r/raw/plan?show=content&edit=1&stream=Work");
  await change(page, "CHK-2", "Triage", "3");
  await page.getByTestId("add-row").click();
  await expect(cell(page, "NEW-1", "Id")).toBeVisible();
  await page.getByRole("button", { name: "Remove the row PLT-2" }).click();
  await page.reload();
  await expect(page.getByTestId("unsaved")).toHaveAttribute("data-count", "3");
  await expect(cell(page, "CHK-2", "Triage")).toContainText("3");
  await expect(page.getByRole("button", { name: "Keep the row PLT-2" })).toBeVisible();
  await page.getByRole("button", { name: "Remove the row NEW-1" }).click();
  await expect(page.getByTestId("unsaved")).toHaveAttribute("data-count", "2");
  await at(page, "/whatif");
  await expect(page.getByTestId("unsaved-new")).toContainText("2 unsaved changes");
  await page.getByRole("link", { name: "Go on" }).click();
  await page.getByTestId("throw-away").click();
  await page.getByTestId("throw-away-sure").click();
  await expect(page.getByTestId("unsaved")).toHaveAttribute("data-count", "0");
  expect(project.run("whatif", "list", "--json").trim()).toBe("[]");
});

test("all of it by the keyboard alone: a plan's item gets another rank, and Escape twice leads back", async ({ page }) => {
  await at(page, "/view/plan");
  await expect(page.getByTestId("plan-table")).toBeVisible();
  await page.keyboard.press("w");
  await expect(page).toHaveURL(/edit=1/);
  const item = (name: string) => page.locator(`[data-testid=ranks] [data-item="${name}"]`);
  await item("Zero-downtime deploys").focus();
  await page.keyboard.press("Alt+ArrowUp");
  await expect(item("Zero-downtime deploys")).toContainText("was 2");
  await expect(item("Zero-downtime deploys")).toBeFocused();
  await look(page, "whatif-ranks");
  await page.getByTestId("save").focus();
  await page.keyboard.press("Enter");
  await computed(page);
  await expect(page.getByTestId("plan-table").getByRole("row").nth(1)).toContainText("Zero-downtime deploys");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("what-if-banner")).toHaveCount(0);
  await expect(page.getByTestId("plan-table").getByRole("row").nth(1)).toContainText("One-page checkout");

  // In the table: from cell to cell, into one and out of it again.
  await at(page, "/r/raw/plan?show=content&edit=1&stream=Params");
  await cell(page, "Start", "Name").focus();
  for (const key of ["ArrowDown", "ArrowRight", "F2"]) await page.keyboard.press(key);
  await page.keyboard.press("Escape");
  await expect(cell(page, "End", "Value")).toBeFocused();
  await expect(page.getByTestId("unsaved")).toHaveAttribute("data-count", "0");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("2027-04-02");
  await page.keyboard.press("Enter");
  await expect(cell(page, "End", "Value")).toHaveAttribute("title", "was 2027-03-26");
  await expect(cell(page, "End", "Value")).toBeFocused();
});

test("a row is dragged to another rank", async ({ page }) => {
  await at(page, "/r/raw/plan?show=content&edit=1&stream=Work");
  const handle = (row: string) => page.locator(`[data-row="${row}"] .handle`);
  await handle("ACC-1").dragTo(handle("CHK-1"));
  await expect(cell(page, "ACC-1", "Rank")).toHaveAttribute("title", "was 3");
  await expect(cell(page, "CHK-1", "Rank")).toContainText("2");
  await expect(page.getByTestId("unsaved")).toHaveAttribute("data-count", "1");
});

test("somebody else amends the same what-if: nothing is overwritten, mine are laid on theirs", async ({ page }) => {
  const id = ask("Later", "--set", `${END}=2027-04-09`);
  await at(page, `/r/raw/plan?wi=${id}&show=content&edit=1&stream=Work`);
  await change(page, "CHK-1", "Estimate", "Server:1");
  await expect(page.getByTestId("banner-unsaved")).toContainText("1 unsaved change");
  project.run("whatif", "amend", id, "--set", "raw/plan:Work[CHK-2].Triage=3");
  await expect(page.getByTestId("behind")).toContainText("Somebody has amended");
  await page.getByTestId("save").click();
  await expect(page.getByTestId("error")).toContainText("has been amended by somebody else");
  await page.getByTestId("relay").click();
  await expect(cell(page, "CHK-2", "Triage")).toContainText("3");
  await expect(cell(page, "CHK-1", "Estimate")).toContainText("Server:1");
  await page.getByTestId("save").click();
  await computed(page);
  await at(page, `/whatif/${id}`);
  await expect(page.getByTestId("edits").getByRole("listitem")).toHaveCount(3);
});

test("somebody discards what is being changed: what is unsaved becomes a what-if of its own", async ({ page }) => {
  const id = ask("Later", "--set", `${END}=2027-04-09`);
  await at(page, `/r/raw/plan?wi=${id}&show=content&edit=1&stream=Work`);
  await expect(cell(page, "CHK-1", "Estimate")).toBeVisible();
  await page.getByTestId("edit-stream").selectOption("Params");
  await expect(cell(page, "End", "Value")).toHaveAttribute("title", "base: 2027-03-26");
  await page.getByTestId("edit-stream").selectOption("Work");
  await change(page, "CHK-1", "Estimate", "Server:1");
  project.run("whatif", "discard", id);
  await expect(page.getByTestId("what-if-banner")).toContainText("There is no what-if");
  await at(page, "/whatif");
  await page.getByRole("button", { name: "Make a new what-if of them" }).click();
  await page.getByRole("link", { name: "Go on" }).click();
  await expect(cell(page, "CHK-1", "Estimate")).toContainText("Server:1");
  await page.getByTestId("save").click();
  await computed(page);
});

test("main has changed the same: the conflict is settled, applied, and taken back", async ({ page }) => {
  const id = ask("Two more weeks", "--set", `${END}=2027-04-09`);
  project.edit("Params", "B3", "2027-03-31");
  await at(page, `/whatif/${id}`);
  await expect(page.getByTestId("moved")).toBeVisible();
  await page.getByTestId("review-apply").click();
  await expect(page.getByTestId("review")).toContainText("1 change of");
  await page.getByTestId("why").fill("agreed on Monday");
  await look(page, "whatif-review");
  await page.getByTestId("apply").click();
  const conflict = page.getByTestId("conflict-1");
  await expect(conflict).toContainText("2027-03-26");
  await expect(conflict).toContainText("2027-03-31");
  await expect(page.getByTestId("settle")).toBeDisabled();
  await conflict.getByRole("radio", { name: /the what-if's/ }).check();
  await look(page, "whatif-conflict");
  await page.getByTestId("settle").click();
  await expect(page.getByTestId("applied")).toContainText("Applied");
  expect(project.run("get", "raw/plan")).toContain("2027-04-09");
  await page.getByTestId("undo").click();
  await expect(page.getByTestId("taken-back")).toBeVisible();
  await expect(page.getByTestId("applied")).toHaveCount(0);
  expect(project.run("get", "raw/plan")).toContain("2027-03-31");
});

test("main has moved on: it is computed on the newest first", async ({ page }) => {
  const id = ask("Two more weeks", "--set", `${END}=2027-04-09`);
  project.edit("Work", "C2", "A checkout nobody leaves");
  await expect.poll(() => project.run("get", "results/plan")).toContain("A checkout nobody leaves");
  await at(page, `/whatif/${id}`);
  await page.getByTestId("rebase").click();
  await expect(page.getByTestId("moved")).toHaveCount(0);
  await expect.poll(() => project.run("get", "results/plan", "--whatif", id)).toContain("A checkout nobody leaves");
});

test("some of the changes are applied: the others are taken out first, and that is said", async ({ page }) => {
  const id = ask("Two things", "--set", `${END}=2027-04-09`, "--set", "raw/plan:Work[CHK-1].Triage=3");
  await at(page, `/whatif/${id}?show=apply`);
  await page.getByTestId("edit-1").getByRole("checkbox").uncheck();
  await expect(page.getByTestId("some")).toContainText("taken out of the what-if first");
  await page.getByTestId("apply").click();
  await expect(page.getByTestId("applied")).toBeVisible();
  await expect(page.getByTestId("edits").getByRole("listitem")).toHaveCount(1);
  expect(project.run("get", "raw/plan")).toContain("2027-03-26");
  expect(project.run("get", "raw/plan")).toMatch(/CHK-1\t1\tOne-page checkout\t[^\t]*\t3\t/);
});

test("a stage that fails says why; a change more mends it", async ({ page }) => {
  const id = JSON.parse(project.tried("whatif", "new", "Odd", "--set", "raw/plan:Work[CHK-1].Triage=soon", "--json")).id as string;
  await at(page, `/whatif/${id}`);
  await expect(page.getByTestId("whatif-page")).toHaveAttribute("data-state", "problem");
  await expect(page.getByTestId("run-condition")).toContainText("soon");
  await page.getByTestId("review-apply").click();
  await expect(page.getByTestId("apply")).toContainText("all the same");
  await page.getByTestId("change-more").click();
  await page.getByTestId("edit-stream").selectOption("Work");
  await change(page, "CHK-1", "Triage", "2");
  await page.getByTestId("save").click();
  await computed(page);
  await at(page, `/whatif/${id}`);
  await expect(page.getByTestId("edits").getByRole("listitem")).toHaveCount(1);
});

test("renamed, kept for good, discarded: that is undone in time, or happens", async ({ page }) => {
  const id = ask("Two more weeks", "--set", `${END}=2027-04-09`);
  await at(page, `/whatif/${id}`);
  await page.getByTestId("rename").click();
  await page.getByTestId("rename-title").fill("The quarter ends in April");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "The quarter ends in April" })).toBeVisible();
  await page.getByTestId("keep").selectOption("");
  await expect(page.getByTestId("whatif-page")).toContainText("kept for good");
  await look(page, "whatif-page");
  await page.getByTestId("discard").click();
  await page.getByTestId("discard-sure").click();
  await expect(page.getByTestId(`discarding-${id}`)).toContainText("If you close the page before, it stays");
  await page.getByTestId("undo-discard").click();
  await expect(page.getByTestId(`whatif-${id}`)).not.toContainText("about to be discarded");
  await page.getByTestId(`whatif-${id}`).getByRole("link", { name: /^Changes/ }).click();
  await page.getByTestId("discard").click();
  await page.getByTestId("discard-sure").click();
  await expect(page.getByTestId(`whatif-${id}`)).toContainText("about to be discarded");
  await expect(page.getByTestId(`discarding-${id}`)).toHaveCount(0);
  await expect(page.getByTestId(`whatif-${id}`)).toHaveCount(0);
  expect(project.run("whatif", "list", "--json").trim()).toBe("[]");
});

test("a value of JSON is set by itself", async ({ page }) => {
  project.put("params/plan", '{"limits": {"days": 30, "name": "soft"}}');
  await at(page, "/r/params/plan");
  await page.getByTestId("ask-whatif").click();
  const field = page.getByTestId("edit-values").getByLabel("limits › days");
  await field.fill("45");
  await field.press("Tab");
  await expect(page.getByTestId("unsaved")).toHaveAttribute("data-count", "1");
  await page.getByTestId("save").click();
  await computed(page);
  expect(JSON.parse(project.run("get", "params/plan", "--whatif", new URL(page.url()).hash.match(/wi=([^&]*)/)?.[1] ?? ""))).toEqual({ limits: { days: 45, name: "soft" } });
});
