// Addresses, sheets, and lists of edits that are laid on them.
import { describe, expect, it } from "vitest";
import { readAddress, sayAddress, writeAddress } from "./address";
import { lay, merged, ordered, withCell, withMove, withoutRow, withRank, withRow, withText, type LaidRow } from "./edits";
import { cellAddress, jsonLeaves, rowStep, sheetsOf, tomlLeaves, type Sheet } from "./sheet";
import { editLine, type Edit } from "./whatif";

const WORK = `=====Work
	Id	Rank	Name	Estimate
	A-1	1	One	Web:2
	A-2	2	Two	Web:3
	A-3	3	Three
=====Notes
	plain text
`;

function work(): Sheet {
  const [sheet] = sheetsOf("raw/plan", WORK);
  if (!sheet) throw new Error("no sheet");
  return sheet;
}

function row(sheet: Sheet, edits: readonly Edit[], key: string): LaidRow {
  const found = lay(sheet, edits).rows.find((one) => one.cells[0] === key);
  if (!found) throw new Error(`no row ${key}`);
  return found;
}

describe("addresses", () => {
  it("are read and written alike", () => {
    for (const text of ["raw/plan:Work[CHK-1].Team", 'raw/people:[Name=Ann,City="Ulm, old"].Age', "raw/people:[#3].#2", 'r:"a.b"[Id="x]"].C', "r:Work"]) {
      const address = readAddress(text);
      expect(address && writeAddress(address)).toBe(text);
    }
    expect(readAddress("params/plan:/limits/a~1b")?.steps).toEqual([{ kind: "name", name: "limits" }, { kind: "name", name: "a/b" }]);
    expect(readAddress("no address")).toBeNull();
    expect(readAddress("r:Work[")).toBeNull();
  });

  it("quote what would be read otherwise", () => {
    const sheet: Sheet = { ...work(), path: ["a.b"], columns: ["Id, no", 'say "x"'], rows: [["#1", ""]] };
    const at = cellAddress(sheet, rowStep(sheet, ["#1", ""], 1), 1);
    expect(at).toBe('raw/plan:"a.b"["Id, no"="#1"]."say \\"x\\""');
    expect(readAddress(at)?.steps.at(-1)).toEqual({ kind: "name", name: 'say "x"' });
  });

  it("are said in words", () => {
    expect(sayAddress("raw/plan:Work[Id=CHK-1].Team")).toEqual({ resource: "raw/plan", where: "Work › CHK-1 › Team" });
  });
});

describe("sheets", () => {
  it("have columns, a key and ranks by the server's rules", () => {
    const [sheet, notes] = sheetsOf("raw/plan", WORK);
    expect(sheet).toMatchObject({ path: ["Work"], key: 0, rank: 1, columns: ["Id", "Rank", "Name", "Estimate"] });
    expect(notes).toMatchObject({ columns: ["column 1"], rows: [["plain text"]], rank: null });
    expect(sheetsOf("r", "a,b\nx,1\n\nx,2\n")[0]).toMatchObject({ key: 1, rows: [["x", "1"], ["x", "2"]] });
    expect(sheetsOf("r", "a,b\nx,1\nx,1\n")[0]?.key).toBeNull();
  });

  it("number namesakes from the second on", () => {
    const nested = "=====o\n\t=====i\n\t\ta\tb\n\t=====i\n\t\tc\td\n";
    expect(sheetsOf("r", nested).map((sheet) => sheet.path)).toEqual([["o", "i"], ["o", "i 2"]]);
  });

  it("take JSON and TOML apart to single values, letter by letter", () => {
    expect(jsonLeaves("p", '{"a":{"b/c":1.50,"d":[true,"x\\"y"]},"e":{}}')?.map((leaf) => [leaf.at, leaf.text])).toEqual([
      ["p:/a/b~1c", "1.50"],
      ["p:/a/d/0", "true"],
      ["p:/a/d/1", 'x"y'],
    ]);
    expect(jsonLeaves("p", "no")).toBeNull();
    expect(tomlLeaves("p", 'days = 3 # a\n[limits.soft]\nname = "x # y"\nlist = [1]\n[[many]]\na = 1\n').map((leaf) => [leaf.at, leaf.text])).toEqual([
      ["p:/days", "3"],
      ["p:/limits/soft/name", "x # y"],
    ]);
  });
});

