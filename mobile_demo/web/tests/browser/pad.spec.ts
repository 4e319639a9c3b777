/** Who may draw: pens before fingers, one at a time. */

import type { Page } from "@playwright/test";
import { recordings } from "../vectors";
import { App, type Pointer, expect, test } from "./app";

type Point = [x: number, y: number];

/** Sends events at shares of the sheet's side. */
async function hand(app: App) {
  const { left, top, side } = await app.sheet();
  return (
    pointer: Pointer,
    type: "down" | "move" | "up" | "cancel",
    [x, y]: Point = [0, 0],
    timestamp?: number,
  ) => app.send(pointer, type, [left + x * side, top + y * side], 0, timestamp);
}

/** Two fingers at once. */
async function twoFingers(app: App, type: "touchStart" | "touchMove", points: Point[]) {
  const { left, top, side } = await app.sheet();
  await app.cdp.send("Input.dispatchTouchEvent", {
    type,
    touchPoints: points.map(([x, y], id) => ({
      x: left + x * side,
      y: top + y * side,
      id,
    })),
  });
}

async function openAndHold(page: Page) {
  const app = await App.open(page);
  return { app, send: await hand(app) };
}

test("a touch does nothing while a pen is down", async ({ page }) => {
  const { app, send } = await openAndHold(page);
  await send("pen", "down", [0.2, 0.2]);
  await send("pen", "move", [0.4, 0.3]);
  await send("touch", "down", [0.9, 0.9]);
  await send("touch", "move", [0.8, 0.9]);
  await send("pen", "move", [0.5, 0.6]);
  await send("touch", "up");
  await send("pen", "move", [0.6, 0.4]);
  await send("pen", "up", [0.6, 0.4]);
  const strokes = await app.strokes();
  expect(strokes.map(({ pointer }) => pointer)).toEqual(["pen"]);
  expect(Math.max(...strokes[0]!.x)).toBeLessThan(0.7 * 640);
  expect(strokes[0]!.x).toHaveLength(4);
});

test("what a palm drew goes when the pen comes down", async ({ page }) => {
  const { app, send } = await openAndHold(page);
  await send("touch", "down", [0.9, 0.9]);
  await send("touch", "move", [0.8, 0.9]);
  await send("touch", "move", [0.6, 0.9]);
  expect(await app.painted()).toBeGreaterThan(0);
  await send("pen", "down", [0.2, 0.2]);
  await send("touch", "move", [0.5, 0.9]);
  await send("pen", "move", [0.4, 0.6]);
  await send("touch", "up");
  await send("pen", "up", [0.4, 0.6]);
  const strokes = await app.strokes();
  expect(strokes.map(({ pointer }) => pointer)).toEqual(["pen"]);
  expect(strokes[0]!.x).toHaveLength(2);
});

test("a touch just after the pen is a palm, a later one a finger", async ({ page }) => {
  const { app, send } = await openAndHold(page);
  const now = Date.now() / 1000;
  await send("pen", "down", [0.2, 0.2], now);
  await send("pen", "move", [0.2, 0.8], now + 0.5);
  await send("pen", "up", [0.2, 0.8], now + 0.5);
  for (const time of [now + 0.8, now + 2]) {
    await send("touch", "down", [0.7, 0.2], time);
    await send("touch", "move", [0.7, 0.8], time + 0.1);
    await send("touch", "up", [0.7, 0.8], time + 0.1);
  }
  const strokes = await app.strokes();
  expect(strokes.map(({ pointer }) => pointer)).toEqual(["pen", "touch"]);
  expect(strokes[1]!.t[0]).toBeCloseTo(2, 1);
});

test("a second finger draws nothing", async ({ page }) => {
  const app = await App.open(page);
  await twoFingers(app, "touchStart", [[0.2, 0.2]]);
  await twoFingers(app, "touchMove", [[0.3, 0.5]]);
  const second: Point[] = [
    [0.3, 0.5],
    [0.8, 0.8],
  ];
  await twoFingers(app, "touchStart", second);
  await twoFingers(app, "touchMove", [
    [0.4, 0.2],
    [0.9, 0.9],
  ]);
  await (
    await hand(app)
  )("touch", "up");
  const strokes = await app.strokes();
  expect(strokes.map(({ x }) => x.length)).toEqual([3]);
  expect(Math.max(...strokes[0]!.x)).toBeLessThan(0.5 * 640);
  // Nor do two fingers zoom here.
  expect(await page.evaluate(() => visualViewport!.scale)).toBe(1);
});

test("a stroke that the system takes away is dropped", async ({ page }) => {
  const { app, send } = await openAndHold(page);
  await send("touch", "down", [0.2, 0.2]);
  await send("touch", "move", [0.2, 0.8]);
  await send("touch", "up");
  await expect(page.locator("#result")).toHaveAttribute("data-label", /./);
  const [answer, painted] = [await app.answer(), await app.painted()];
  await send("touch", "down", [0.8, 0.2]);
  await send("touch", "move", [0.8, 0.8]);
  await send("touch", "cancel");
  expect((await app.strokes()).map(({ x }) => x.length)).toEqual([2]);
  expect(await app.answer()).toEqual(answer);
  // Painted anew: a line's edges are a shade lighter than where two pieces met.
  expect((await app.painted()) / painted).toBeCloseTo(1, 1);
});

test("undo takes one stroke after the other", async ({ app, page }) => {
  const { drawings } = recordings("drawings.json");
  const [one, two] = [drawings[0]!.strokes[0]!, drawings[1]!.strokes[0]!];
  await app.draw([one], "pen");
  const first = await app.answer();
  await app.draw([two], "touch");
  expect(await app.strokes()).toHaveLength(2);
  await app.click("undo");
  await expect
    .poll(() => app.answer(), { message: "the answer of one stroke" })
    .toEqual(first);
  expect(await app.strokes()).toHaveLength(1);
  await app.click("undo");
  expect(await app.answer()).toEqual({ label: "", probability: "" });
  expect(await app.painted()).toBe(0);
  await expect(page.locator("#undo")).toBeDisabled();
});
