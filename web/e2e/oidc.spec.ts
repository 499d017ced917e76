// People log in at a provider, which is another site with its own pages, and come back: with their role, to where they wanted to be.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { type Browser, type BrowserContext, expect, type Page, test } from "@playwright/test";
import { badge, complaintsOf, look } from "./look.ts";
import { freePort, program, Project, waitFor } from "./project.ts";

const password = "correct horse battery";

let project: Project;
let provider: ChildProcess | undefined;
let port: number;

test.beforeAll(async () => {
  project = new Project();
  port = await freePort();
  const hash = execFileSync(program, ["web", "password"], { input: `${password}\n`, encoding: "utf8" }).trim();
  const oidc = `
[web.user.pat]
password = "${hash}"
role = "view"

[web.oidc]
title = "Example Ltd"
issuer = "http://localhost:${port}"
client = "esker"
secret = { file = "oidc.secret" }
scopes = ["openid", "email", "groups"]

[web.oidc.role]
"ann@example.org" = "operate"

[web.oidc.group]
planners = "what-if"
`;
  project.write("oidc.secret", "a secret of the tests / with = signs\n");
  project.write("esker.toml", `${project.read("esker.toml")}\n${oidc}`);
  // There is no provider yet.
  await project.start();
});

test.afterAll(async () => {
  provider?.kill("SIGKILL");
  await project.remove();
});

async function startProvider(): Promise<void> {
  provider = spawn("node", [join(import.meta.dirname, "provider.mjs"), String(port), `${project.url}/login/oidc/back`], { stdio: "ignore" });
  await waitFor("the provider", async () => (await fetch(`http://localhost:${port}/.well-known/openid-configuration`)).ok);
}

async function endProvider(): Promise<void> {
  const gone = new Promise((done) => provider?.once("exit", done));
  provider?.kill("SIGKILL");
  await gone;
}

/** Logs in at the provider, once the page is there. */
async function logInThere(page: Page, name: string): Promise<void> {
  await expect(page).toHaveURL(new RegExp(`^http://localhost:${port}/interaction/`));
  await page.getByPlaceholder("Enter any login").fill(name);
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
}

async function begin(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Log in with Example Ltd" }).click();
}

/** The address by which somebody would have come back, who is kept from it. */
async function stolen(browser: Browser, name: string): Promise<{ context: BrowserContext; page: Page; url: string }> {
  const context = await browser.newContext();
  const page = await context.newPage();
  // Playwright's own routes do not see what is redirected.
  const wire = await context.newCDPSession(page);
  const caught = new Promise<string>((done) => {
    wire.on("Fetch.requestPaused", ({ requestId, request }) => {
      done(request.url);
      void wire.send("Fetch.failRequest", { requestId, errorReason: "Aborted" });
    });
  });
  await wire.send("Fetch.enable", { patterns: [{ urlPattern: "*/login/oidc/back*" }] });
  await page.goto(`${project.url}/login?next=/r`);
  await begin(page);
  await logInThere(page, name);
  const url = await caught;
  await wire.detach();
  expect(url).toContain("code=");
  return { context, page, url };
}

const me = (page: Page) => page.evaluate(async () => (await (await fetch("/api/me")).json()) as unknown);

test("where the provider is away that is told, and passwords let people in", async ({ page }) => {
  const complaints = complaintsOf(page);
  await page.goto(`${project.url}/#/resources?find=plan`);
  await begin(page);
  await expect(page.getByRole("alert")).toHaveText("Example Ltd cannot be reached just now. Try again in a moment.");
  await look(page, "login-provider-away");
  await page.getByLabel("Name").fill("pat");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(`${project.url}/#/resources?find=plan`);
  await badge(page, "live");
  expect(complaints).toEqual([]);
});

