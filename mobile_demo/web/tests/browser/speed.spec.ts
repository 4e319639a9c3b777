/** How long things take on a slow device: printed and written, not judged. */

import { writeFileSync } from "node:fs";
import { path, recordings } from "../vectors";
import { type App, type Strokes, expect, test } from "./app";

const SLOWER = 6;
const DRAWINGS = 10;

/** Samples before pen-up that are sent at their times; what is before them, at once. */
const PACED = 100;

test("speed on a processor that is six times slower", async ({ app, page }) => {
  test.setTimeout(300_000);
  const { drawings } = recordings("drawings.json");
  const card = page.locator("#card tbody tr").last().locator("td");
  await card.last().waitFor(); // it has timed itself
  const [sparse, dense] = (await card.allTextContents()).map(parseFloat);
  await app.cdp.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  await page.evaluate(watch);
  await app.cdp.send("Performance.enable");
  const frames: number[] = [];
  const work: number[] = [];
  for (let i = 0; i < DRAWINGS; i++) {
    await test.step("draw", async () => {
      const drawn = await drawAtItsPace(app, longest(drawings[i]!.strokes));
      frames.push(...drawn.frames);
      work.push(drawn.busy / drawn.frames.length);
    });
    await page.waitForFunction(
      (n) => performance.getEntriesByName("settled").length === n,
      i + 1,
    );
    await app.click("clear");
  }

  const durations = (name: string) =>
    page.evaluate(
      (name) => performance.getEntriesByName(name).map(({ duration }) => duration),
      name,
    );
  const speed = {
    slower: SLOWER,
    answer_ms: { sparse, dense },
    drawings: DRAWINGS,
    pen_up_to_answer_ms: summary(await durations("answer")),
    pen_up_to_frame_with_answer_ms: summary(await durations("shown")),
    pen_up_to_tremor_ms: summary(await durations("settled")),
    work_in_a_frame_ms: summary(work),
    frame_while_drawing_ms: summary(frames),
  };
  writeFileSync(path("../build/speed.json"), `${JSON.stringify(speed, null, 2)}\n`);
  console.log(JSON.stringify(speed));
  expect(speed.pen_up_to_answer_ms.worst).toBeGreaterThan(0);
});

function summary(durations: number[]): { median: number; worst: number } {
  const sorted = durations.sort((a, b) => a - b).map((ms) => Math.round(10 * ms) / 10);
  return { median: sorted[sorted.length >> 1]!, worst: sorted.at(-1)! };
}

/** Runs in the page: measures what the user waits for. */
function watch(): void {
  let up: number | null = null;
  document
    .getElementById("pad")!
    .addEventListener("pointerup", (event) => (up = event.timeStamp), true);
  new MutationObserver(() => {
    if (up === null) return;
    const start = up;
    up = null;
    performance.measure("answer", { start });
    requestAnimationFrame(() => {
      performance.measure("shown", { start });
      // The app looks for a tremor then, in a task that is before this one.
      setTimeout(() => performance.measure("settled", { start }));
    });
  }).observe(document.getElementById("result")!, { attributes: true });

  let before = performance.now();
  const frame = (now: number) => {
    performance.measure("frame", { start: before, end: now });
    before = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

/** Draws a stroke; returns how long frames took until pen-up, and the work in all. */
async function drawAtItsPace(
  app: App,
  { x, y, t }: Strokes[number],
): Promise<{ frames: number[]; busy: number }> {
  const { left, top, side } = await app.sheet();
  const at = (i: number): [number, number] => [
    left + (x[i]! * side) / 100,
    top + (y[i]! * side) / 100,
  ];
  const slow = Math.max(x.length - PACED, 1);
  const sent = [app.send("pen", "down", at(0))];
  for (let i = 1; i < slow; i++) sent.push(app.send("pen", "move", at(i), i));
  await Promise.all(sent);

  const from = await app.page.evaluate(() => performance.now());
  const before = await busy(app);
  const start = performance.now();
  for (let i = slow; i < x.length; i++) {
    const early = 1000 * (t[i]! - t[slow - 1]!) - (performance.now() - start);
    if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
    sent.push(app.send("pen", "move", at(i), i));
  }
  await Promise.all(sent);
  const worked = (await busy(app)) - before;
  const frames = await app.page.evaluate(
    (from) =>
      performance
        .getEntriesByName("frame")
        .filter(({ startTime }) => startTime >= from)
        .map(({ duration }) => duration),
    from,
  );
  await app.send("pen", "up", at(x.length - 1));
  return { frames, busy: worked };
}

/** Milliseconds that the page's main thread has worked so far. */
async function busy(app: App): Promise<number> {
  const { metrics } = await app.cdp.send("Performance.getMetrics");
  return 1000 * metrics.find(({ name }) => name === "TaskDuration")!.value;
}

function longest(strokes: Strokes): Strokes[number] {
  return strokes.reduce((best, one) => (one.x.length > best.x.length ? one : best));
}
