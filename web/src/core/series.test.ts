// Tables as charts: what is drawn, as what, and where.
import { describe, expect, it } from "vitest";
import { BARS_MAX, draw, marks, pictureOf, type Picture } from "./series";
import { headed, tablesOf } from "./table";

function picture(text: string): Picture {
  const table = tablesOf(text)[0] ?? { name: "", rows: [] };
  const found = pictureOf(headed(table, true));
  if (!found) throw new Error("nothing to draw");
  return found;
}

describe("pictureOf", () => {
  it("draws bars for names, of the columns that are numbers", () => {
    const found = picture("item,note,total,share\napples,a,21,0.75\npears,,7,\n");
    expect([found.kind, found.across, found.labels]).toEqual(["bars", "item", ["apples", "pears"]]);
    expect(found.series).toEqual([
      { name: "total", values: [21, 7] },
      { name: "share", values: [0.75, null] },
    ]);
  });

  it("draws lines for dates and numbers, in their order", () => {
    const days = picture("day,n\n2027-01-05,2\n2027-01-04,1\n2027-01-08,\n");
    expect([days.kind, days.labels]).toEqual(["lines", ["2027-01-04", "2027-01-05", "2027-01-08"]]);
    expect(days.places.map((place) => place - (days.places[0] ?? 0))).toEqual([0, 1, 4]);
    expect(days.series[0]?.values).toEqual([1, 2, null]);
    expect(picture("x,y\n10,1\n9,2\n").labels).toEqual(["9", "10"]);
    expect(picture("x,y\n9,1\n9,2\n").kind).toBe("bars");
    expect(picture("x,y\n9,1\nnone,2\n").kind).toBe("bars");
  });

  it("says what it leaves out, and when there is nothing", () => {
    const rows = Array.from({ length: BARS_MAX + 5 }, (_, row) => `r${row},1,1,1,1,1,1`).join("\n");
    const found = picture(`n,a,b,c,d,e,f\n${rows}\n`);
    expect([found.labels.length, found.rowsLeft, found.columnsLeft]).toEqual([BARS_MAX, 5, 1]);
    for (const text of ["a,b\nx,y\n", "a\n1\n2\n", ""]) {
      expect(pictureOf(headed(tablesOf(text)[0] ?? { name: "", rows: [] }, true))).toBeNull();
    }
  });
});

describe("marks", () => {
  it("begin or end at zero, or hold it", () => {
    expect(marks([21, 7])).toEqual([0, 5, 10, 15, 20, 25]);
    expect(marks([1003, 1004])[0]).toBe(0);
    expect(marks([-3])).toEqual([-3, -2, -1, 0]);
    expect(marks([-4, 10])).toEqual([-4, -2, 0, 2, 4, 6, 8, 10]);
    expect(marks([0])).toEqual([0, 1]);
    expect(marks([])).toEqual([0, 1]);
  });
});

describe("draw", () => {
  it("has bars as high as their numbers, from zero up and down", () => {
    const drawing = draw(picture("a,n\nx,10\ny,-5\n"), 600);
    const [up, down] = drawing.bars[0] ?? [];
    expect(up && up.y + up.height).toBeCloseTo(drawing.zeroY);
    expect(down?.y).toBeCloseTo(drawing.zeroY);
    expect((up?.height ?? 0) / (down?.height ?? 1)).toBeCloseTo(2);
    expect(up && up.x >= drawing.left && up.x + up.width <= drawing.right).toBe(true);
  });

  it("breaks a line where a number is missing", () => {
    const drawing = draw(picture("x,n\n1,1\n2,\n3,3\n5,5\n"), 600);
    expect(drawing.lines[0]?.map((part) => part.map((point) => point.row))).toEqual([[0], [2, 3]]);
    const [first, last] = [drawing.lines[0]?.[0]?.[0], drawing.lines[0]?.[1]?.[1]];
    expect([first?.x, last?.x]).toEqual([drawing.left, drawing.right]);
  });

  it("has no more labels than stand beside each other", () => {
    const rows = Array.from({ length: 50 }, (_, row) => `row ${row},1`).join("\n");
    const drawing = draw(picture(`a,n\n${rows}\n`), 600);
    const gaps = drawing.labels.slice(1).map((label, index) => label.x - (drawing.labels[index]?.x ?? 0));
    expect(drawing.labels.length).toBeGreaterThan(3);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(84);
  });
});
