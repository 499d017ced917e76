// Turns bytes into lines that can be shown: text, pretty JSON, a hex dump of what is neither; and reads unified diffs.

export type Shape = "stacked" | "json" | "table" | "text" | "binary";

const HEX_BYTES = 1024;
const SAMPLE = 20;

/** The text of the bytes, or null when they are not UTF-8 text. */
export function decodeText(bytes: Uint8Array): string | null {
  if (bytes.subarray(0, 8192).includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** How a text is best shown, by its content type and by how it begins. */
export function shapeOf(text: string | null, contentType: string | null): Shape {
  if (text === null) return "binary";
  if (text.startsWith("=====")) return "stacked";
  if (contentType?.includes("json") || /^\s*[[{]/.test(text)) return prettyJson(text) === null ? "text" : "json";
  if (contentType?.includes("csv") || contentType?.includes("tab-separated")) return "table";
  return evenlyCut(text, "\t") || evenlyCut(text, ",") ? "table" : "text";
}

function evenlyCut(text: string, mark: string): boolean {
  const lines = text.split("\n", SAMPLE).filter((line) => line !== "");
  const cells = lines.map((line) => line.split(mark).length);
  const first = cells[0] ?? 0;
  return lines.length > 1 && first > 1 && cells.every((count) => count === first);
}

/** JSON with line breaks. Numbers and texts stay letter by letter, so nothing is rounded. Null when it is not JSON. */
export function prettyJson(text: string): string | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s"[\]{}:,]+/g) ?? [];
  let out = "";
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    const before = tokens[index - 1];
    const empty = (before === "{" || before === "[") && (token === "}" || token === "]");
    if (token === "}" || token === "]") depth -= 1;
    if (!empty && (token === "}" || token === "]" || before === "{" || before === "[" || before === ",")) out += `\n${"  ".repeat(depth)}`;
    out += token === ":" ? ": " : token;
    if (token === "{" || token === "[") depth += 1;
  }
  return out;
}

/** The first bytes as `offset  hex  characters`. */
export function hexLines(bytes: Uint8Array): string[] {
  const shown = bytes.subarray(0, HEX_BYTES);
  return Array.from({ length: Math.ceil(shown.length / 16) }, (_, row) => {
    const part = [...shown.subarray(row * 16, row * 16 + 16)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const plain = part.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("");
    return `${(row * 16).toString(16).padStart(6, "0")}  ${hex.padEnd(47)}  ${plain}`;
  });
}

export interface DiffLine {
  kind: "same" | "added" | "removed" | "place" | "file";
  text: string;
  /** Line numbers before and after; null where there is no such line. */
  before: number | null;
  after: number | null;
}

/** The lines of a unified diff, numbered. */
export function readDiff(text: string): DiffLine[] {
  let before = 0;
  let after = 0;
  let inside = false;
  const lines = text.split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  return lines.map((line): DiffLine => {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line);
    if (hunk) {
      before = Number(hunk[1]);
      after = Number(hunk[2]);
      inside = true;
      return { kind: "place", text: line, before: null, after: null };
    }
    const kind = inside ? kindOf(line) : "file";
    if (kind === "file") inside = inside && line.startsWith("\\");
    const shown = kind === "file" ? line : line.slice(1);
    return {
      kind,
      text: shown,
      before: kind === "same" || kind === "removed" ? before++ : null,
      after: kind === "same" || kind === "added" ? after++ : null,
    };
  });
}

function kindOf(line: string): DiffLine["kind"] {
  if (line.startsWith("+")) return "added";
  if (line.startsWith("-")) return "removed";
  return line === "" || line.startsWith(" ") ? "same" : "file";
}

export function diffCounts(lines: readonly DiffLine[]): { added: number; removed: number } {
  return {
    added: lines.filter((line) => line.kind === "added").length,
    removed: lines.filter((line) => line.kind === "removed").length,
  };
}
