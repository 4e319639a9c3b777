/** Screens of any size, both hands, keyboards, and those who see little. */

import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { recordings } from "../vectors";
import { expect, test } from "./app";

const letter = recordings("drawings.json").drawings[1]!.strokes;

const screens = [
  { width: 1280, height: 800, whole: true },
  { width: 800, height: 1280, whole: true },
  { width: 1024, height: 600, whole: true },
  { width: 360, height: 740, whole: false },
  { width: 640, height: 360, whole: false },
];

test("a drawing survives every screen, and the pad fits on it", async ({
  app,
  page,
}) => {
  await app.draw(letter, "pen");
  const [answer, strokes] = [await app.answer(), await app.strokes()];
  for (const { whole, ...size } of screens)
    await test.step(`${size.width} x ${size.height}`, async () => {
      await page.setViewportSize(size);
      await page.evaluate(() => scrollTo(0, 0));
      // On a phone the pad comes after the words, and takes the whole screen.
      if (!whole) await app.sheet();
      const pad = (await page.locator("#pad").boundingBox())!;
      expect(Math.abs(pad.width - pad.height)).toBeLessThan(1);
      expect(pad.width).toBeGreaterThan(230);
      expect(pad.x).toBeGreaterThanOrEqual(0);
      expect(pad.y).toBeGreaterThanOrEqual(0);
      expect(pad.x + pad.width).toBeLessThanOrEqual(size.width);
      expect(pad.y + pad.height).toBeLessThanOrEqual(size.height);
      const across = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(across).toBeLessThanOrEqual(size.width);
      // It is painted again, as large as the pad is now.
      const ink = async () => (await app.painted()) / (2 * pad.width) ** 2;
      await expect.poll(ink).toBeGreaterThan(0.01);
      expect(await app.answer()).toEqual(answer);
    });
  await page.setViewportSize({ width: 1280, height: 800 });
  expect(await app.strokes()).toEqual(strokes);
});

test("the left-handed have the pad at their hand", async ({ app, page }) => {
  const left = async (id: string) => (await page.locator(id).boundingBox())!.x;
  expect(await left("#answers")).toBeLessThan(await left("#sheet"));
  await page.locator("#left-handed").check();
  expect(await left("#sheet")).toBeLessThan(await left("#answers"));
  // The pad is found where it is now.
  await app.draw(letter, "pen");
  expect((await app.answer()).label).toMatch(/regular|shaky/);
});

test("everything is reached by Tab, and is seen to be", async ({ app, page }) => {
  await app.draw(letter, "pen");
  const reached: string[] = [];
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press("Tab");
    const found = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return null; // from the last to the first
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return {
        name: element.id || (element as HTMLInputElement).value,
        outline: outlineStyle === "none" ? 0 : parseFloat(outlineWidth),
      };
    });
    if (!found) continue;
    if (reached.includes(found.name)) break;
    reached.push(found.name);
    expect(found.outline, found.name).toBeGreaterThanOrEqual(2);
  }
  expect(reached).toEqual(
    expect.arrayContaining([
      "letter", // the arrows go on from there
      "undo",
      "clear",
      "keep",
      "save-picture",
      "save-strokes",
      "load",
      "left-handed",
      "evidence",
      "dense",
    ]),
  );
  await page.locator("#what input").first().focus();
  await page.keyboard.press("ArrowDown");
  await expect(page.locator("#hint")).toHaveText(/triangle/);
  await page.locator("#clear").focus();
  await page.keyboard.press("Enter");
  expect(await app.answer()).toEqual({ label: "", probability: "" });
});

async function violations(page: Page): Promise<string[]> {
  const { violations, passes } = await new AxeBuilder({ page })
    .setLegacyMode()
    .analyze();
  expect(passes.length).toBeGreaterThan(10); // it has looked
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target }) => `${id}: ${help}: ${target}`),
  );
}

for (const colorScheme of ["light", "dark"] as const)
  test(`nothing is in the way of assistive technology (${colorScheme})`, async ({
    app,
    page,
  }) => {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page)).toEqual([]);
    await app.draw(letter, "pen");
    await app.click("keep");
    await app.draw(letter, "touch");
    await app.click("evidence");
    await expect(page.locator("#evidence-words")).toHaveText(/^Each piece/);
    await page.setInputFiles("#file", {
      name: "empty.json",
      mimeType: "application/json",
      buffer: Buffer.from(""),
    });
    await expect(page.getByRole("alert")).toBeVisible();
    expect(await violations(page)).toEqual([]);
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await violations(page)).toEqual([]);
  });
