import { expect, test } from "vitest";
import { PEN, fit } from "../src/fit";
import { rasterize } from "../src/raster";
import { ink, recordings } from "./vectors";

// What the network answers to these is compared in browser/drawings.spec.ts: LiteRT.js
// starts in a browser only.
test("1,000 recordings give Python's pictures", async () => {
  const { drawings } = recordings("labels.json");
  expect(drawings).toHaveLength(1000);
  let [inked, agreed, same] = [0, 0, 0];
  for (const drawing of drawings) {
    const expected = await ink(drawing.ink);
    const found = rasterize(fit(drawing.strokes), PEN);
    const union = expected.map((value, i) => value | found[i]!);
    const both = expected.map((value, i) => value & found[i]!);
    inked += sum(union);
    agreed += sum(both);
    same += Number(sum(union) === sum(both));
  }
  console.log(`${same} of 1000 pictures the same, ${agreed} of ${inked} ink pixels`);
  expect(agreed / inked).toBeGreaterThanOrEqual(0.995);
});

function sum(values: Uint8Array): number {
  return values.reduce((total, value) => total + value, 0);
}
