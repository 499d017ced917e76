// A model served to browsers by `esker model serve`, who changes it, and a page that follows it.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { freePort, program } from "./project.ts";

/** What a project's own page does: it shows where its copy of the model is. */
const script = `import("/esker.js").then(({ default: esker }) => {
  const model = esker.model("suite");
  const show = () => {
    const { state, online, epoch, seq, digest } = model;
    Object.assign(document.body.dataset, { state, online, epoch, seq, digest });
  };
  model.on("change", show);
  model.on("state", show);
  show();
  Object.assign(window, { model });
})`;

export class ModelServer {
  #ports: number[] = [];
  #serving: ChildProcess | undefined;
  readonly #drivers = new Set<ChildProcess>();

  get url(): string {
    return `http://127.0.0.1:${this.#ports[0]}`;
  }

  get #requests(): string {
    return `tcp://127.0.0.1:${this.#ports[1]}`;
  }

  async start(): Promise<void> {
    if (this.#ports.length === 0) this.#ports = [await freePort(), await freePort(), await freePort()];
    const [web, , events] = this.#ports;
    const args = ["model", "serve", "suite", "--web", `127.0.0.1:${web}`, "--requests", this.#requests, "--events", `tcp://127.0.0.1:${events}`];
    this.#serving = spawn(program, args, { stdio: "ignore" });
    const until = Date.now() + 30_000;
    while (!(await fetch(`${this.url}/esker.js`).then((answer) => answer.ok, () => false))) {
      if (Date.now() > until) throw new Error("the model is not served");
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#serving?.kill(signal);
  }

  /** Ends it as power loss would. */
  async kill(): Promise<void> {
    const serving = this.#serving;
    if (!serving || serving.exitCode !== null || serving.signalCode !== null) return;
    const gone = new Promise((done) => serving.once("exit", done));
    serving.kill("SIGKILL");
    await gone;
  }

  async remove(): Promise<void> {
    for (const driver of this.#drivers) driver.kill("SIGKILL");
    await this.kill();
  }

  /** Makes so many random changes; what it says at the end, or why it ended early. */
  drive(count: number, seed: number): Promise<string> {
    const script = join(import.meta.dirname, "drive_model.py");
    const driver = spawn("python3", [script, this.#requests, "suite", String(count), String(seed)]);
    this.#drivers.add(driver);
    let said = "";
    driver.stdout.on("data", (data) => (said += data));
    driver.stderr.on("data", (data) => (said += data));
    return new Promise((done) => driver.once("exit", () => {
      this.#drivers.delete(driver);
      done(said.trim());
    }));
  }

  /** Where the publisher is. */
  hello(): { epoch: string; seq: number; digest: string; nodes: number } {
    const args = ["model", "get", "--at", this.#requests, "--model", "suite", "--digest"];
    return JSON.parse(execFileSync(program, args, { encoding: "utf8" }));
  }

  /** Makes a page of the server's own one that follows the model. What the server did not send itself may not connect to it. */
  async open(page: Page): Promise<void> {
    await page.goto(`${this.url}/esker.d.ts`);
    await page.evaluate(script);
  }
}
