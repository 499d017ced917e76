// An excavation in the browser: the data and the page of then, and nothing that could be taken for now.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { complaintsOf, look, picture } from "./look.ts";
import { program, Project } from "./project.ts";

/** Where the page of an excavation is, once it is served. */
function served(dig: ChildProcess): Promise<string> {
  return new Promise<string>((found, failed) => {
    let said = "";
    dig.stderr?.on("data", (text: Buffer) => {
      said += text.toString();
      const url = /page +(http:\/\/\S+)/.exec(said)?.[1];
      if (url) found(url);
    });
    dig.once("exit", () => failed(new Error(said)));
  });
}

test("what is as of then says so and cannot be scrolled out of sight", async ({ page }) => {
  const project = new Project();
  const folder = mkdtempSync(join(tmpdir(), "esker-e2e-clone-"));
  let dig: ChildProcess | undefined;
  try {
    project.run("run");
    const then = project.run("get", "results/plan");
    project.edit("Params", "B3", "2027-02-26");
    project.run("run");
    expect(project.run("get", "results/plan")).not.toBe(then);
    const clone = join(folder, "clone");
    execFileSync("git", ["clone", "-q", join(project.dir, ".esker/store.git"), clone]);

    dig = spawn(program, ["excavate", "HEAD~3", "--store", clone], { stdio: ["ignore", "ignore", "pipe"] });
    const url = await served(dig);
    await page.goto(url);
    const banner = page.getByTestId("as-of");
    await expect(banner).toContainText(/As of \d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}, [0-9a-f]{10}\./);
    await expect(page).toHaveTitle(/as of \d{4}/);
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    await expect(banner).toBeInViewport();
    await page.screenshot(picture("excavation"));
    const shown = await (await fetch(`${url}/api/get?resource=results/plan`)).text();
    expect(shown).toBe(then);
  } finally {
    dig?.kill("SIGINT");
    await project.remove();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("what-ifs of then are looked at and compared, and nobody is offered what would be refused", async ({ page }) => {
  const complaints = complaintsOf(page);
  const project = new Project();
  const folder = mkdtempSync(join(tmpdir(), "esker-e2e-clone-"));
  const [clone, then] = [join(folder, "clone"), join(folder, "then")];
  const esker = (...args: string[]) => execFileSync(program, args, { cwd: then, encoding: "utf8" });
  let dig: ChildProcess | undefined;
  try {
    project.run("run");
    project.edit("Params", "B3", "2027-02-26");
    project.run("run");
    execFileSync("git", ["clone", "-q", join(project.dir, ".esker/store.git"), clone]);
    dig = spawn(program, ["excavate", "HEAD~3", "--store", clone, "--into", then], { stdio: ["ignore", "ignore", "pipe"] });
    const url = await served(dig);
    const before = esker("whatif", "new", "A week more", "--set", "raw/plan:Params[End].Value=2027-04-09").trim();
    await page.goto(`${url}/#/whatif`);
    const banner = page.getByTestId("as-of");
    await expect(banner).toBeVisible();
    await expect(page.getByTestId(`whatif-${before}`)).toBeVisible();
    await expect(page.getByTestId("new-whatif")).toHaveCount(0);
    await expect(page.getByTestId("may-not")).toContainText("This is an excavation");
    await look(page, "excavation-whatifs");

    // One that is made while somebody looks is there at once, computed.
    const during = esker("whatif", "new", "Two weeks more", "--set", "raw/plan:Params[End].Value=2027-04-16").trim();
    await expect(page.getByTestId(`whatif-${during}`)).toContainText("Two weeks more");
    await page.goto(`${url}/#/whatif/${during}`);
    await expect(page.getByTestId("whatif-page")).toHaveAttribute("data-state", "done");
    await expect(banner).toBeVisible();
    for (const deed of ["rename", "keep", "discard", "change-more", "review-apply", "rebase"]) await expect(page.getByTestId(deed)).toHaveCount(0);
    await look(page, "excavation-whatif");

    await page.getByTestId("look").click();
    await expect(page.getByTestId("what-if-banner")).toContainText("Two weeks more");
    await expect(banner).toBeVisible();
    await expect(page.getByTestId("others")).toBeVisible();
    await expect(page.getByTestId("ask-whatif")).toHaveCount(0);
    await look(page, "excavation-whatif-view");
    await page.goto(`${url}/#/whatif/${during}?show=compare&with=${before}`);
    await expect(page.getByTestId("compared-results/plan")).toBeVisible();
    await expect(banner).toBeVisible();
    await look(page, "excavation-whatif-compare");
    // Nothing is wrong with an excavation that no runner works for.
    await page.goto(`${url}/#/problems`);
    await expect(page.getByTestId("no-runner")).toHaveCount(0);

    // Who asks all the same is refused by the hub, and told why.
    const refused = await page.evaluate(async () => {
      const asked = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ name: "then", at: "HEAD" }) };
      const answer = await fetch("/api/tags", asked);
      return { status: answer.status, text: await answer.text() };
    });
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(refused.text).toContain("this is an excavation");
    expect(complaints).toEqual([]);
  } finally {
    dig?.kill("SIGINT");
    await project.remove();
    rmSync(folder, { recursive: true, force: true });
  }
});
