// The pipeline: its graph, what is told of a stage, a failure and its end, the runs that are over, very many stages, a phone.
import { expect, type Page, test } from "@playwright/test";
import { badge, complaintsOf, isWithinTheScreen, look } from "./look.ts";
import { Project } from "./project.ts";

const DEFINITION = `[project]
name = "orders"
[stage.clean-orders]
input = "raw/orders"
run = ["sh", "clean.sh"]
output = "conditioned/orders"
[stage.clean-people]
input = "raw/people"
run = ["cat"]
output = "conditioned/people"
[stage.join]
input = ["conditioned/orders", "conditioned/people"]
run = ["sh", "-c", "cat"]
output = "results/all"
`;
const CLEAN = 'body=$(cat)\ncase "$body" in *bad*) echo "first line" >&2; echo "ValueError: no such order" >&2; exit 3;; esac\necho "$body"\n';
/** What is drawn slower than this nobody waits for, on a machine that does other things too. */
const DRAWN_MS = 15_000;

let project: Project;
let complaints: string[];

test.beforeEach(async ({ page }) => {
  complaints = complaintsOf(page);
  project = new Project();
  project.write("esker.toml", DEFINITION);
  project.write("clean.sh", CLEAN);
  project.clear();
  await project.start();
  project.put("raw/orders", "id,amount\nA,1\n");
  project.put("raw/people", "id,name\n1,Ann\n");
  await page.goto(`${project.url}/#/pipeline`);
  await expect(node(page, "s:join")).toHaveAttribute("data-state", "fresh");
});

test.afterEach(async () => {
  await project.remove();
  expect(complaints).toEqual([]);
});

function node(page: Page, id: string) {
  return page.getByTestId(`node-${id}`);
}

function focused(page: Page): Promise<string | null> {
  return page.evaluate(() => document.activeElement?.getAttribute("data-id") ?? null);
}

test("the graph has every stage and resource, from left to right, and the list says the same", async ({ page }) => {
  for (const name of ["clean-orders", "clean-people", "join"]) {
    await expect(node(page, `s:${name}`)).toHaveAttribute("data-state", "fresh");
    await expect(page.getByTestId(`stage-${name}`)).toHaveAttribute("data-state", "fresh");
  }
  await expect(node(page, "r:results/all")).toHaveAttribute("data-state", "there");
  await expect(page.locator("[data-edge]")).toHaveCount(7);
  const left = async (id: string) => (await node(page, id).boundingBox())?.x ?? 0;
  expect(await left("r:raw/orders")).toBeLessThan(await left("s:clean-orders"));
  expect(await left("s:clean-orders")).toBeLessThan(await left("r:conditioned/orders"));
  await look(page, "pipeline");
});

test("a part is found with its neighbours, and groups are folded", async ({ page }) => {
  await page.getByLabel("Find stages and resources").fill("people");
  await expect(node(page, "s:clean-orders")).toHaveCount(0);
  await expect(node(page, "s:join")).toBeVisible();
  await expect(page.getByTestId("stage-clean-orders")).toHaveCount(0);
  await page.goto(`${project.url}/#/pipeline?hide=clean-`);
  await expect(node(page, "g:clean-")).toContainText("clean- (2)");
  await expect(node(page, "s:clean-orders")).toHaveCount(0);
  await node(page, "g:clean-").press("Enter");
  await expect(node(page, "s:clean-orders")).toBeVisible();
});

test("the keyboard walks along the edges, looks nearer, opens and closes", async ({ page }) => {
  await node(page, "r:raw/orders").focus();
  await page.keyboard.press("ArrowRight");
  expect(await focused(page)).toBe("s:clean-orders");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  expect(await focused(page)).toBe("s:join");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  expect(await focused(page)).toMatch(/^s:clean-/);
  const scale = async () => Number(await page.getByTestId("graph").getAttribute("data-scale"));
  const before = await scale();
  await page.keyboard.press("+");
  expect(await scale()).toBeGreaterThan(before);
  await page.keyboard.press("0");
  expect(await scale()).toBeCloseTo(before, 2);
  const opened = await focused(page);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`#/pipeline/${opened?.slice(2)}$`));
  await expect(page.getByTestId("drawer")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("drawer")).toHaveCount(0);
  expect(await focused(page)).toBe(opened);
});

