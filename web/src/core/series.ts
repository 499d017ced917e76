// A table as a chart: its numeric columns against the first one. Lines where the first column is numbers or dates, bars elsewhere; both from zero.
// All lengths are CSS pixels.
import { axisTicks } from "./format";
import { dayOf } from "./plan";
import { isNumeric, numeric, type Headed } from "./table";

export interface Series {
  name: string;
  /** By row; null where there is no number. */
  values: (number | null)[];
}

export interface Picture {
  kind: "bars" | "lines";
  /** What the first column is called. */
  across: string;
  labels: string[];
  /** Where each row is on the axis, for lines. */
  places: number[];
  series: Series[];
  /** Rows and columns that there was no room for. */
  rowsLeft: number;
  columnsLeft: number;
}

export const BARS_MAX = 60;
export const POINTS_MAX = 2000;
/** As many as can be told apart. */
export const SERIES_MAX = 5;

const DAY_MS = 86_400_000;

/** What there is to draw; null when no column but the first is numbers. */
export function pictureOf(read: Headed): Picture | null {
  const columns = read.header.map((_, index) => index).filter((index) => index > 0 && isNumeric(read.rows, index));
  if (columns.length === 0) return null;
  const first = read.rows.map((row) => row.cells[0] ?? "");
  const found = first.map(placeOf);
  const isLine = found.every((place) => place !== null) && new Set(found).size > 1;
  const order = read.rows.map((_, index) => index);
  if (isLine) order.sort((a, b) => (found[a] ?? 0) - (found[b] ?? 0));
  const shown = order.slice(0, isLine ? POINTS_MAX : BARS_MAX);
  return {
    kind: isLine ? "lines" : "bars",
    across: read.header[0] ?? "",
    labels: shown.map((row) => first[row] ?? ""),
    places: shown.map((row, at) => (isLine ? (found[row] ?? 0) : at)),
    series: columns.slice(0, SERIES_MAX).map((column) => ({
      name: read.header[column] ?? "",
      values: shown.map((row) => valueOf(read.rows[row]?.cells[column] ?? "")),
    })),
    rowsLeft: order.length - shown.length,
    columnsLeft: Math.max(columns.length - SERIES_MAX, 0),
  };
}

function valueOf(cell: string): number | null {
  const value = numeric(cell);
  return Number.isFinite(value) ? value : null;
}

/** A number, or a date as days. */
function placeOf(cell: string): number | null {
  const value = valueOf(cell);
  if (value !== null) return value;
  const text = cell.trim();
  const iso = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) / DAY_MS : NaN;
  return Number.isNaN(iso) ? dayOf(text) : iso;
}

export interface Box {
  row: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Point {
  row: number;
  x: number;
  y: number;
}

export interface Drawing {
  width: number;
  height: number;
  left: number;
  right: number;
  bottom: number;
  zeroY: number;
  ticks: { y: number; value: number }[];
  labels: { x: number; text: string }[];
  /** By series: its bars, or its lines, which end where a number is missing. */
  bars: Box[][];
  lines: Point[][][];
}

const HEIGHT = 320;
const TOP = 12;
const LEFT = 64;
const RIGHT = 16;
const AXIS = 48;
const LABEL = 84;
/** The part of its room that a group of bars fills. */
const FILL = 0.8;

export function draw(picture: Picture, width: number): Drawing {
  const [left, right, bottom] = [LEFT, Math.max(width - RIGHT, LEFT + 40), HEIGHT - AXIS];
  const values = picture.series.flatMap((series) => series.values).filter((value) => value !== null);
  const ticks = marks(values);
  const [low, high] = [ticks[0] ?? 0, ticks[ticks.length - 1] ?? 1];
  const y = (value: number): number => bottom - ((value - low) / (high - low)) * (bottom - TOP);
  const x = across(picture, left, right);
  const scale = { x, y, room: (right - left) / Math.max(picture.labels.length, 1) };
  return {
    width: right + RIGHT,
    height: HEIGHT,
    left,
    right,
    bottom,
    zeroY: y(0),
    ticks: ticks.map((value) => ({ value, y: y(value) })),
    labels: labelled(picture, scale.x),
    bars: picture.kind === "bars" ? picture.series.map((_, index) => bars(picture, index, scale)) : [],
    lines: picture.kind === "lines" ? picture.series.map((series) => lines(series, scale)) : [],
  };
}

/** Round marks that hold zero and every value. */
export function marks(values: readonly number[]): number[] {
  const low = values.reduce((least, value) => Math.min(least, value), 0);
  const high = values.reduce((most, value) => Math.max(most, value), 0);
  const step = axisTicks(Math.max(high, -low), 5)[1] ?? 1;
  const [from, to] = [Math.ceil(-low / step - 1e-9), Math.max(Math.ceil(high / step - 1e-9), low < 0 ? 0 : 1)];
  return Array.from({ length: from + to + 1 }, (_, index) => Number(((index - from) * step).toPrecision(12)));
}

/** The middle of a row on the axis. */
function across(picture: Picture, left: number, right: number): (row: number) => number {
  if (picture.kind === "bars") {
    const room = (right - left) / Math.max(picture.labels.length, 1);
    return (row) => left + (row + 0.5) * room;
  }
  const [first, last] = [picture.places[0] ?? 0, picture.places[picture.places.length - 1] ?? 1];
  return (row) => left + (((picture.places[row] ?? 0) - first) / Math.max(last - first, Number.MIN_VALUE)) * (right - left);
}

/** As many labels as stand beside each other. */
function labelled(picture: Picture, x: (row: number) => number): { x: number; text: string }[] {
  let end = -Infinity;
  return picture.labels.flatMap((text, row) => {
    const at = x(row);
    if (at - end < LABEL) return [];
    end = at;
    return [{ x: at, text: text.length > 12 ? `${text.slice(0, 11)}…` : text }];
  });
}

interface Scale {
  x: (row: number) => number;
  y: (value: number) => number;
  room: number;
}

function bars(picture: Picture, index: number, scale: Scale): Box[] {
  const width = (scale.room * FILL) / picture.series.length;
  const before = (index - picture.series.length / 2) * width;
  const values = picture.series[index]?.values ?? [];
  return values.flatMap((value, row) => {
    if (value === null) return [];
    const [top, foot] = [scale.y(Math.max(value, 0)), scale.y(Math.min(value, 0))];
    return [{ row, x: scale.x(row) + before, y: top, width, height: foot - top }];
  });
}

function lines(series: Series, scale: Scale): Point[][] {
  const parts: Point[][] = [[]];
  for (const [row, value] of series.values.entries()) {
    if (value === null) parts.push([]);
    else parts[parts.length - 1]?.push({ row, x: scale.x(row), y: scale.y(value) });
  }
  return parts.filter((part) => part.length > 0);
}
