/** Models that do not arrive whole, or answer wrongly: no answers, and plain words. */

import { readFileSync } from "node:fs";
import type { Route } from "@playwright/test";
import { made, model, random, recordings } from "../vectors";
import { App, expect, test } from "./app";

// The browser reports what was not found, and the runtime what it does not take.
test.use({ expected: /^Failed to load resource|^ERROR: |wasm|ArrayBuffer/ });

const sparse = readFileSync(model("sparse").path);
const next = random(7);
const garbage = Buffer.from(Array.from({ length: 20_000 }, () => 256 * next()));

interface Broken {
  file: string;
  answer: (route: Route) => unknown;
  /** What else is said. */
  words?: RegExp;
}

const broken: Record<string, Broken> = {
  "that is missing": {
    file: "model/sparse.tflite",
    answer: (route) => route.fulfill({ status: 404, body: "not found" }),
  },
  "that cannot be reached": {
    file: "model/sparse.tflite",
    answer: (route) => route.abort(),
  },
  "that is garbage": {
    file: "model/sparse.tflite",
    answer: (route) => route.fulfill({ body: garbage }),
  },
  "that is a page": {
    file: "model/sparse.tflite",
    answer: (route) => route.fulfill({ body: "<!doctype html><title>Welcome</title>" }),
  },
  "that is cut off": {
    file: "model/sparse.tflite",
    answer: (route) =>
      route.fulfill({ body: sparse.subarray(0, Math.floor(0.9 * sparse.length)) }),
  },
  "that is empty": {
    file: "model/sparse.tflite",
    answer: (route) => route.fulfill({ body: "" }),
  },
  "whose weights are zero": {
    file: "model/sparse.tflite",
    answer: (route) => route.fulfill({ body: made("zeroed.tflite") }),
  },
  "for other pictures": {
    file: "model/sparse.tflite",
    answer: (route) => route.fulfill({ body: made("resized.tflite") }),
    words: /other pictures than those of 128 × 128 pixels/,
  },
  "whose label has another name": {
    file: "model/sparse.tflite",
    answer: (route) => route.fulfill({ body: replaced(sparse, '"shaky"', '"shady"') }),
  },
  "for comparison that is cut off": {
    file: "model/dense.tflite",
    answer: (route) => route.fulfill({ body: sparse.subarray(0, 9000) }),
  },
  "without a runtime": {
    file: "litert/litert_wasm_compat_internal.wasm",
    answer: (route) => route.fulfill({ status: 404, body: "not found" }),
  },
};

function replaced(file: Buffer, text: string, by: string): Buffer {
  const copy = Buffer.from(file);
  const at = copy.indexOf(text);
  expect(at).toBeGreaterThan(0);
  copy.write(by, at);
  return copy;
}

for (const [name, { file, answer, words }] of Object.entries(broken))
  test(`a model ${name} gives no answers, and says so`, async ({ page }) => {
    await page.route(`**/${file}`, (route) => answer(route));
    const app = await App.open(page);
    const alert = page.getByRole("alert");
    await expect(alert).toBeVisible();
    await expect(alert).toContainText(/missing|does not run/);
    if (words) await expect(alert).toContainText(words);
    await expect(alert).not.toContainText(/undefined|NaN|Error|\[object|wasm|tensor/);

    await app.draw(recordings("drawings.json").drawings[1]!.strokes, "pen", false);
    await expect(page.locator("#save-strokes")).toBeEnabled();
    expect(await app.answer()).toEqual({ label: "", probability: "" });
    await expect(page.locator("#result")).toHaveText(/^No answers/);
    for (const id of ["keep", "evidence"])
      await expect(page.locator(`#${id}`)).toBeDisabled();
    await page.locator("#dense").check();
    expect(await app.answer()).toEqual({ label: "", probability: "" });
  });
