// Reads stacked streams: `=====NAME` headers, content lines behind one tab each; content may itself be stacked.
// Knows nothing of plans, views or the network.

export interface Stream {
  name: string;
  lines: string[];
}

const MARK = "=====";

/** A text that is not what it claims to be; `line` counts from 1. */
export class FormatError extends Error {
  constructor(
    message: string,
    readonly line: number | null = null,
  ) {
    super(line === null ? message : `line ${line}: ${message}`);
  }
}

/** True when the first line is a stream header. */
export function isStacked(lines: readonly string[]): boolean {
  return lines.length > 0 && (lines[0] ?? "").startsWith(MARK);
}

/** The lines of a text; one final newline is optional. */
export function linesOf(text: string): string[] {
  if (text === "") return [];
  const lines = text.split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  return lines;
}

/** The streams of a stacked text, in their order. */
export function parseStacked(text: string): Stream[] {
  return splitStreams(linesOf(text));
}

/** As `parseStacked`, for lines whose tab was already taken off. */
export function splitStreams(lines: readonly string[]): Stream[] {
  const streams: Stream[] = [];
  let current: Stream | null = null;
  for (const [index, line] of lines.entries()) {
    if (line.startsWith(MARK)) {
      current = { name: line.slice(MARK.length), lines: [] };
      streams.push(current);
    } else if (current === null) {
      throw new FormatError(`expected a stream header "${MARK}NAME", found ${quote(line)}`, index + 1);
    } else if (line.startsWith("\t")) {
      current.lines.push(line.slice(1));
    } else {
      throw new FormatError(`content of stream "${current.name}" must begin with a tab, found ${quote(line)}`, index + 1);
    }
  }
  return streams;
}

function quote(line: string): string {
  return JSON.stringify(line.length > 40 ? `${line.slice(0, 40)}…` : line);
}
