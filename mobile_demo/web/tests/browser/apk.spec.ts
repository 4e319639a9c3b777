/** The app as the Android package holds it, on the origin that its WebView has. */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { path, recordings } from "../vectors";
import { App, expect, test } from "./app";

const ORIGIN = "https://appassets.androidplatform.net/";
const APK = path("../build/rvsm_tf-demo.apk");
const TYPES: Record<string, string> = {
  css: "text/css",
  html: "text/html",
  js: "text/javascript",
  png: "image/png",
  svg: "image/svg+xml",
  tflite: "application/octet-stream",
  wasm: "application/wasm",
  webmanifest: "application/manifest+json",
};

test.use({ baseURL: ORIGIN });
test.skip(!existsSync(APK), "there is no build/rvsm_tf-demo.apk: 'make apk' builds it");

test("the package's files answer as Python does, and save through Android", async ({
  page,
  context,
}, info) => {
  const folder = info.outputPath("apk");
  execFileSync("python3", ["-m", "zipfile", "-e", APK, folder]);
  await context.route(`${ORIGIN}**`, async (route) => {
    const name = new URL(route.request().url()).pathname.slice(1) || "index.html";
    const file = `${folder}/assets/web/${name}`;
    if (!existsSync(file)) return route.fulfill({ status: 404 });
    const contentType = TYPES[name.split(".").at(-1)!]!;
    return route.fulfill({ body: readFileSync(file), contentType });
  });
  // What the package gives the page in place of downloads.
  await page.addInitScript(() => {
    const saved: string[][] = [];
    Object.assign(window, {
      saved,
      rvsmAndroid: { save: (...given: string[]) => saved.push(given) },
    });
  });
  const app = await App.open(page);
  for (const { strokes, python } of recordings("drawings.json").drawings.slice(0, 6)) {
    await app.draw(strokes, "touch");
    expect((await app.answer()).label).toBe(python.label);
    await app.click("save-strokes");
    await app.click("clear");
  }
  await page.waitForFunction(
    () => (window as unknown as { saved: string[][] }).saved.length === 6,
  );
  const saved = await page.evaluate(
    () => (window as unknown as { saved: string[][] }).saved,
  );
  for (const [name, type, content] of saved) {
    expect(name).toMatch(/^drawing-.*\.json$/);
    expect(type).toBe("application/json");
    const drawing = JSON.parse(Buffer.from(content!, "base64").toString());
    expect(drawing.strokes.length).toBeGreaterThan(0);
  }
});
