import { recordings } from "../vectors";
import { App, expect, test } from "./app";

// The error is of the request that shows that there is no network.
test.use({ serviceWorkers: "allow", expected: /ERR_INTERNET_DISCONNECTED/ });

test("after the first visit the app works without a network", async ({
  page,
  context,
}) => {
  const drawing = recordings("drawings.json").drawings[1]!;
  const first = await App.open(page);
  // A worker that is active has everything in its cache, else it does not get so far.
  await page.evaluate(() => navigator.serviceWorker.ready);
  await first.draw(drawing.strokes, "pen");
  const before = await first.answer();

  await context.setOffline(true);
  const reached = () =>
    fetch(`missing-${Math.random()}`).then(
      () => true,
      () => false,
    );
  expect(await page.evaluate(reached)).toBe(false);
  const fetched: string[] = [];
  page.on("response", (response) => {
    if (!response.fromServiceWorker() && !response.url().startsWith("blob:"))
      fetched.push(response.url());
  });
  const again = await App.open(page);
  await again.draw(drawing.strokes, "pen");
  expect(await again.answer()).toEqual(before);
  expect(before.label).toMatch(/regular|shaky/);
  expect(fetched).toEqual([]);
});

test("what an installed app needs is there", async ({ page, baseURL }) => {
  await App.open(page);
  const link = page.locator('link[rel="manifest"]');
  const url = new URL((await link.getAttribute("href"))!, baseURL);
  const manifest = await (await page.request.get(url.href)).json();
  expect(manifest).toMatchObject({ display: "standalone" });
  for (const { src } of manifest.icons) {
    const icon = await page.request.get(new URL(src, url).href);
    expect(icon.ok()).toBe(true);
    expect(icon.headers()["content-type"]).toMatch(/^image\//);
  }
});
