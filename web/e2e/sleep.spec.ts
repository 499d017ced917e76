// A laptop that was closed: the page stood still while much happened. Opened again it is as new, or asks for the log-in and goes on from there.
import { execFileSync } from "node:child_process";
import { expect, type Page } from "@playwright/test";
import { badge, look } from "./look.ts";
import { program, type Project } from "./project.ts";
import { test } from "./story.ts";

const password = "correct horse battery";
const CHANGES = 40;

/** Has the page stand still, as a browser does with what is out of sight for long; what wakes it. */
async function freeze(page: Page): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  return async () => {
    await session.send("Page.setWebLifecycleState", { state: "active" });
    await session.detach();
  };
}

/** Stops all processes of pages, as a machine does that sleeps; what wakes them. */
async function sleep(page: Page): Promise<() => void> {
  const browser = page.context().browser();
  if (!browser) throw new Error("the page is in no browser");
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const pages = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
  for (const pid of pages) process.kill(pid, "SIGSTOP");
  return () => {
    for (const pid of pages) process.kill(pid, "SIGCONT");
  };
}

async function begin(page: Page, project: Project, more = ""): Promise<void> {
  project.write("esker.toml", `[project]\nname = "orders"\n[view.orders]\ntitle = "Orders"\nresource = "raw/orders"\nkind = "table"\n${more}`);
  project.clear();
  await project.start();
  project.put("raw/orders", "id,amount\nA,0\n");
  await page.goto(`${project.url}/#/view/orders?sort=-1`);
}

/** Puts many versions, of many resources; the last amount. */
function change(project: Project, from = 0): number {
  for (let turn = 1; turn <= CHANGES; turn += 1) project.put("raw/orders", `id,amount\nA,${from + turn}\nB,${2 * (from + turn)}\n`);
  for (let turn = 0; turn < CHANGES; turn += 1) project.put(`raw/other-${turn}`, `${from}\n`);
  return 2 * (from + CHANGES);
}

async function isNewest(page: Page): Promise<void> {
  await expect(page.getByTestId("data-table")).toContainText(String(2 * CHANGES));
  await badge(page, "live");
  await page.goto(page.url().replace(/#.*/, "#/resources"));
  await expect(page.getByTestId(`revision-raw/other-${CHANGES - 1}`)).toBeVisible();
}

test("a page that stood still catches up by itself", async ({ page, project }) => {
  await begin(page, project);
  await badge(page, "live");
  const wake = await freeze(page);
  change(project);
  await wake();
  await isNewest(page);
});

test("a machine that slept while esker was started anew is in step again, and nothing is asked of anybody", async ({ page, project }) => {
  await begin(page, project);
  await badge(page, "live");
  const wake = await sleep(page);
  try {
    change(project);
    await project.kill();
    await project.start();
  } finally {
    wake();
  }
  await isNewest(page);
});

test("whose session has ended meanwhile is led to the log-in, and back to the same place", async ({ page, project }) => {
  const hash = execFileSync(program, ["web", "password"], { input: `${password}\n`, encoding: "utf8" }).trim();
  const user = `[web.user.ann]\npassword = "${hash}"\nrole = "view"\n`;
  const enter = async () => {
    await page.getByLabel("Name").fill("ann");
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
  };
  await begin(page, project, user);
  await enter();
  await badge(page, "live");
  await page.goto(`${project.url}/#/view/orders?sort=-1`);
  await expect(page.getByTestId("data-table")).toBeVisible();
  let last = 0;
  for (const stand of [freeze, sleep]) {
    const wake = await stand(page);
    try {
      last = change(project, last);
      // All sessions end with the process that keeps them.
      await project.kill();
      await project.start();
    } finally {
      await wake();
    }
    await expect(page).toHaveURL(/\/login\?next=/);
    await look(page, "sleep-login");
    await enter();
    await expect(page).toHaveURL(`${project.url}/#/view/orders?sort=-1`);
    await expect(page.getByTestId("data-table")).toContainText(String(last));
    await badge(page, "live");
  }
});
