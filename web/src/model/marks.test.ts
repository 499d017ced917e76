// Marks: only between two revisions of one subject, and not for long.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MARK_MS, Marks } from "./marks.svelte";

describe("Marks", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const marks = (): Marks<string, string> => new Marks((before, after) => `${before} to ${after}`);

  it("compares two revisions of the same subject", () => {
    const shown = marks();
    expect(shown.show("s", "1", "a")).toBeNull();
    expect(shown.show("s", "1", "a")).toBeNull();
    expect(shown.show("s", "2", "b")).toBe("a to b");
    expect(shown.changes).toBe("a to b");
  });

  it("says nothing of another subject's revision", () => {
    const shown = marks();
    shown.show("s", "1", "a");
    expect(shown.show("other", "2", "b")).toBeNull();
    expect(shown.changes).toBeNull();
  });

  it("forgets after a while, counted from the last change", () => {
    const shown = marks();
    shown.show("s", "1", "a");
    shown.show("s", "2", "b");
    vi.advanceTimersByTime(MARK_MS - 1);
    shown.show("s", "3", "c");
    vi.advanceTimersByTime(MARK_MS - 1);
    expect(shown.changes).toBe("b to c");
    vi.advanceTimersByTime(1);
    expect(shown.changes).toBeNull();
  });
});