test("a stage tells what it reads, makes and how it last ran; its ways up and down are shown", async ({ page }) => {
  await node(page, "s:join").click();
  const drawer = page.getByTestId("drawer");
  await expect(drawer).toContainText("conditioned/orders");
  const revision = JSON.parse(project.run("get", "results/all", "--json")).revision;
  await expect(drawer.locator(`[data-revision="${revision}"]`).first()).toBeVisible();
  await expect(drawer).toContainText("stored, exit 0");
  await expect(node(page, "s:clean-people")).toHaveAttribute("data-way", "up");
  await expect(node(page, "r:results/all")).toHaveAttribute("data-way", "down");
  await node(page, "s:clean-people").click();
  await expect(page).toHaveURL(/#\/pipeline\/clean-people$/);
  await expect(node(page, "s:clean-orders")).toHaveAttribute("data-way", "far");
  await look(page, "pipeline-stage");
  await node(page, "r:raw/people").click();
  await expect(drawer).toContainText("read by clean-people");
});

test("a wheel looks nearer, and what is pulled along is not opened", async ({ page }) => {
  const graph = page.getByTestId("graph");
  const box = await node(page, "s:join").boundingBox();
  if (!box) throw new Error("join is not drawn");
  const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const before = Number(await graph.getAttribute("data-scale"));
  await page.mouse.move(at.x, at.y);
  await page.mouse.down();
  await page.mouse.move(at.x - 60, at.y - 40, { steps: 4 });
  await page.mouse.up();
  const moved = await node(page, "s:join").boundingBox();
  expect(Math.round((moved?.x ?? 0) - box.x)).toBeLessThan(-40);
  await expect(page.getByTestId("drawer")).toHaveCount(0);
  await page.mouse.wheel(0, -200);
  await expect.poll(async () => Number(await graph.getAttribute("data-scale"))).toBeGreaterThan(before);
});

test("a failure is red with its program's words, and green when it is mended, without a reload", async ({ page }) => {
  await page.evaluate(() => Object.assign(window, { notReloaded: true }));
  project.put("raw/orders", "bad\n");
  await expect(node(page, "s:clean-orders")).toHaveAttribute("data-state", "problem");
  await expect(node(page, "s:clean-orders")).toContainText("✕ problem");
  await expect(node(page, "s:join")).toContainText("behind");
  await node(page, "s:clean-orders").click();
  await expect(page.getByTestId("stderr")).toContainText("ValueError: no such order");
  await expect(page.getByTestId("drawer")).toContainText("failed, exit 3");
  await look(page, "pipeline-problem");
  await page.goto(`${project.url}/#/problems`);
  const problem = page.getByTestId("problem-clean-orders");
  await expect(problem).toContainText("first line");
  await expect(problem).toContainText("raw/orders");
  await look(page, "problems-one");
  project.put("raw/orders", "id,amount\nB,2\n");
  await expect(problem).toHaveCount(0);
  await page.goto(`${project.url}/#/pipeline`);
  await expect(node(page, "s:clean-orders")).toHaveAttribute("data-state", "fresh");
  await expect(node(page, "s:join")).not.toContainText("behind");
  expect(await page.evaluate(() => "notReloaded" in window)).toBe(true);
});

test("a problem is known, out of sight, taken back and tried again", async ({ page }) => {
  project.put("raw/orders", "bad\n");
  await page.goto(`${project.url}/#/problems`);
  const problem = page.getByTestId("problem-clean-orders");
  await problem.getByRole("button", { name: "Acknowledge …" }).click();
  await problem.getByLabel("Note").fill("the shop mends it");
  await problem.getByRole("button", { name: "Acknowledge", exact: true }).click();
  await expect(problem.getByTestId("said")).toContainText("the shop mends it");
  await problem.getByRole("button", { name: "Mute …" }).click();
  await problem.getByLabel("Out of sight").selectOption({ label: "for a day" });
  await problem.getByRole("button", { name: "Mute", exact: true }).click();
  await expect(page.getByText("1 problem muted")).toBeVisible();
  await page.getByText("1 problem muted").click();
  await problem.getByRole("button", { name: "Clear" }).click();
  await expect(problem.getByTestId("said")).toHaveCount(0);
  project.write("clean.sh", "cat\n");
  await problem.getByRole("button", { name: "Retry" }).click();
  await expect(problem).toHaveCount(0);
});

test("the runs that are over, those that failed, and one of them", async ({ page }) => {
  project.put("raw/orders", "bad\n");
  await page.goto(`${project.url}/#/runs`);
  const rows = page.locator("[data-ended]");
  await expect(rows).toHaveCount(4);
  await expect(rows.first()).toHaveAttribute("data-ended", "problem");
  await page.getByTestId("failed-only").check();
  await expect(page).toHaveURL(/only=failed/);
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText("ValueError: no such order");
  project.put("raw/orders", "still bad\n");
  await expect(rows).toHaveCount(2);
  await rows.first().click();
  await expect(page).toHaveURL(/show=[0-9a-f]{40}/);
  await expect(page.getByTestId("stderr")).toContainText("first line");
  await page.reload();
  await expect(page.getByTestId("stderr")).toContainText("first line");
  await expect(rows).toHaveCount(2);
  await look(page, "runs");
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("run")).toHaveCount(0);
  await page.getByLabel("Find among these runs").fill("nowhere to be found");
  await expect(page.getByTestId("no-runs")).toBeVisible();
  await page.goto(`${project.url}/#/runs/join?only=failed`);
  await expect(page.getByTestId("no-runs")).toContainText("No run has failed of join");
});

