// What the palette offers, and which of it fits what was typed.

export interface Entry {
  /** What it is: `view`, `resource`, `stage` … */
  kind: string;
  name: string;
  /** More to be found by. */
  more: string;
}

/** Those that hold every word, those whose name begins with the first one before others; at most so many. */
export function fitting<T extends Entry>(entries: readonly T[], typed: string, most: number): T[] {
  const words = typed.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const [first = ""] = words;
  const found: { entry: T; rank: number }[] = [];
  for (const entry of entries) {
    const name = entry.name.toLowerCase();
    const text = `${entry.kind} ${name} ${entry.more.toLowerCase()}`;
    if (!words.every((word) => text.includes(word))) continue;
    const begins = name.startsWith(first) ? 0 : name.split(/[^\p{L}\p{N}]+/u).some((part) => part.startsWith(first)) ? 1 : name.includes(first) ? 2 : 3;
    found.push({ entry, rank: begins });
  }
  return found
    .sort((a, b) => a.rank - b.rank)
    .slice(0, most)
    .map(({ entry }) => entry);
}
