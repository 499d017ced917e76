// Stacked streams, CSV, TSV: reading, heading, sorting, filtering, changes.
import { describe, expect, it } from "vitest";
import { PLAN } from "./fixture";
import { parseStacked } from "./stacked";
import { compareCells, headed, isNumeric, parseCsv, tableChanges, tableRows, tablesOf } from "./table";

const only = (text: string): string[][] => tablesOf(text)[0]?.rows ?? [];

describe("parseStacked", () => {
  it("takes one tab off each line", () => {
    expect(parseStacked("=====a\n\tx\n\t\ty\n\t\n=====\n")).toEqual([
      { name: "a", lines: ["x", "\ty", ""] },
      { name: "", lines: [] },
    ]);
  });

  it("says which line is wrong", () => {
    expect(() => parseStacked("x\n")).toThrow("line 1: expected a stream header");
    expect(() => parseStacked("=====a\nx\n")).toThrow('line 2: content of stream "a" must begin with a tab');
  });
});

describe("tablesOf", () => {
  it("finds the innermost streams and numbers namesakes", () => {
    const found = tablesOf(PLAN).map((table) => table.name);
    expect(found).toContain("qplan track work v1 › qplan track item 3");
    expect(found).toContain("qplan track-skill staff v1 › qplan track item 1 › qplan skill item 2");
    expect(new Set(found).size).toBe(found.length);
  });

  it("reads quotes, line breaks in cells, CRLF, a byte order mark", () => {
    expect(only('\uFEFFa,b\r\n"x, ""y""\nz",2\r\n')).toEqual([["a", "b"], ['x, "y"\nz', "2"]]);
    expect(only("a;b,c;d\n1;2;3")).toEqual([["a", "b,c", "d"], ["1", "2", "3"]]);
    expect(only("a\tb\r\n1\t\"2\n")).toEqual([["a", "b"], ["1", '"2']]);
    expect(only("")).toEqual([]);
  });

  it("keeps what is odd: text behind a quote, an unclosed quote, empty last cells", () => {
    expect(parseCsv('"a"b,c\n', ",")).toEqual([["ab", "c"]]);
    expect(parseCsv('x,"open\nend', ",")).toEqual([["x", "open\nend"]]);
    expect(parseCsv("a,\n,\n1,", ",")).toEqual([["a", ""], ["", ""], ["1", ""]]);
  });
});

describe("headed", () => {
  const table = { name: "", rows: [["name", "weeks"], ["a", "2"], ["b", "10", "more"]] };

  it("takes a first line of words for the heading and names the rest", () => {
    const read = headed(table, null);
    expect([read.named, read.header, read.rows.length]).toEqual([true, ["name", "weeks", "column 3"], 2]);
    expect(headed({ name: "", rows: [["1", "2"], ["3", "4"]] }, null).named).toBe(false);
    expect(headed(table, false).rows).toHaveLength(3);
    expect(headed({ name: "", rows: [] }, null)).toEqual({ header: [], named: false, rows: [] });
  });

  it("knows columns of numbers", () => {
    expect([0, 1].map((column) => isNumeric(headed(table, null).rows, column))).toEqual([false, true]);
  });
});

describe("tableRows", () => {
  const { rows } = headed({ name: "", rows: [["10"], ["9"], [""], ["b"], ["A"]] }, false);
  const sortedCells = (down: boolean): string[] => tableRows(rows, "", { column: "0", down }).map((row) => row.cells[0] ?? "");

  it("sorts numbers as numbers, empty cells last in both directions", () => {
    expect(sortedCells(false)).toEqual(["9", "10", "A", "b", ""]);
    expect(sortedCells(true)).toEqual(["b", "A", "10", "9", ""]);
    expect(compareCells("Feb 1, 2026", "Jan 30, 2027")).toBeLessThan(0);
  });

  it("filters and leaves the order of the file alone", () => {
    expect(tableRows(rows, "B", null).map((row) => row.index)).toEqual([3]);
    expect(tableRows(rows, "", null)).toHaveLength(5);
  });
});

describe("tableChanges", () => {
  it("matches rows by their first cell when it is unique", () => {
    const before = headed({ name: "", rows: [["a", "1"], ["b", "2"]] }, false).rows;
    const after = headed({ name: "", rows: [["new", "0"], ["a", "1"], ["b", "3"]] }, false).rows;
    expect([...tableChanges(before, after)]).toEqual([["0\n0", ""], ["0\n1", ""], ["2\n1", "2"]]);
  });
});
