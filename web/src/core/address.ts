// Addresses of places in contents, as docs/whatif-format.md says them: `raw/plan:Work[Id=CHK-1].Estimate`.

export interface Selector {
  /** null for a column of the key. */
  column: string | null;
  value: string;
}

export type Step = { kind: "name"; name: string } | { kind: "column"; number: number } | { kind: "row"; number: number } | { kind: "keys"; keys: Selector[] };

export interface Address {
  resource: string;
  steps: Step[];
}

/** Reads an address; null if it is none. */
export function readAddress(text: string): Address | null {
  const colon = text.indexOf(":");
  if (colon <= 0) return null;
  const place = text.slice(colon + 1);
  const steps = place.startsWith("/") ? pointer(place) : new Reader(place).steps();
  return steps && { resource: text.slice(0, colon), steps };
}

export function writeAddress({ resource, steps }: Address): string {
  const place = steps.map((step, index) => {
    if (step.kind === "keys" || step.kind === "row") return `[${writeRow(step)}]`;
    const dot = index === 0 ? "" : ".";
    return dot + (step.kind === "column" ? `#${step.number}` : word(step.name, ".[]=,:\""));
  });
  return `${resource}:${place.join("")}`;
}

/** What stands between the brackets. */
export function writeRow(row: Step): string {
  if (row.kind === "row") return `#${row.number}`;
  if (row.kind !== "keys") return "";
  const one = ({ column, value }: Selector): string => (column === null ? "" : `${word(column, INSIDE)}=`) + word(value, INSIDE);
  return row.keys.map(one).join(",");
}

/** Reads what stands between brackets, or after `after` and `before`. */
export function readRow(text: string): Step | null {
  const steps = new Reader(`[${text}]`).steps();
  return steps?.length === 1 ? (steps[0] ?? null) : null;
}

/** An address as people say it: the stream and row, then the column. */
export function sayAddress(text: string): { resource: string; where: string } {
  const address = readAddress(text);
  if (!address) return { resource: "", where: text };
  const said = address.steps.map((step) => {
    if (step.kind === "name") return step.name;
    if (step.kind === "column") return `column ${step.number}`;
    if (step.kind === "row") return `row ${step.number}`;
    return step.keys.map((key) => key.value).join(", ");
  });
  return { resource: address.resource, where: said.join(" › ") || "all of it" };
}

const INSIDE = "[]=,\"";

function word(text: string, special: string): string {
  const plain = text !== "" && text.trim() === text && !/^#|#$|^\//.test(text) && ![...text].some((letter) => special.includes(letter) || letter < " " || letter === "\\");
  return plain ? text : `"${[...text].map(escaped).join("")}"`;
}

function escaped(letter: string): string {
  const known: Record<string, string> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  return known[letter] ?? (letter < " " ? `\\u{${letter.charCodeAt(0).toString(16)}}` : letter);
}

function pointer(place: string): Step[] {
  return place.slice(1).split("/").map((part) => ({ kind: "name", name: part.replaceAll("~1", "/").replaceAll("~0", "~") }));
}

class Reader {
  #at = 0;

  constructor(readonly text: string) {}

  steps(): Step[] | null {
    const steps: Step[] = [];
    while (this.#at < this.text.length) {
      const first = steps.length === 0;
      const step = this.#take("[") ? this.#row() : this.#take(".") || first ? this.#name() : null;
      if (step === null) return null;
      steps.push(step);
    }
    return steps;
  }

  #take(wanted: string): boolean {
    const found = this.text[this.#at] === wanted;
    if (found) this.#at += 1;
    return found;
  }

  #name(): Step | null {
    if (this.#take("#")) {
      const number = this.#number();
      return number === null ? null : { kind: "column", number };
    }
    const name = this.#word(".[]=,:\"");
    return name === null ? null : { kind: "name", name };
  }

  #row(): Step | null {
    if (this.#take("#")) {
      const number = this.#number();
      return number !== null && this.#take("]") ? { kind: "row", number } : null;
    }
    const keys: Selector[] = [];
    for (;;) {
      const one = this.#word(INSIDE);
      if (one === null) return null;
      const value = this.#take("=") ? this.#word(INSIDE) : null;
      keys.push(value === null ? { column: null, value: one } : { column: one, value });
      if (this.#take("]")) return { kind: "keys", keys };
      if (!this.#take(",")) return null;
    }
  }

  #number(): number | null {
    const digits = /^\d+/.exec(this.text.slice(this.#at))?.[0] ?? "";
    this.#at += digits.length;
    return Number(digits) > 0 ? Number(digits) : null;
  }

  #word(special: string): string | null {
    if (this.#take('"')) return this.#quoted();
    const from = this.#at;
    while (this.#at < this.text.length && !special.includes(this.text[this.#at] ?? "")) this.#at += 1;
    return this.#at === from ? null : this.text.slice(from, this.#at);
  }

  #quoted(): string | null {
    let out = "";
    while (this.#at < this.text.length) {
      const letter = this.text[this.#at++];
      if (letter === '"') return out;
      if (letter !== "\\") {
        out += letter;
        continue;
      }
      const next = this.text[this.#at++] ?? "";
      const code = next === "u" ? /^\{([0-9a-fA-F]{1,6})\}/.exec(this.text.slice(this.#at)) : null;
      if (code) this.#at += code[0].length;
      out += code ? String.fromCodePoint(parseInt(code[1] ?? "0", 16)) : (({ n: "\n", r: "\r", t: "\t" } as Record<string, string>)[next] ?? next);
    }
    return null;
  }
}
