/** What is shown beside the pad, and files. */

import { readFileSync } from "node:fs";
import { type Recording, random, recordings } from "../vectors";
import { type Strokes, expect, test } from "./app";

/** A drawing that the network answers with this label. */
function answered(label: string): Recording {
  const { drawings } = recordings("drawings.json");
  return drawings.find(({ python }) => python.label === label)!;
}

/** A stroke through points, a hundredth of a second apart. */
function through(points: [number, number][]): Strokes[number] {
  return {
    x: points.map(([x]) => x),
    y: points.map(([, y]) => y),
    t: points.map((_, i) => i / 100),
  };
}

/** A walk at random, which stays on the sheet. */
function scribble(samples: number): Strokes {
  const next = random(5);
  let [x, y] = [50, 50];
  const inside = (value: number) => Math.min(Math.max(value, 5), 95);
  const points = Array.from({ length: samples }, (): [number, number] => {
    [x, y] = [inside(x + 6 * (next() - 0.5)), inside(y + 6 * (next() - 0.5))];
    return [x, y];
  });
  return [through(points)];
}

for (const label of ["regular", "shaky"])
  test(`a ${label} letter is called so, in words and on the scale`, async ({
    app,
    page,
  }) => {
    await app.draw(answered(label).strokes, "pen");
    const answer = await app.answer();
    expect(answer.label).toBe(label);
    const result = page.locator("#result");
    await expect(result).toHaveText(
      label === "shaky"
        ? /^Shaky\. Probability of shaky: (over 99|\d+) %$/
        : /^Regular\. Probability of shaky: (under 1|\d+) %$/,
    );
    const shown = await page
      .locator("#meter")
      .evaluate((meter) => (meter as HTMLMeterElement).value);
    expect(shown).toBeCloseTo(Number(answer.probability), 5);
    await app.click("clear");
    expect(await app.answer()).toEqual({ label: "", probability: "" });
    await expect(result).toHaveText(/^Draw /);
  });

test("nothing, or next to nothing, gets no answer", async ({ app, page }) => {
  const none = { label: "", probability: "" };
  expect(await app.answer()).toEqual(none);
  await expect(page.locator("#result")).toHaveText(/^Draw /);
  for (const id of ["undo", "clear", "keep", "evidence", "save-picture"])
    await expect(page.locator(`#${id}`)).toBeDisabled();

  await app.draw([through([[50, 50]])], "pen");
  expect(await app.answer()).toEqual(none);
  await expect(page.locator("#result")).toHaveText(/^Too small/);
  await expect(page.locator("#keep")).toBeDisabled();
});

test("a scribble gets an answer", async ({ app }) => {
  await app.draw(scribble(500), "touch");
  expect((await app.answer()).label).toMatch(/regular|shaky/);
});

test("a drawing of 20,000 samples gets an answer", async ({ app, page }) => {
  test.setTimeout(300_000);
  await page.evaluate(() => {
    addEventListener("pointerup", () => performance.mark("up"), true);
    new MutationObserver(() => performance.measure("answer", "up")).observe(
      document.getElementById("result")!,
      { attributes: true },
    );
  });
  await app.draw(scribble(20_000), "pen");
  expect((await app.answer()).label).toMatch(/regular|shaky/);
  const [stroke] = await app.strokes();
  expect(stroke!.x).toHaveLength(20_000);
  const took = await page.evaluate(
    () => performance.getEntriesByName("answer")[0]!.duration,
  );
  console.log(`20,000 samples: ${took.toFixed(0)} ms from pen-up to the answer`);
});

test("save, clear and load give the same answer", async ({ app, page }, info) => {
  await app.draw(answered("shaky").strokes, "pen");
  const before = await app.answer();
  const strokes = await app.strokes();
  const download = await app.save("strokes");
  expect(download.suggestedFilename()).toMatch(/^drawing-.*\.json$/);
  const file = info.outputPath("drawing.json");
  await download.saveAs(file);
  await app.click("clear");
  expect(await app.answer()).toEqual({ label: "", probability: "" });

  const chooser = page.waitForEvent("filechooser");
  await app.click("load");
  await (await chooser).setFiles(file);
  await expect(page.locator("#result")).toHaveAttribute("data-label", "shaky");
  expect(await app.answer()).toEqual(before);
  expect(await app.strokes()).toEqual(strokes);

  // A stroke that is added comes after those that were loaded.
  const last = Math.max(...strokes.flatMap(({ t }) => t));
  const { left, top, side } = await app.sheet();
  await page.mouse.move(left + side / 4, top + side / 4);
  await page.mouse.down();
  await page.mouse.move(left + side / 2, top + side / 3, { steps: 5 });
  await page.mouse.up();
  const added = (await app.strokes()).at(-1)!;
  expect(added.pointer).toBe("mouse");
  expect(added.t[0]!).toBeGreaterThanOrEqual(last);
  expect(added.t[0]!).toBeLessThan(last + 60);
});

