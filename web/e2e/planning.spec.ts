// The planning page of examples/qplan, which is the project's own: live, and asking what if, through /esker.js alone.
import { expect, type Page, test } from "@playwright/test";
import { complaintsOf, look } from "./look.ts";
import { Project } from "./project.ts";

let project: Project;
let complaints: string[];

test.beforeEach(async ({ page }) => {
  complaints = complaintsOf(page);
  project = new Project();
  await project.start();
  await page.goto(project.url);
  await page.getByTestId("own-pages").click();
  await expect(page.getByTestId("items")).toContainText("One-page checkout");
});

test.afterEach(async () => {
  await project.remove();
  expect(complaints).toEqual([]);
});

/** Drags one item onto another, on a screen that shows both. */
async function drag(page: Page, from: string, to: string): Promise<void> {
  await page.setViewportSize({ width: 1280, height: 2800 });
  const items = page.getByTestId("items");
  await items.locator("tr", { hasText: from }).dragTo(items.locator("tr", { hasText: to }));
  await page.setViewportSize({ width: 1280, height: 900 });
}

test("is live, and filtered by what its address says", async ({ page }) => {
  await expect(page.locator("#fits")).toContainText("Too much for Mobile, Server");
  await look(page, "planning");
  project.edit("Work", "C2", "A checkout nobody leaves");
  await expect(page.getByTestId("items")).toContainText("A checkout nobody leaves");
  await page.getByLabel("Track").selectOption("Checkout");
  await page.getByLabel("Triage").selectOption("1");
  await expect(page.getByTestId("items")).not.toContainText("Zero-downtime deploys");
  await page.reload();
  await expect(page.getByLabel("Track")).toHaveValue("Checkout");
  await expect(page.getByTestId("items")).not.toContainText("Zero-downtime deploys");
  await project.kill();
  await expect(page.locator("#state")).toContainText("not connected");
  await project.start();
  await expect(page.locator("#state")).toContainText("live");
});

test("asks what would be if an item came earlier, shares it, applies it", async ({ page, browser }) => {
  const items = page.getByTestId("items");
  const gift = items.locator("tr", { hasText: "Gift cards" });
  await drag(page, "Gift cards", "One-page checkout");
  const banner = page.locator("#what-if");
  await expect(banner).toContainText("What if: Gift cards at rank 1");
  await expect(banner).toContainText("done");
  await expect(items.locator("tbody tr").first()).toContainText("Gift cards");
  await expect(gift).toContainText("was Mar 9, 2027");
  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
  await expect(banner).toBeInViewport();
  await look(page, "planning-what-if");
  // Further by the keyboard alone.
  await items.locator("tr", { hasText: "Zero-downtime deploys" }).focus();
  await page.keyboard.press("Alt+ArrowUp");
  await expect(items.locator("tbody tr").nth(1)).toContainText("Zero-downtime deploys");
  await expect(banner).toContainText("done");
  // Somebody else sees it by its address, and nothing of it is on main.
  const other = await (await browser.newContext()).newPage();
  await other.goto(page.url());
  await expect(other.getByTestId("items").locator("tbody tr").first()).toContainText("Gift cards");
  await other.close();
  expect(project.run("get", "raw/plan")).not.toMatch(/^\tCHK-6\t1\t/m);
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(banner).toBeHidden();
  await expect(items.locator("tbody tr").first()).toContainText("Gift cards");
  expect(project.run("get", "raw/plan")).toMatch(/^\tCHK-6\t1\t/m);
});

test("says when somebody has changed the same, and lets a what-if go", async ({ page }) => {
  await drag(page, "Gift cards", "One-page checkout");
  await expect(page.locator("#what-if")).toContainText("done");
  const id = new URL(page.url().replace("#", "?")).searchParams.get("what-if") ?? "";
  project.run("whatif", "new", "Another", "--rank", "raw/plan:Work[CHK-6].Rank=5");
  project.run("whatif", "apply", "another");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page.locator("#fault")).toContainText("Not applied");
  await page.getByRole("button", { name: "Discard" }).click();
  await expect(page.locator("#what-if")).toBeHidden();
  await expect.poll(() => project.run("whatif", "list", "--json")).not.toContain(`"${id}"`);
});
