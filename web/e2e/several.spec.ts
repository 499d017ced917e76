// Several projects behind one server: the page of all, the ways between them, and one whose hub dies and comes back.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, type Page, test } from "@playwright/test";
import { badge, complaintsOf, look } from "./look.ts";
import { freePort, program, Project, waitFor } from "./project.ts";

const password = "correct horse battery";

/** What the second project does with what is put: it fails until there is a good one. */
const payments = `[project]
name = "payments"

[stage.check]
input = "raw/payments"
run = ["grep", "total"]
output = "checked/payments"

[view.checked]
resource = "checked/payments"
title = "Checked payments"
kind = "text"
`;

const dir = mkdtempSync(join(tmpdir(), "esker-site-"));
let plan: Project;
let pay: Project;
let site: ChildProcess;
let url: string;

test.beforeAll(async () => {
  [plan, pay] = [new Project(), new Project()];
  pay.write("esker.toml", payments);
  const [planAt, payAt] = [await plan.settle(), await pay.settle()];
  await Promise.all([plan.start(), pay.start()]);
  const hash = execFileSync(program, ["web", "password"], { input: `${password}\n`, encoding: "utf8" }).trim();
  const hubs = `[web.hub.quarter]\n${planAt}app = "${join(plan.dir, "app")}"\n[web.hub.payments]\n${payAt}`;
  writeFileSync(join(dir, "esker.toml"), `[project]\nname = "site"\n[web.user.ann]\npassword = "${hash}"\nrole = "operate"\n${hubs}`);
  const bind = `127.0.0.1:${await freePort()}`;
  url = `http://${bind}`;
  site = spawn(program, ["web", "--bind", bind], { cwd: dir, stdio: "ignore" });
  await waitFor("the site", async () => (await fetch(`${url}/healthz`)).ok);
});

test.afterAll(async () => {
  site.kill("SIGKILL");
  await Promise.all([plan.remove(), pay.remove()]);
  rmSync(dir, { recursive: true, force: true });
});

async function logIn(page: Page): Promise<void> {
  await page.getByLabel("Name").fill("ann");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

const card = (page: Page, name: string) => page.getByTestId(`hub-${name}`);

test("one log-in leads to all, and all of a project works below its name", async ({ page }) => {
  const complaints = complaintsOf(page);
  await page.goto(`${url}/quarter/`);
  await expect(page).toHaveURL(`${url}/login?next=/quarter/`);
  await logIn(page);
  await expect(page).toHaveURL(`${url}/quarter/`);
  await badge(page, "live");
  await expect(page.getByTestId("standing")).toHaveAttribute("data-kind", "good");
  // What is fetched, what is put, and the project's own pages.
  await page.getByTestId("tab-plan").click();
  await expect(page.getByRole("main")).toContainText("One-page checkout");
  await page.goto(`${url}/quarter/#/r/raw/plan?show=content`);
  await expect(page.getByRole("link", { name: "download" })).toHaveAttribute("href", /^\/quarter\/api\/get\?/);
  await page.getByTestId("own-pages").click();
  await expect(page).toHaveURL(`${url}/quarter/app/`);
  await expect(page.getByTestId("items")).toContainText("One-page checkout");
  await page.getByRole("link", { name: "esker", exact: true }).click();
  await expect(page).toHaveURL(`${url}/quarter/`);
  // The other one has no pages of its own here, and is reached by its name.
  await badge(page, "live");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("payments");
  await expect(page.getByRole("option", { name: "payments project" })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`${url}/payments/`);
  await badge(page, "live");
  await expect(page.getByTestId("own-pages")).toHaveCount(0);
  await page.goto(`${url}/no-such/`);
  await expect(card(page, "quarter"), "who types a name is shown which there are").toBeVisible();
  expect(complaints).toEqual([]);
});

test("the page of all is live, and leads there and back by keys alone", async ({ page }) => {
  const complaints = complaintsOf(page);
  await page.goto(url);
  await logIn(page);
  await expect(page).toHaveURL(`${url}/`);
  await badge(page, "live");
  await expect(card(page, "quarter")).toContainText("Everything is fresh");
  await expect(card(page, "payments")).toContainText("1 stage waiting for data");
  pay.put("raw/payments", "nothing\n");
  await expect(card(page, "payments")).toContainText("1 problem: check:");
  await expect(page.getByTestId("together")).toHaveText("2 projects, 1 in trouble");
  await expect(page).toHaveTitle("(1) Projects · esker");
  await look(page, "projects");
  await card(page, "payments").getByRole("link").focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`${url}/payments/`);
  await badge(page, "live");
  const switcher = page.getByTestId("switcher");
  await switcher.locator("summary").focus();
  await page.keyboard.press("Enter");
  await expect(switcher.getByRole("link", { name: "qplan Everything is fresh" })).toBeVisible();
  await look(page, "projects-switcher");
  await page.keyboard.press("Escape");
  await expect(switcher.getByRole("link", { name: "All projects" })).toBeHidden();
  await expect(switcher.locator("summary")).toBeFocused();
  await page.keyboard.press("g");
  await page.keyboard.press("a");
  await expect(page).toHaveURL(`${url}/`);
  pay.put("raw/payments", "total 7\n");
  await expect(card(page, "payments")).toContainText("Everything is fresh");
  expect(complaints).toEqual([]);
});

test("a hub that dies is told of, hurts no other, and comes back by itself", async ({ page, context }) => {
  const complaints = complaintsOf(page);
  await page.goto(url);
  await logIn(page);
  const [inPay, inPlan] = [await context.newPage(), await context.newPage()];
  await inPay.goto(`${url}/payments/`);
  await badge(inPay, "live");
  await inPlan.goto(`${url}/quarter/#/resources`);
  await badge(inPlan, "live");
  await pay.kill();
  await expect(card(page, "payments")).toContainText(/Not reached since \d\d:\d\d:\d\d/);
  await look(page, "projects-lost");
  await badge(inPay, "stale");
  await expect(inPay.getByTestId("lost")).toContainText("is as it was then");
  await expect(inPay.getByTestId("live-badge")).toContainText("not reached since");
  await expect(inPay.getByTestId("standing"), "nobody knows how it stands now").toHaveAttribute("data-kind", "then");
  await look(inPay, "project-lost");
  // Who comes now is told so too, and the other project is as if nothing had been.
  const late = await context.newPage();
  await late.goto(`${url}/payments/`);
  await expect(late.getByRole("heading", { name: "Waiting for payments" })).toBeVisible();
  await look(late, "project-absent");
  plan.put("notes/today", "all well\n");
  await expect(inPlan.getByRole("link", { name: "notes/today" }).first()).toBeVisible();
  await badge(inPlan, "live");
  await pay.start();
  await expect(card(page, "payments")).toContainText("Everything is fresh");
  for (const one of [inPay, late]) {
    await badge(one, "live");
    await expect(one.getByTestId("lost")).toHaveCount(0);
    await expect(one.getByTestId("standing")).toHaveAttribute("data-kind", "good");
  }
  expect(complaints).toEqual([]);
});