test("hundreds of stages are drawn; too many are said to be", async ({ page }) => {
  const part = (index: number) => {
    const input = index < 20 ? `raw/r${index}` : `mid/m${index - 20}`;
    return `[stage.s-${index}]\ninput = "${input}"\nrun = ["cat"]\noutput = "mid/m${index}"\n`;
  };
  const many = (count: number) => `[project]\nname = "many"\n${Array.from({ length: count }, (_, index) => part(index)).join("")}`;
  const begun = Date.now();
  project.write("esker.toml", many(200));
  await expect(node(page, "s:s-199")).toBeVisible({ timeout: DRAWN_MS });
  console.log(`    from the definition of 200 stages to the graph: ${Date.now() - begun} ms`);
  await expect(page.locator("[data-edge]")).toHaveCount(400);
  await page.screenshot({ path: `${process.env["ESKER_SCREENSHOTS"] ?? "node_modules/.cache/screenshots"}/pipeline-many.png` });
  project.write("esker.toml", many(600));
  await expect(page.getByTestId("graph-refused")).toContainText("1220");
  await expect(page.getByTestId("stage-s-3")).toBeVisible();
  await page.getByLabel("Find stages and resources").fill("s-599");
  await expect(node(page, "s:s-599")).toBeVisible({ timeout: DRAWN_MS });
});

test("on a phone the list is first, and the graph a tap away", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 780 });
  await expect(page.getByTestId("stage-join")).toBeVisible();
  await expect(page.getByTestId("graph")).toHaveCount(0);
  expect(await isWithinTheScreen(page)).toBe(true);
  await page.getByRole("link", { name: "Graph", exact: true }).click();
  await expect(node(page, "s:join")).toBeVisible();
  await node(page, "s:join").click();
  await expect(page.getByTestId("drawer")).toBeInViewport();
  expect(await isWithinTheScreen(page)).toBe(true);
});

test("what could not be asked for is asked for again by itself once esker is back", async ({ page }) => {
  let isDown = false;
  await page.route(/\/api\/(runs|problems)/, (route) => (isDown ? route.abort() : route.continue()));
  const again = page.getByRole("button", { name: "Try again" });
  for (const [place, there] of [
    ["runs", page.locator("[data-stage=clean-orders]").first()],
    ["problems", page.getByText("No problems.")],
    ["pipeline/clean-orders", page.getByText("Ended")],
  ] as const) {
    await page.goto(`${project.url}/#/sync`);
    isDown = true;
    await page.goto(`${project.url}/#/${place}`);
    await expect(again).toBeVisible();
    isDown = false;
    await project.kill();
    await badge(page, "offline");
    await project.start();
    await badge(page, "live");
    await expect(again).toHaveCount(0);
    await expect(there).toBeVisible();
  }
});
