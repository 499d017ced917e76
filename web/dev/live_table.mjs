// A table of many rows that changes many times a second, for what is measured of the page.
import { spawn } from "node:child_process";
import { createServer } from "node:net";

export function freePort() {
  return new Promise((found) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });
}

export const rest = (ms) => new Promise((done) => setTimeout(done, Math.max(0, ms)));

/** Waits until something holds, for a minute at most. */
export async function until(what, holds) {
  for (const end = performance.now() + 60_000; performance.now() < end; await rest(50)) {
    if (await holds()) return;
  }
  throw new Error(`waited in vain for ${what}`);
}

export const answers = (url) => fetch(url).then((answer) => answer.ok, () => false);

/** A table of so many rows; each version changes so many other cells, which say of which version they are. */
export class LiveTable {
  version = -1;
  #turn = 0;
  #cells;
  #rows;

  constructor(rows, cells) {
    this.#cells = cells;
    this.#rows = Array.from({ length: rows }, (_, row) => [`k${row}`, ...Array.from({ length: 5 }, () => "0")]);
  }

  /** The next version. */
  next() {
    const rows = this.#rows;
    this.version += 1;
    for (let cell = 0; cell < this.#cells; cell += 1, this.#turn += 1) rows[Math.floor(this.#turn / 5) % rows.length][1 + (this.#turn % 5)] = String(this.version);
    rows[0][1] = String(this.version);
    return `id,a,b,c,d,e\n${rows.map((row) => row.join(",")).join("\n")}\n`;
  }
}

/** Runs a program that takes what is given as its input. */
export function feed(program, args, { cwd, input }) {
  return new Promise((done, failed) => {
    const child = spawn(program, args, { cwd, stdio: ["pipe", "ignore", "inherit"] });
    child.on("exit", (code) => (code === 0 ? done() : failed(new Error(`esker ${args[0]} ended with ${code}`))));
    child.stdin.end(input);
  });
}

/** Puts so many versions a second until it is told to stop, or for so long; how many it were. */
export async function change(put, table, { versions, goesOn }) {
  let count = 0;
  for (let due = performance.now(); goesOn(); count += 1) {
    await put(table.next());
    due = Math.max(due + 1000 / versions, performance.now() - 1000);
    await rest(due - performance.now());
  }
  return count;
}
