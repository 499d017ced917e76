// Others are let in: the form works without programs, in the light, in the dark and on a phone; who is out is out at once.
import { execFileSync } from "node:child_process";
import { expect, test } from "@playwright/test";
import { badge, complaintsOf, look, picture } from "./look.ts";
import { program, Project } from "./project.ts";

const password = "correct horse battery";

let project: Project;

test.beforeAll(async () => {
  project = new Project();
  const hash = execFileSync(program, ["web", "password"], { input: `${password}\n`, encoding: "utf8" }).trim();
  const user = (name: string, role: string) => `[web.user.${name}]\npassword = "${hash}"\nrole = "${role}"\n`;
  const users = [user("ann", "view"), user("wim", "what-if"), user("oda", "operate")].join("");
  project.write("esker.toml", `${project.read("esker.toml")}\n${users}`);
  await project.start();
});

test.afterAll(async () => {
  await project.remove();
});

test("the form can be used by everybody", async ({ page }) => {
  const complaints = complaintsOf(page);
  await page.goto(`${project.url}/login`);
  await look(page, "login");
  await page.getByLabel("Name").fill("ann");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("alert")).toHaveText("The name or the password is wrong.");
  await look(page, "login-wrong");
  expect(complaints).toEqual([]);
});

test("people log in without a program, and are where they wanted to be", async ({ browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${project.url}/r/results/plan?at=HEAD`);
  await expect(page).toHaveURL(/\/login\?next=/);
  await page.getByLabel("Name").fill("ann");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(`${project.url}/r/results/plan?at=HEAD`);
  // What a URL says behind its # is known to the browser alone, and comes along.
  await context.clearCookies();
  await page.goto("about:blank");
  await page.goto(`${project.url}/#/resources?find=plan`);
  await expect(page).toHaveURL(/\/login\?next=/);
  await page.getByLabel("Name").fill("ann");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByLabel("Name").fill("ann");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(`${project.url}/#/resources?find=plan`);
  const [cookie] = await context.cookies();
  expect(cookie).toMatchObject({ name: "esker", httpOnly: true, sameSite: "Strict" });
  await context.close();
});

test("the page is live for who is in, and no longer for who is out", async ({ page }) => {
  const complaints = complaintsOf(page);
  await page.goto(project.url);
  await page.getByLabel("Name").fill("ann");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await badge(page, "live");
  const status = (method: string, path: string) =>
    page.evaluate(async (asked) => (await fetch(asked.path, { method: asked.method })).status, { method, path });
  expect(await status("GET", "/api/me")).toBe(200);
  expect(await status("POST", "/api/problems/none/retry"), "who may only look").toBe(403);
  await page.goto(`${project.url}/#/resources?find=plan`);
  await badge(page, "live");
  // The session ends elsewhere: the page asks for another, and is where it was.
  await page.evaluate(() => fetch("/logout", { method: "POST" }));
  await expect(page).toHaveURL(/\/login\?next=/);
  expect(await status("GET", "/api/me")).toBe(401);
  await page.getByLabel("Name").fill("ann");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(`${project.url}/#/resources?find=plan`);
  await badge(page, "live");
  await page.getByRole("button", { name: "Log out" }).click();
  await expect(page).toHaveURL(/\/login/);
  expect(complaints).toEqual([]);
});

test("a page of another site gets nowhere, a link from there does", async ({ page, context }) => {
  await page.goto(project.url);
  await page.getByLabel("Name").fill("ann");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await badge(page, "live");
  const evil = await context.newPage();
  // A page of another name that is reached all the same.
  await evil.route("http://evil.example/**", (route) =>
    route.fulfill({
      contentType: "text/html",
      body: `<a href="${project.url}/">look</a><form method="post" action="${project.url}/logout"><button>win</button></form>`,
    }),
  );
  await evil.goto("http://evil.example/");
  await evil.getByRole("button", { name: "win" }).click();
  await expect(evil.getByText("may not use this one")).toBeVisible();
  await evil.goto("http://evil.example/");
  const socket = await evil.evaluate(
    (url) =>
      new Promise((done) => {
        const socket = new WebSocket(`${url.replace("http", "ws")}/sync/1`);
        socket.onopen = () => done("open");
        socket.onerror = () => done("refused");
      }),
    project.url,
  );
  expect(socket).toBe("refused");
  await evil.getByRole("link", { name: "look" }).click();
  await badge(evil, "live");
});

test("nobody is offered what their role may not do, and is told why", async ({ browser }) => {
  const asked = ["whatif", "new", "Two more weeks", "--set", "raw/plan:Params[End].Value=2027-04-09"];
  const id = project.run(...asked).trim();
  project.edit("Work", "B5", "soon");
  try {
    for (const [name, may] of [
      ["ann", []],
      ["wim", ["what-if"]],
      ["oda", ["what-if", "operate"]],
    ] as const) {
      const context = await browser.newContext();
      const page = await context.newPage();
      const offered = (testid: string, isOffered: boolean) => expect(page.getByTestId(testid), `${testid} for ${name}`).toHaveCount(isOffered ? 1 : 0);
      const mayAsk = may.some((role) => role === "what-if");
      const mayOperate = may.some((role) => role === "operate");
      await page.goto(`${project.url}/#/whatif`);
      await page.getByLabel("Name").fill(name);
      await page.getByLabel("Password").fill(password);
      await page.getByRole("button", { name: "Log in" }).click();
      await expect(page.getByTestId(`whatif-${id}`)).toBeVisible();
      await offered("new-whatif", mayAsk);
      await offered("may-not", !mayAsk);
      await page.goto(`${project.url}/#/whatif/${id}`);
      await expect(page.getByTestId("whatif-page")).toBeVisible();
      for (const deed of ["rename", "keep", "discard", "change-more"]) await offered(deed, mayAsk);
      await offered("review-apply", mayOperate);
      if (name === "ann") await expect(page.getByTestId("may-not").first()).toHaveText("Changing it needs the role “what-if”; yours is “view”.");
      if (name === "ann") {
        await look(page, "role-view-whatif");
        await page.setViewportSize({ width: 360, height: 780 });
        await expect(page.getByRole("button", { name: "Log out" })).toHaveCount(0);
        await page.getByRole("button", { name: "Menu" }).click();
        await expect(page.getByRole("button", { name: "Log out" })).toBeInViewport();
        await page.screenshot(picture("role-view-menu"));
        await page.setViewportSize({ width: 1280, height: 900 });
      }
      await page.goto(`${project.url}/#/r/raw/plan`);
      await expect(page.getByTestId("resource-page")).toBeVisible();
      await offered("ask-whatif", mayAsk);
      await page.goto(`${project.url}/#/problems`);
      await expect(page.getByTestId("problem-condition")).toBeVisible();
      await expect(page.getByRole("button", { name: "Retry" })).toHaveCount(mayOperate ? 1 : 0);
      await offered("may-not", !mayOperate);
      if (name === "wim") await look(page, "role-what-if-problems");
      await context.close();
    }
  } finally {
    project.edit("Work", "B5", "400");
    project.run("whatif", "discard", id);
  }
});
