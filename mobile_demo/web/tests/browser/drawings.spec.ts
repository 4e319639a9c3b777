/** Drawings as a hand makes them, and what Python says of the same strokes. */

import { execFileSync } from "node:child_process";
import { model, path, recordings } from "../vectors";
import { type Saved, type Strokes, expect, grip, test } from "./app";

/** What a drawing should have become, within a unit of the pad and 2 ms. */
function expectSaved(saved: Saved[], drawn: Strokes, pointer: string): void {
  expect(saved).toHaveLength(drawn.length);
  const start = drawn[0]!.t[0]!;
  for (const [k, { x, y, t }] of drawn.entries()) {
    const stroke = saved[k]!;
    expect(stroke.pointer).toBe(pointer);
    expect(stroke.x).toHaveLength(x.length);
    const off = x.map((_, i) =>
      Math.max(
        Math.abs(stroke.x[i]! - 6.4 * x[i]!),
        Math.abs(stroke.y[i]! - 6.4 * y[i]!),
        500 * Math.abs(stroke.t[i]! - (t[i]! - start)),
        100 * Math.abs(stroke.pressure[i]! - grip(i).force),
        Math.abs(stroke.tilt_x[i]! - grip(i).tiltX),
        Math.abs(stroke.tilt_y[i]! - grip(i).tiltY),
      ),
    );
    expect(Math.max(...off)).toBeLessThanOrEqual(1);
  }
}

test("100 drawings by pen and finger get Python's answers", async ({
  app,
  page,
}, info) => {
  test.setTimeout(300_000);
  const { drawings } = recordings("drawings.json");
  const labels: string[] = [];
  const files: { file: string; label: string }[] = [];
  let furthest = 0;
  for (const [i, drawing] of drawings.entries()) {
    if (i === 50) await page.setViewportSize({ width: 800, height: 1280 });
    const pointer = i % 4 < 2 ? "touch" : "pen";
    await app.draw(drawing.strokes, pointer);
    const { label, probability } = await app.answer();
    labels.push(label);
    furthest = Math.max(
      furthest,
      Math.abs(Number(probability) - drawing.python.probability),
    );
    if (i % 7 === 0) {
      expectSaved(await app.strokes(), drawing.strokes, pointer);
      const file = info.outputPath(`${i}.json`);
      await (await app.save("strokes")).saveAs(file);
      files.push({ file, label });
    }
    await app.click("clear");
  }

  const share = (of: (i: number) => string) =>
    labels.filter((label, i) => label === of(i)).length / labels.length;
  const same = share((i) => drawings[i]!.python.label);
  console.log(
    `${labels.length} drawings: ${100 * same} % as Python, probabilities within ` +
      `${furthest.toFixed(4)}; accuracy ${100 * share((i) => drawings[i]!.label)} % ` +
      `(Python's ${accuracy(drawings)} %)`,
  );
  expect(same).toBeGreaterThanOrEqual(0.98);

  // The command that reads the saved files.
  const printed = execFileSync(
    path("../../../.venv/bin/python"),
    [
      ...["-m", "pipelines.predict", "--json", model("sparse").path],
      ...files.map(({ file }) => file),
    ],
    { cwd: path("../../.."), encoding: "utf8" },
  );
  const rows = JSON.parse(printed) as { file: string; class: string }[];
  expect(rows.map((row) => [row.file, row.class])).toEqual(
    files.map(({ file, label }) => [file, label]),
  );
});

function accuracy(drawings: { label: string; python: { label: string } }[]): number {
  const right = drawings.filter(({ label, python }) => label === python.label);
  return (100 * right.length) / drawings.length;
}

test("1,000 recordings that are loaded get Python's labels", async ({ app }) => {
  test.setTimeout(300_000);
  const { drawings } = recordings("labels.json");
  const answers: { label: string; probability: string }[] = [];
  // By way of the app's own file input, 100 at a time.
  for (let start = 0; start < drawings.length; start += 100) {
    const strokes = drawings
      .slice(start, start + 100)
      .map((drawing) => drawing.strokes);
    answers.push(...(await app.page.evaluate(loadEach, strokes)));
  }
  const same = answers.filter(({ label }, i) => label === drawings[i]!.python.label);
  const furthest = answers.map(({ probability }, i) =>
    Math.abs(Number(probability) - drawings[i]!.python.probability),
  );
  console.log(
    `1000 recordings: ${same.length} labels as Python's, ` +
      `probabilities within ${Math.max(...furthest).toFixed(4)}`,
  );
  expect(same.length / answers.length).toBeGreaterThanOrEqual(0.995);
});

/** Runs in the page: loads drawings one after the other, as a user loads files. */
async function loadEach(drawings: { x: number[]; y: number[] }[][]) {
  const input = document.querySelector<HTMLInputElement>("#file")!;
  const result = document.getElementById("result")!;
  const answers: { label: string; probability: string }[] = [];
  for (const strokes of drawings) {
    const answered = new Promise<void>((resolve) => {
      const observer = new MutationObserver(() => {
        observer.disconnect();
        resolve();
      });
      observer.observe(result, { attributes: true });
    });
    // In the pad's own unit, so that loading changes no number.
    const written = { format: "rvsm_tf drawing", version: 1, width: 640, height: 640 };
    const files = new DataTransfer();
    files.items.add(
      new File([JSON.stringify({ ...written, strokes })], "drawing.json"),
    );
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    await answered;
    answers.push({
      label: result.dataset.label!,
      probability: result.dataset.probability!,
    });
  }
  return answers;
}
