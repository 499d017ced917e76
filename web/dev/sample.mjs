// Invented planning data for dev/mock.mjs, printed in the form of the qplan filter's output. The arithmetic is only near the real one.
const SKILLS = ["Design", "Mobile", "Server", "Web"];
const TRACKS = ["Apps", "Core", "Growth"];
const TRIAGES = [1, 1.5, 2, 2.5, 3];
const PEOPLE = { Apps: [1, 3, 1, 0], Core: [0, 1, 4, 2], Growth: [1, 1, 1, 2] };
const WEEKS = 11.6;
const NAMES = [
  "Offline mode", "Push channel", "Search as you type", "Billing export", "Login with passkeys", "Dark theme", "Widgets", "Share sheet", "Import from CSV",
  "Audit trail", "Faster start", "Invoices by e-mail", "Team calendar", "Keyboard shortcuts", "Map view", "Rate limits", "Backup to disk", "<b>Bold</b> & sons",
];

/** A small random generator, so that every start shows the same plan. */
function random(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}

export function sampleItems(count) {
  const next = random(7);
  return Array.from({ length: count }, (_, index) => {
    const skills = SKILLS.filter(() => next() < 0.45);
    const scale = 30 / Math.max(count, 18);
    return {
      track: TRACKS[Math.floor(next() * TRACKS.length)],
      rank: index + 1,
      triage: TRIAGES[Math.min(4, Math.floor((index / count) * 5 * (0.6 + next() * 0.5)))],
      name: NAMES[index % NAMES.length] + (index < NAMES.length ? "" : ` ${Math.floor(index / NAMES.length) + 1}`),
      estimates: Object.fromEntries(skills.map((skill) => [skill, Math.max(0.5, Math.round(next() * 14 * scale) / 2)])),
    };
  });
}

export function samplePlan(items) {
  const tracks = ["All", ...TRACKS];
  const of = (track) => (track === "All" ? items : items.filter((item) => item.track === track));
  const manpower = (track) =>
    SKILLS.map((_, skill) => (track === "All" ? TRACKS : [track]).reduce((sum, name) => sum + PEOPLE[name][skill] * WEEKS, 0));
  const nested = (name, list) => list.flatMap((lines) => [`=====${name}`, ...lines.map((line) => `\t${line}`)]);
  const streams = [
    ["qplan params v1", ["Nov 18, 2026\tFeb  5, 2027\tDesign:Mobile:Server"]],
    ["qplan tracks v1", tracks],
    ["qplan skills v1", SKILLS],
    ["qplan triages v1", TRIAGES.map(String)],
    ["qplan track manpower v1", tracks.map((track) => manpower(track).map(text).join("\t"))],
    ["qplan track-triage demand v1", nested("qplan triage item", tracks.map((track) => demand(of(track))))],
    ["qplan track-skill staff v1", nested("qplan track item", tracks.map(() => nested("qplan skill item", SKILLS.map((skill) => [`${skill} 1`]))))],
    ["qplan track work v1", nested("qplan track item", tracks.map((track) => work(of(track), manpower(track))))],
  ];
  return `${stacked(streams)}\n`;
}

function stacked(streams) {
  return streams.map(([name, lines]) => [`=====${name}`, ...lines.map((line) => `\t${line}`)].join("\n")).join("\n");
}

function text(value) {
  const short = String(Math.fround(value) === value ? value : Number(value.toPrecision(8)));
  return short.includes(".") ? short : `${short}.0`;
}

function demand(items) {
  return TRIAGES.map((triage) =>
    SKILLS.map((skill) => text(items.filter((item) => item.triage <= triage).reduce((sum, item) => sum + (item.estimates[skill] ?? 0), 0))).join("\t"),
  );
}

function work(items, manpower) {
  const left = [...manpower];
  const total = [...manpower];
  return items.map((item) => {
    let day = 0;
    let fits = Object.keys(item.estimates).length > 0;
    const short = [];
    for (const [skill, weeks] of Object.entries(item.estimates)) {
      const at = SKILLS.indexOf(skill);
      left[at] = left[at] <= 0 ? -weeks : left[at] - weeks;
      if (left[at] < 0) short.push(`${skill}:${text(left[at])}`);
      fits &&= left[at] >= 0 || skill === "Web";
      day = Math.max(day, (1 - Math.max(left[at], 0) / Math.max(total[at], 1)) * 79);
    }
    const date = new Date(Date.UTC(2026, 10, 18 + Math.round(day)));
    const month = date.toLocaleString("en", { month: "short", timeZone: "UTC" });
    const end = fits ? `${month} ${String(date.getUTCDate()).padStart(2)}, ${date.getUTCFullYear()}` : "DNF";
    const estimates = Object.entries(item.estimates).map(([skill, weeks]) => `${skill}:${text(weeks)}`).join(", ");
    return [item.track, item.rank, item.triage, item.name, estimates, short.join(", "), end].join("\t");
  });
}

/** The same work as a plain table. */
export function sampleTable(items) {
  const rows = items.map((item) => [item.rank, item.name, item.track, item.triage, Object.values(item.estimates).reduce((a, b) => a + b, 0)].join("\t"));
  return ["rank\tname\ttrack\ttriage\tweeks", ...rows, ""].join("\n");
}
