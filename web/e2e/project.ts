// A copy of the example in a folder of its own, and the esker that runs it.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const repository = resolve(import.meta.dirname, "../..");
/** The program that is tested. */
export const program = process.env["ESKER_BIN"] ?? join(repository, "target/debug/esker");
const patienceMs = 60_000;

/** A running copy of examples/qplan. */
export class Project {
  readonly dir = mkdtempSync(join(tmpdir(), "esker-e2e-"));
  #esker: ChildProcess | undefined;
  #web = "";
  /** Moves the ports; not those that the definition settles. */
  #ports = ["--port-base", "0"];

  constructor() {
    cpSync(join(repository, "examples/qplan"), this.dir, {
      recursive: true,
      filter: (path) => !path.includes(".esker"),
    });
  }

  /** Where the page is; the same after a restart. */
  get url(): string {
    return `http://${this.#web}`;
  }

  async start(): Promise<void> {
    this.#web ||= `127.0.0.1:${await freePort()}`;
    const args = ["up", ...this.#ports, "--bind", this.#web];
    this.#esker = spawn(program, args, { cwd: this.dir, stdio: "ignore" });
    await waitFor("the page", async () => (await fetch(`${this.url}/healthz`)).ok);
  }

  /** Has its hub be where it is found again after a restart; where that is, as another definition says it. */
  async settle(): Promise<string> {
    const [hub, events, model, modelEvents] = (await freePorts(4)).map((port) => `"tcp://127.0.0.1:${port}"`);
    this.#ports = [];
    this.write("esker.toml", `${this.read("esker.toml")}\n[hub]\nrequests = ${hub}\nevents = ${events}\n[model]\nrequests = ${model}\nevents = ${modelEvents}\n`);
    return `address = ${hub}\nevents = ${events}\nmodel = ${model}\nmodel_events = ${modelEvents}\n`;
  }

  /** Ends it as power loss would. */
  async kill(): Promise<void> {
    const esker = this.#esker;
    if (!esker || esker.exitCode !== null || esker.signalCode !== null) return;
    const gone = new Promise((done) => esker.once("exit", done));
    esker.kill("SIGKILL");
    await gone;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Changes a cell of the spreadsheet, as a person would. */
  edit(sheet: string, cell: string, value: string): void {
    const script = join(repository, "crates/esker/tests/python/edit_cell.py");
    execFileSync("python3", [script, "plan.xlsx", sheet, cell, value], { cwd: this.dir });
  }

  /** Stores a new version of a resource. */
  put(resource: string, content: string): void {
    execFileSync(program, ["put", resource], { cwd: this.dir, input: content });
  }

  /** Removes all that was stored. */
  clear(): void {
    rmSync(join(this.dir, ".esker"), { recursive: true, force: true });
  }

  /** Runs a command of esker; what it prints. */
  run(...args: string[]): string {
    return execFileSync(program, args, { cwd: this.dir, encoding: "utf8" });
  }

  /** Runs a command of esker that may fail; what it prints all the same. */
  tried(...args: string[]): string {
    return spawnSync(program, args, { cwd: this.dir, encoding: "utf8" }).stdout;
  }

  /** A file of the project. */
  read(name: string): string {
    return readFileSync(join(this.dir, name), "utf8");
  }

  /** Writes a file of the project. */
  write(name: string, content: string): void {
    writeFileSync(join(this.dir, name), content);
  }
}

/** Waits until something holds. */
export async function waitFor(what: string, holds: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + patienceMs;
  while (Date.now() < until) {
    if (await holds().catch(() => false)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`waited in vain for ${what}`);
}

/** So many ports that nobody listens on. */
async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

/** A port that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const server = createServer();
    server.once("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      server.close(() => found(port));
    });
  });
}