describe("edits", () => {
  it("set a cell, and are gone when it is set back", () => {
    const sheet = work();
    const once = withCell(sheet, [], row(sheet, [], "A-1"), 3, "Web:1");
    expect(once).toEqual([{ at: "raw/plan:Work[Id=A-1].Estimate", deed: { kind: "set", text: "Web:1" }, found: "Web:2" }]);
    expect(row(sheet, once, "A-1").was.get(3)).toBe("Web:2");
    expect(editLine(once[0] as Edit)).toBe("Work › A-1 › Estimate: Web:2 → Web:1");
    expect(withCell(sheet, once, row(sheet, once, "A-1"), 3, "Web:2")).toEqual([]);
    const short = withCell(sheet, [], row(sheet, [], "A-3"), 3, "QA:1");
    expect(row(sheet, short, "A-3").cells[3]).toBe("QA:1");
  });

  it("add a row with a fresh key and the last rank, and fill it", () => {
    const sheet = work();
    let edits = withRow(sheet, [], lay(sheet, []).rows, row(sheet, [], "A-1"));
    edits = withCell(sheet, edits, row(sheet, edits, "NEW-1"), 2, "New");
    expect(edits).toEqual([{ at: "raw/plan:Work", deed: { kind: "add", cells: { Id: "NEW-1", Rank: "4", Name: "New" }, to: "after Id=A-1" }, found: null }]);
    expect(lay(sheet, edits).rows.map((one) => one.cells[0])).toEqual(["A-1", "NEW-1", "A-2", "A-3"]);
    expect(withoutRow(sheet, edits, row(sheet, edits, "NEW-1"))).toEqual([]);
  });

  it("tell new rows apart that are alike", () => {
    const [sheet] = sheetsOf("r", "a,b\nx,1\nx,1\n");
    if (!sheet) throw new Error("no sheet");
    let edits = withRow(sheet, withRow(sheet, [], lay(sheet, []).rows, null), lay(sheet, []).rows, null);
    const [first] = lay(sheet, edits).rows.filter((one) => one.added);
    edits = withCell(sheet, edits, first as LaidRow, 0, "new");
    expect(edits.map((edit) => edit.deed)).toEqual([
      { kind: "add", cells: { a: "new" }, to: "last" },
      { kind: "add", cells: {}, to: "last" },
    ]);
  });

  it("remove a row, and with it what else was to become of it", () => {
    const sheet = work();
    const edits = withoutRow(sheet, withCell(sheet, [], row(sheet, [], "A-2"), 2, "x"), row(sheet, [], "A-2"));
    expect(edits.map((edit) => [edit.at, edit.deed.kind])).toEqual([["raw/plan:Work[Id=A-2]", "remove"]]);
    expect(row(sheet, edits, "A-2").removed).toBe(true);
  });

  it("rank a row as the server does; a rank given twice is given once", () => {
    const sheet = work();
    let edits = withRank(sheet, [], row(sheet, [], "A-3"), 2);
    edits = withRank(sheet, edits, row(sheet, edits, "A-3"), 1);
    expect(edits).toEqual([{ at: "raw/plan:Work[Id=A-3].Rank", deed: { kind: "rank", rank: 1 }, found: 3 }]);
    expect(lay(sheet, edits).rows.map((one) => one.cells.slice(0, 2))).toEqual([["A-1", "2"], ["A-2", "3"], ["A-3", "1"]]);
    expect(withRank(sheet, edits, row(sheet, edits, "A-3"), 3)).toEqual([]);
  });

  it("move a row", () => {
    const sheet = work();
    const edits = withMove(sheet, [], row(sheet, [], "A-3"), "before Id=A-1");
    expect(lay(sheet, edits).rows.map((one) => one.cells[0])).toEqual(["A-3", "A-1", "A-2"]);
  });

  it("are sent with the changes of names last, and still found by the older name", () => {
    const sheet = work();
    let edits = withCell(sheet, [], row(sheet, [], "A-1"), 0, "B-1");
    edits = withCell(sheet, edits, row(sheet, edits, "B-1"), 2, "Other");
    expect(ordered(edits).map((edit) => edit.at)).toEqual(["raw/plan:Work[Id=A-1].Name", "raw/plan:Work[Id=A-1].Id"]);
    expect(row(sheet, edits, "B-1").cells[2]).toBe("Other");
  });

  it("tell what does not fit a newer content", () => {
    const sheet = work();
    const lost: Edit = { at: "raw/plan:Work[Id=GONE].Name", deed: { kind: "set", text: "x" } };
    expect(lay(sheet, [lost]).missed).toEqual([lost]);
  });
});

describe("merging unsaved edits", () => {
  const saved: Edit[] = [
    { at: "raw/plan:Work[A-1].Estimate", deed: { kind: "set", text: "Web:1" }, found: "Web:2" },
    { at: "raw/plan:Work", deed: { kind: "add", cells: { Id: "N", Name: "n" }, to: "last" }, found: null },
    { at: "raw/plan:Work[Id=A-3].Rank", deed: { kind: "rank", rank: 2 }, found: 3 },
  ];

  it("replaces what is changed once more, however its row is named", () => {
    const all = merged(saved, [{ at: "raw/plan:Work[Id=A-1].Estimate", deed: { kind: "set", text: "Web:9" }, found: "Web:1" }]);
    expect(all[0]).toEqual({ at: "raw/plan:Work[A-1].Estimate", deed: { kind: "set", text: "Web:9" }, found: "Web:2" });
    expect(all).toHaveLength(3);
  });

  it("drops what is set back, and changes added rows where they are added", () => {
    expect(merged(saved, withText([], "raw/plan:Work[Id=A-1].Estimate", "Web:2", "Web:1"))).toEqual(saved.slice(1));
    const named = merged(saved, withText([], "raw/plan:Work[Id=N].Name", "better", "n"));
    expect(named[1]?.deed).toEqual({ kind: "add", cells: { Id: "N", Name: "better" }, to: "last" });
    const ranked: Edit = { at: "raw/plan:Work[N].Rank", deed: { kind: "rank", rank: 1 } };
    expect(merged([...saved, ranked], [{ at: "raw/plan:Work[Id=N]", deed: { kind: "remove" } }])).toEqual([saved[0], saved[2]]);
  });

  it("gives the last rank another, and appends the rest", () => {
    expect(merged(saved, [{ at: "raw/plan:Work[Id=A-3].Rank", deed: { kind: "rank", rank: 1 }, found: 2 }])[2]?.deed).toEqual({ kind: "rank", rank: 1 });
    expect(merged(saved, [{ at: "raw/plan:Work[Id=A-2]", deed: { kind: "remove" } }])).toHaveLength(4);
  });
});