test("a file with no drawing in it is refused in words", async ({ app, page }) => {
  await app.draw(answered("shaky").strokes, "pen");
  const before = await app.answer();
  await page.setInputFiles("#file", {
    name: "holiday.json",
    mimeType: "application/json",
    buffer: Buffer.from('{"a": 1}'),
  });
  const alert = page.locator("#file-alert");
  await expect(alert).toBeVisible();
  await expect(alert).toContainText("holiday.json: This file holds no drawing");
  expect(await app.answer()).toEqual(before);
});

test("the picture is a PNG of 1280 x 1280, black on white", async ({ app, page }) => {
  await app.draw(answered("regular").strokes, "touch");
  const download = await app.save("picture");
  expect(download.suggestedFilename()).toMatch(/^drawing-.*\.png$/);
  const file = readFileSync(await download.path());
  expect(file.subarray(0, 8)).toEqual(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
  expect([file.readUInt32BE(16), file.readUInt32BE(20)]).toEqual([1280, 1280]);
  const shades = await page.evaluate(async (base64) => {
    const image = new Image();
    image.src = `data:image/png;base64,${base64}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1280;
    const context = canvas.getContext("2d")!;
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, 1280, 1280);
    let [white, dark, clear] = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) {
      white += Number(data[i] === 255);
      dark += Number(data[i]! < 64);
      clear += Number(data[i + 3]! < 255);
    }
    return { white, dark, clear };
  }, file.toString("base64"));
  expect(shades.clear).toBe(0);
  expect(shades.dark).toBeGreaterThan(5000);
  expect(shades.white).toBeGreaterThan(1_000_000);
});

test("the dense network answers, too", async ({ app, page }) => {
  await app.draw(answered("shaky").strokes, "pen");
  const sparse = await app.answer();
  await page.locator("#dense").check();
  await expect(page.locator("#result")).not.toHaveAttribute(
    "data-probability",
    sparse.probability,
  );
  expect((await app.answer()).label).toMatch(/regular|shaky/);
  await page.locator("#dense").uncheck();
  await expect(page.locator("#result")).toHaveAttribute(
    "data-probability",
    sparse.probability,
  );
});

test("the card says how large and how good both networks are", async ({
  app,
  page,
}) => {
  expect(app.page).toBe(page);
  const rows = page.locator("#card tbody tr");
  await expect(rows).toHaveCount(4);
  for (const [i, unit] of ["kB", "%", "%", "ms"].entries())
    for (const cell of await rows.nth(i).locator("td").allTextContents())
      expect(cell).toMatch(new RegExp(`^\\d+(\\.\\d+)? ${unit}$`));
});

test("what is kept adds up to a session", async ({ app, page }) => {
  const session = page.locator("#session");
  for (const [i, label] of ["shaky", "regular", "shaky"].entries()) {
    await app.draw(answered(label).strokes, "pen");
    await app.click("keep");
    await expect(page.locator("#kept li")).toHaveCount(i + 1);
    expect(await app.answer()).toEqual({ label: "", probability: "" });
    expect(await app.painted()).toBe(0);
  }
  await expect(session).toHaveText(/^2 of 3 drawings shaky; on average \d+ % probable/);
});

test("the evidence is painted, and said in words", async ({ app, page }) => {
  await app.draw(answered("shaky").strokes, "pen");
  await app.click("evidence");
  const words = page.locator("#evidence-words");
  await expect(words).toHaveText(/^Each piece of the drawing alone/);
  const coloured = await page.locator("#seen").evaluate((element) => {
    const seen = element as HTMLCanvasElement;
    const { width, height } = seen;
    const { data } = seen.getContext("2d")!.getImageData(0, 0, width, height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) count += Number(data[i] !== data[i + 2]);
    return count;
  });
  expect(coloured).toBeGreaterThan(100);
  // It is about this drawing, and goes with it.
  await app.click("clear");
  await expect(words).toBeEmpty();
});

test("a tremor is measured in time", async ({ app, page }) => {
  const hz = 5;
  const spiral = Array.from({ length: 500 }, (_, i): [number, number] => {
    const [angle, radius] = [i / 32, 5 + i / 16];
    const shake = 2 * Math.sin((2 * Math.PI * hz * i) / 100);
    return [50 + radius * Math.cos(angle) + shake, 50 + radius * Math.sin(angle)];
  });
  await app.draw([through(spiral)], "pen");
  await expect(page.locator("#tremor")).toHaveText(
    /^The pen oscillates (4\.9|5\.0|5\.1) times a second, about \d+\.\d mm/,
  );
  await expect(page.locator("#spectrum")).toBeVisible();
});
