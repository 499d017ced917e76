// Numbers, sizes, revisions and times as people read them. Pure: the time is always passed in.

/** Man-weeks and the like: at most two decimals, no trailing zeros, a true minus sign. */
export function number(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value < 0 ? "−∞" : "∞";
  const size = Math.abs(value);
  if (size >= 1e7) return value.toExponential(2).replace("-", "−").replace("e+", "e");
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : 2;
  if (size > 0 && size < 0.005) return value < 0 ? "−<0.01" : "<0.01";
  const text = Number(size.toFixed(digits)).toLocaleString("en", { maximumFractionDigits: digits });
  return value < 0 && text !== "0" ? `−${text}` : text;
}

const SHORT_DIGITS = 10;

export function shortRevision(revision: string): string {
  return revision.slice(0, SHORT_DIGITS);
}

export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${number(Math.round(bytes / 102.4) / 10)} KiB`;
  if (bytes < 1024 ** 3) return `${number(Math.round(bytes / 104_857.6) / 10)} MiB`;
  if (bytes < 1024 ** 4) return `${number(Math.round((bytes / 1024 ** 3) * 100) / 100)} GiB`;
  return `${number(Math.round((bytes / 1024 ** 4) * 100) / 100)} TiB`;
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${number(Math.round(ms / 100) / 10)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** A text of at most so many characters, cut where it is longer. */
export function brief(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** The name in `Name <mail address>`. */
export function person(author: string): string {
  return author.replace(/\s*<[^<>]*>\s*$/, "") || author || "unknown";
}

/** How long ago, in words that do not tick every second. */
export function age(then: number, now: number): string {
  const seconds = (now - then) / 1000;
  if (seconds < 10) return "just now";
  if (seconds < 60) return "under a minute ago";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} days ago`;
}

/** HH:MM:SS of the reader's own clock. */
export function clock(time: number): string {
  const date = new Date(time);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
}

/** YYYY-MM-DD HH:MM:SS of the reader's own clock. */
export function stamp(time: number): string {
  if (Number.isNaN(time)) return "unknown time";
  const date = new Date(time);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(time)}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** Round axis marks from 0 up to at least `most`, about `wanted` of them. */
export function axisTicks(most: number, wanted: number): number[] {
  if (!(most > 0) || !Number.isFinite(most)) return [0, 1];
  const rough = most / Math.max(wanted, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const last = Math.ceil(most / step - 1e-9);
  return Array.from({ length: last + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}
