import { describe, expect, test } from "vitest";
import { PEN, fit } from "../src/fit";
import { rasterize } from "../src/raster";
import { ink, shared } from "./vectors";

const cases = shared();

describe("rasterize gives Python's picture, every pixel of it", () => {
  test.each(cases.raster)("$name", async ({ strokes, width, ink: expected }) => {
    expect(rasterize(strokes, width)).toEqual(await ink(expected));
  });
});

describe("fit and rasterize give Python's picture, every pixel of it", () => {
  test.each(cases.fit)("$name", async ({ strokes, ink: expected }) => {
    expect(rasterize(fit(strokes), PEN)).toEqual(await ink(expected));
  });
});

test("the shared pictures are white where they should be only", async () => {
  const white = [];
  for (const { name, ink: vector } of [...cases.raster, ...cases.fit])
    if (!(await ink(vector)).includes(1)) white.push(name);
  // The tip of the second ends a unit before the first pixels' middles.
  expect(white).toEqual(["nothing inside", "half a unit, negative"]);
});

test("without ink there is nothing to fit", () => {
  expect(() => fit([])).toThrow(RangeError);
  expect(() => fit([{ x: [], y: [] }])).toThrow(RangeError);
});
