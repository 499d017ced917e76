// The drawings of the planning page: SVG that begins at zero, with the numbers beside it.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 640;
const ROW = 44;
const LEFT = 150;
const RIGHT = 70;

function shape(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

const round = (value) => String(Math.round(value * 10) / 10);

/** Demand, built up by triage, above manpower, for each skill: `{ skill, manpower, steps }`, steps being running totals. */
export function bars(rows, triages) {
  const most = Math.max(1, ...rows.flatMap((row) => [row.manpower, row.steps.at(-1) ?? 0]));
  const x = (value) => LEFT + (value / most) * (WIDTH - LEFT - RIGHT);
  const height = rows.length * ROW + 8;
  const told = rows.map((row) => `${row.skill}: ${round(row.steps.at(-1) ?? 0)} wanted of ${round(row.manpower)}`).join("; ");
  const drawing = shape("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": `Demand against manpower. ${told}` });
  for (const [index, row] of rows.entries()) {
    const y = index * ROW + 6;
    const total = row.steps.at(-1) ?? 0;
    const fits = total <= row.manpower;
    drawing.append(shape("text", { x: 0, y: y + 13, class: "name" }, row.skill));
    const left = round(Math.abs(row.manpower - total));
    drawing.append(shape("text", { x: 0, y: y + 29, class: fits ? "good" : "bad" }, fits ? `✓ ${left} left` : `▲ ${left} short`));
    for (const [step, value] of row.steps.entries()) {
      const from = step === 0 ? 0 : row.steps[step - 1];
      const box = shape("rect", { x: x(from), y, width: Math.max(0, x(value) - x(from)), height: 17, class: `triage-${step}` });
      box.append(shape("title", {}, `${row.skill}, triage ${triages[step]}: ${round(value - from)}`));
      drawing.append(box);
    }
    drawing.append(shape("text", { x: x(total) + 5, y: y + 13, class: fits ? "" : "bad" }, round(total)));
    drawing.append(shape("rect", { x: LEFT, y: y + 20, width: Math.max(0, x(row.manpower) - LEFT), height: 8, class: "manpower" }));
    drawing.append(shape("text", { x: x(row.manpower) + 5, y: y + 28, class: "soft" }, round(row.manpower)));
  }
  return drawing;
}

/** Where in the plan something ends, from 0 to 1; NaN if it does not. `end` is where the plan does. */
export function line(place, end) {
  const drawing = shape("svg", { viewBox: "0 0 200 16", class: "line", "aria-hidden": "true" });
  const x = (value) => 4 + value * 188;
  const ends = Number.isFinite(place);
  drawing.append(shape("line", { x1: 4, x2: x(ends ? place : 1), y1: 8, y2: 8, class: ends ? "way" : "way never" }));
  drawing.append(shape("line", { x1: x(end), x2: x(end), y1: 0, y2: 16, class: "end" }));
  if (ends) drawing.append(shape("circle", { cx: x(place), cy: 8, r: 4 }));
  else drawing.append(shape("path", { d: `M${x(1) - 4} 4l8 8m0 -8l-8 8`, class: "never" }));
  return drawing;
}
