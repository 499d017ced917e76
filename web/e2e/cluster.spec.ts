// The page of the cluster: a real Consul with real workers, one of them killed; the worker of this machine alone; none at all.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { expect, type Page } from "@playwright/test";
import { badge, look } from "./look.ts";
import { program } from "./project.ts";
import { test } from "./story.ts";

const NODES = 3;

/** Consul and workers on this machine, as `esker cluster dev` has them. */
class Cluster {
  readonly #child: ChildProcess;
  readonly join: Promise<string>;

  constructor() {
    this.#child = spawn(program, ["cluster", "dev", "-n", String(NODES), "--memory", "64MiB"], { stdio: ["ignore", "ignore", "pipe"] });
    const errors = this.#child.stderr;
    if (!errors) throw new Error("no standard error");
    this.join = new Promise((found, failed) => {
      const said: string[] = [];
      createInterface(errors).on("line", (line) => {
        said.push(line);
        const join = /^join:\s+(\S+)$/.exec(line)?.[1];
        if (join) found(join);
      });
      this.#child.once("exit", () => failed(new Error(`the cluster has ended: ${said.join("\n")}`)));
    });
  }

  /** Ends one of its workers as power loss would. */
  async killWorker(name: string): Promise<void> {
    const network = new URL((await this.join).replace("consul", "http")).hostname.replace(/\d+$/, "");
    const isIt = (words: string[]): boolean => words[1] === "worker" && words.at(-1) === name && words.some((word) => word.startsWith(`consul://${network}`));
    const pids = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
    const found = pids.filter((pid) => isIt(words(pid)));
    expect(found).toHaveLength(1);
    process.kill(Number(found[0]), "SIGKILL");
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = new Promise((done) => this.#child.once("exit", done));
    this.#child.kill("SIGTERM");
    await gone;
  }
}

/** How a process was started; nothing if it is gone. */
function words(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    return [];
  }
}

const worker = (page: Page, name: string) => page.getByTestId(`worker-${name}`);

test("the workers of a Consul, what they hold, where ids are, and one that is killed", async ({ page, project }) => {
  const cluster = new Cluster();
  try {
    const join = await cluster.join;
    project.write("esker.toml", `${project.read("esker.toml")}\n[cluster]\njoin = "${join}"\nbind = "127.0.0.1:0"\nmemory = "32MiB"\n`);
    await project.start();
    await page.goto(project.url);
    await badge(page, "live");
    await page.keyboard.press("g");
    await page.keyboard.press("c");
    await expect(page).toHaveURL(/#\/cluster$/);
    await expect(page.getByRole("heading", { name: `${NODES + 1} workers` })).toBeVisible();
    // In Consul a worker is called as its agent's node is: this server has joined the first.
    for (const name of ["node2", "node3"]) await expect(worker(page, name)).toHaveAttribute("data-state", "passing");
    const own = worker(page, "node1").filter({ hasText: "this server’s own" });
    await expect(own).toHaveAttribute("data-state", "passing");
    await expect(page.getByTestId("cluster-teller")).toContainText("Consul tells who is there");
    await expect(page.getByTestId("cluster-teller")).toHaveAttribute("data-state", "reached");

    // What commands do is seen at once.
    project.run("cache", "init", "s1/part-{}", "--count", "1000");
    await expect(page.getByTestId("spaces")).toContainText("s1");
    await expect(page.getByTestId("spaces")).toContainText("1,000");
    // Chance does not become smaller.
    project.write("big", randomBytes(5_000_000).toString("hex"));
    project.run("cache", "set", "s1/part-7", "big");
    await expect(page.getByText(/[1-9][\d.]* MiB of (64|32) MiB in memory/).first()).toBeVisible();

    // Where one id is: as the command says; the link to it can be passed on.
    await page.keyboard.press("/");
    await page.keyboard.type("s1/part-7");
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/find=s1%2Fpart-7/);
    const [owner] = JSON.parse(project.run("cluster", "locate", "s1/part-7", "--json")) as { name: string }[];
    await expect(page.getByTestId("where")).toContainText(`s1/part-7 is on ${owner?.name}`);
    await page.reload();
    await expect(page.getByTestId("where")).toContainText(`${owner?.name}`);
    await expect(page.getByTestId("shares").locator("tbody tr")).toHaveCount(NODES + 1);
    await page.getByText("The same as a table").click();
    await expect(page.getByRole("table").first()).toContainText("64");
    await look(page, "cluster");

    await cluster.killWorker("node2");
    await expect(worker(page, "node2")).toHaveAttribute("data-state", "silent");
    await expect(worker(page, "node2")).toContainText("does not answer");
    await look(page, "cluster-silent");
    // Consul has it off the list when its check is over; what it was is told for a while.
    await expect(worker(page, "node2")).toHaveAttribute("data-state", "gone", { timeout: 60_000 });
    await expect(page.getByRole("heading", { name: `${NODES} workers` })).toBeVisible();
    await expect(page.getByTestId("shares").locator("tbody tr")).toHaveCount(NODES);

    // Consul itself is away: the last list stays, and is said to be old.
    await cluster.stop();
    await expect(page.getByTestId("teller-away")).toContainText("Consul has not been in reach since");
    await expect(own).toHaveAttribute("data-state", "passing");
    await look(page, "cluster-away");
  } finally {
    await cluster.stop();
  }
});

test("without a word there is a worker of this machine, and the past says that it is of now", async ({ page, project }) => {
  await project.start();
  await page.goto(`${project.url}/#/cluster?at=HEAD`);
  await expect(page.getByTestId("cluster-teller")).toContainText("For this machine alone");
  await expect(page.getByTestId("cluster-now")).toBeVisible();
  await page.goto(`${project.url}/#/cluster`);
  await expect(page.getByTestId("cluster-now")).toHaveCount(0);
  await expect(page.locator("[data-testid^=worker-]")).toHaveCount(1);
  await expect(page.locator("[data-testid^=memory-]")).toHaveText("0 B of 256 MiB in memory");
  project.run("cache", "set", "greeting", "esker.toml");
  await expect(page.locator("[data-testid^=memory-]")).not.toHaveText("0 B of 256 MiB in memory");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("cluster");
  await expect(page.getByTestId("palette").getByRole("option").first()).toContainText("Cluster");
  await page.keyboard.press("Escape");
  await look(page, "cluster-alone");
});

test("no worker, and one that cannot begin, are said with what to do", async ({ page, project }) => {
  const definition = project.read("esker.toml");
  project.write("esker.toml", `${definition}\n[cluster]\nworker = false\n`);
  await project.start();
  await page.goto(`${project.url}/#/cluster`);
  await expect(page.getByTestId("cluster-empty")).toContainText("esker cluster dev -n 4");
  await look(page, "cluster-empty");
  await project.kill();
  project.write("esker.toml", `${definition}\n[cluster]\njoin = "static:nobody.toml"\n`);
  await project.start();
  await page.goto(`${project.url}/#/cluster`);
  await expect(page.getByTestId("cluster-fault")).toContainText("nobody.toml");
  await look(page, "cluster-fault");
  await page.goto(`${project.url}/#/`);
  await expect(page.getByTestId("standing"), "the rest goes on").toHaveAttribute("data-kind", "good");
});
