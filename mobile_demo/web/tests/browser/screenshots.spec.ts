/** Pictures of the app, into build/screenshots, for people to look at. */

import type { Page } from "@playwright/test";
import { spiral } from "../../src/spiral";
import { path, recordings } from "../vectors";
import { App, type Strokes, test } from "./app";

const { drawings } = recordings("drawings.json");
const shaky = drawings.find(({ python }) => python.label === "shaky")!.strokes;
const regular = drawings.find(({ python }) => python.label === "regular")!.strokes;

/** The spiral of the guide, drawn in 4 seconds by a hand that shakes at 5 Hz. */
const traced: Strokes = (() => {
  const { x, y } = spiral(100);
  const t = x.map((_, i) => (4 * i) / (x.length - 1));
  const shake = (s: number) => 1.5 * Math.sin(2 * Math.PI * 5 * s);
  return [
    {
      x: x.map((value, i) => value + shake(t[i]!)),
      y: y.map((value, i) => value + 0.5 * shake(t[i]! + 0.03)),
      t,
    },
  ];
})();

async function shoot(page: Page, name: string): Promise<void> {
  await page.evaluate(() => scrollTo(0, 0));
  await page.locator("#card tbody tr").first().waitFor();
  await page.screenshot({ path: path(`../build/screenshots/${name}.png`) });
}

test("landscape, with an answer, a session and the evidence", async ({ app, page }) => {
  await app.draw(regular, "pen");
  await app.click("keep");
  await app.draw(shaky, "pen");
  await app.click("keep");
  await app.draw(shaky, "pen");
  await page.waitForFunction(
    () => !document.getElementById("tremor")!.textContent!.startsWith("How"),
  );
  await shoot(page, "landscape");
  await app.click("evidence");
  await page.waitForFunction(() =>
    /^Each piece/.test(document.getElementById("evidence-words")!.textContent!),
  );
  await page.locator("#evidence-words").scrollIntoViewIfNeeded();
  await shoot(page, "evidence");
  await page.locator("#left-handed").check();
  await shoot(page, "left-handed");
});

test("portrait, with a spiral", async ({ page }) => {
  await page.setViewportSize({ width: 800, height: 1280 });
  const app = await App.open(page);
  await page.locator('input[value="spiral"]').check();
  await app.draw(traced, "pen");
  await page.locator("#spectrum").waitFor();
  await shoot(page, "portrait-spiral");
  await page.screenshot({
    path: path("../build/screenshots/portrait-spiral-whole.png"),
    fullPage: true,
  });
});

test("phones", async ({ app, page }) => {
  await app.draw(shaky, "touch");
  await page.setViewportSize({ width: 360, height: 740 });
  await shoot(page, "phone");
  await page.setViewportSize({ width: 640, height: 360 });
  await shoot(page, "phone-landscape");
  await page.setViewportSize({ width: 1024, height: 600 });
  await shoot(page, "small-tablet");
});

test("dark", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  const app = await App.open(page);
  await app.draw(regular, "pen");
  await shoot(page, "dark");
});

test("a broken model", async ({ page }) => {
  await page.route("**/model/sparse.tflite", (route) =>
    route.fulfill({ body: "damaged" }),
  );
  const app = await App.open(page);
  await app.draw(shaky, "pen", false);
  await page.getByRole("alert").waitFor();
  await page.screenshot({ path: path("../build/screenshots/broken.png") });
});
