// Differences from JSON lines: rows with their cells together, columns worth showing, trees of JSON.
import { describe, expect, it } from "vitest";
import { columnsOf, readChanges, summaryOf, treeOf } from "./difference";

const lines = (...all: object[]): string => all.map((one) => `${JSON.stringify(one)}\n`).join("");

describe("readChanges", () => {
  it("puts the cells of a row together, table by table", () => {
    const changes = readChanges(
      lines(
        { op: "table", stream: "Work", key: ["Id"], columns: ["Id", "Name", "Rank", "Team"] },
        { op: "cell", stream: "Work", key: { Id: "7" }, row: 3, column: "Rank", old: "1", new: "2" },
        { op: "cell", stream: "Work", key: { Id: "7" }, row: 3, column: "Name", old: "a", new: "b" },
        { op: "table", stream: "Staff", key: ["Id"], columns: ["Id"] },
        { op: "later", stream: "Work" },
      ),
    );
    expect(changes.tables.map((table) => table.stream)).toEqual(["Work"]);
    const [work] = changes.tables;
    if (!work) throw new Error("no table");
    expect(work.rows).toMatchObject([{ kind: "changed", name: "7", changes: [{ column: "Rank", old: "1", new: "2" }, { column: "Name" }] }]);
    expect(columnsOf(work)).toEqual(["Id", "Name", "Rank"]);
    expect(summaryOf(changes)).toBe("2 cells changed");
  });

  it("tells rows that came, went and moved, with or without keys", () => {
    const changes = readChanges(
      lines(
        { op: "table", columns: ["a", "b"] },
        { op: "row-add", row: 2, cells: { a: "1", b: "2" } },
        { op: "row-remove", row: 2, cells: { a: "3", b: "4" } },
        { op: "row-move", from: 5, to: 1 },
        { op: "cell", row: 9, column: "b", old: null, new: "x" },
        { op: "column-add", column: "b", at: 2 },
        { op: "cut", changes: 5 },
      ),
    );
    const [table] = changes.tables;
    expect(table?.rows.map((row) => [row.kind, row.name])).toEqual([["added", "row 2"], ["removed", "row 2"], ["moved", "row 1"], ["changed", "row 9"]]);
    expect(table?.rows[3]?.changes).toEqual([{ column: "b", old: null, new: "x" }]);
    expect(table && columnsOf(table)).toEqual(["a", "b"]);
    expect(summaryOf(changes)).toBe("1 cell changed, 1 row added, 1 row removed, 1 row moved, 1 change of columns or streams; more than the 5 changes that are told");
  });

  it("makes a tree of JSON paths", () => {
    const { json } = readChanges(lines({ op: "replace", path: "/a/b~1c", old: 1, new: 2 }, { op: "add", path: "/a/id=7", at: 0, new: { x: 1 } }, { op: "replace", path: "", old: 1, new: 2 }));
    const tree = treeOf(json);
    expect(tree.changes).toHaveLength(1);
    expect(tree.below).toMatchObject([{ name: "a", below: [{ name: "b/c", changes: [{ op: "replace", old: 1 }] }, { name: "id=7" }] }]);
  });

  it("says which line cannot be read", () => {
    expect(() => readChanges("{}\n{")).toThrow("line 2 of the difference is no JSON");
    expect(readChanges("")).toEqual({ tables: [], json: [], cut: null });
    expect(summaryOf(readChanges(""))).toBe("nothing changed");
  });
});
