// An excavation in the browser: the data and the page of then, and nothing that could be taken for now.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { picture } from "./look.ts";
import { program, Project } from "./project.ts";

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
    const url = await new Promise<string>((found, failed) => {
      let said = "";
      dig?.stderr?.on("data", (text: Buffer) => {
        said += text.toString();
        const url = /page +(http:\/\/\S+)/.exec(said)?.[1];
        if (url) found(url);
      });
      dig?.once("exit", () => failed(new Error(said)));
    });
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