test("people log in at the provider, and are where they wanted to be", async ({ page, context }) => {
  const complaints = complaintsOf(page);
  await startProvider();
  await page.goto(`${project.url}/#/resources?find=plan`);
  await expect(page).toHaveURL(/\/login\?next=/);
  await look(page, "login-oidc");
  // It has just been seen to be away, and is asked again in a moment.
  await expect(async () => {
    await begin(page);
    await expect(page).toHaveURL(new RegExp(`localhost:${port}`), { timeout: 1_000 });
  }).toPass();
  await logInThere(page, "ann@example.org");
  await expect(page).toHaveURL(`${project.url}/#/resources?find=plan`);
  await badge(page, "live");
  expect(await me(page)).toEqual({ user: "ann@example.org", role: "operate", by: "session" });
  const cookies = (await context.cookies(project.url)).filter((cookie) => cookie.name.startsWith("esker"));
  expect(cookies).toMatchObject([{ name: "esker", httpOnly: true, sameSite: "Strict" }]);
  // The page may do what the role may, and what it does is theirs.
  const tag = await page.evaluate(() => {
    const body = JSON.stringify({ name: "by-ann" });
    return fetch("/api/tags", { method: "POST", body, headers: { "Content-Type": "application/json" } }).then((answer) => answer.status);
  });
  expect(tag).toBe(201);
  await page.getByRole("button", { name: "Log out" }).click();
  await expect(page).toHaveURL(/\/login/);
  expect(await page.evaluate(async () => (await fetch("/api/me")).status)).toBe(401);
  expect(complaints).toEqual([]);
});

test("it needs no program in the page, and groups give roles", async ({ browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${project.url}/r/results/plan?at=HEAD`);
  await begin(page);
  await logInThere(page, "gus@example.org");
  await expect(page).toHaveURL(`${project.url}/r/results/plan?at=HEAD`);
  const answer = await context.request.get(`${project.url}/api/me`);
  expect(await answer.json()).toMatchObject({ user: "gus@example.org", role: "what-if" });
  await context.close();
});

test("who has no role is told why", async ({ page }) => {
  const complaints = complaintsOf(page);
  await page.goto(`${project.url}/r`);
  await begin(page);
  await logInThere(page, "eve@example.net");
  await expect(page.getByRole("alert")).toContainText("eve@example.net has no role here.");
  await look(page, "login-no-role");
  expect(await page.evaluate(async () => (await fetch("/api/me")).status)).toBe(401);
  await page.getByRole("link", { name: "Back to the log-in" }).click();
  await expect(page).toHaveURL(`${project.url}/login?next=/r`);
  expect(complaints).toEqual([]);
});

test("an address that the provider has not verified is nobody's", async ({ page }) => {
  await page.goto(project.url);
  await begin(page);
  await logInThere(page, "unverified@example.org");
  await expect(page.getByRole("alert")).toHaveText("Example Ltd says that unverified@example.org is not known to be yours.");
});

test("who does not want to is told so", async ({ page }) => {
  await page.goto(project.url);
  await begin(page);
  await expect(page).toHaveURL(/\/interaction\//);
  await page.getByRole("link", { name: "[ Cancel ]" }).click();
  await expect(page.getByRole("alert")).toHaveText("Example Ltd did not let you in: access_denied.");
});

test("a way back is good once, as it is, in one browser", async ({ browser }) => {
  const { context, page, url } = await stolen(browser, "ann@example.org");
  const thief = await browser.newContext();
  const theirs = await thief.newPage();
  const refused = async (page: Page, to: string) => {
    const answer = await page.goto(to);
    expect(answer?.status()).toBe(400);
    await expect(page.getByRole("alert")).toHaveText("This log-in was not begun in this browser, or is over. Begin again.");
  };
  await refused(theirs, url);
  await refused(page, url.replace(/state=[^&]*/, "state=made-up"));
  await page.goto(url);
  await expect(page).toHaveURL(`${project.url}/r`);
  const session = (await context.cookies(project.url)).find((cookie) => cookie.name === "esker");
  await refused(page, url);
  const after = (await context.cookies(project.url)).find((cookie) => cookie.name === "esker");
  expect(after?.value, "the session is what it was").toBe(session?.value);
  await thief.close();
  await context.close();
});

test("a provider that goes away meanwhile is told of", async ({ browser }) => {
  const { context, page, url } = await stolen(browser, "ann@example.org");
  await endProvider();
  const answer = await page.goto(url);
  expect(answer?.status()).toBe(503);
  await expect(page.getByRole("alert")).toHaveText("Example Ltd cannot be reached just now. Try again in a moment.");
  await context.close();
});
