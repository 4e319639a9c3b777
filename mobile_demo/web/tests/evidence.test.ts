import { describe, expect, test } from "vitest";
import { evidence } from "../src/evidence";
import { SIZE } from "../src/raster";

/** Ink in two corners: the upper left and the lower right. */
const ink = new Uint8Array(SIZE * SIZE);
for (let i = 10; i < 20; i++)
  for (let j = 10; j < 20; j++) {
    ink[i * SIZE + j] = 1;
    ink[(SIZE - 1 - i) * SIZE + SIZE - 1 - j] = 1;
  }

/** Looks at the upper left corner only: more ink there, more (or less) shaky. */
function looksAtCorner(sign: 1 | -1) {
  return async (picture: Uint8Array) => {
    let inked = 0;
    for (let row = 0; row < 30; row++)
      for (let column = 0; column < 30; column++)
        inked += picture[row * SIZE + column]!;
    return 0.5 + sign * (inked / 100) * 0.4;
  };
}

function at(map: Float32Array, row: number, column: number): number {
  return map[row * SIZE + column]!;
}

describe("evidence of a network that looks at the upper left corner", () => {
  test.each([1, -1] as const)("lies there, with its sign: %i", async (sign) => {
    const map = await evidence(ink, looksAtCorner(sign), () => {});
    expect(map).toHaveLength(SIZE * SIZE);
    const strongest = map.reduce(
      (best, value, i) => (Math.abs(value) > Math.abs(map[best]!) ? i : best),
      0,
    );
    expect(Math.floor(strongest / SIZE)).toBeLessThan(30);
    expect(strongest % SIZE).toBeLessThan(30);
    expect(sign * at(map, 15, 15)).toBeGreaterThan(0.1);
    expect(sign * at(map, 15, 15)).toBeLessThanOrEqual(0.4 + 1e-6);
    // Ink that the network does not look at, and paper.
    expect(at(map, 84, 84)).toBe(0);
    expect(at(map, 15, 84)).toBe(0);
  });
});

test("each piece is looked at on its own: the drawing itself stays", async () => {
  const before = ink.slice();
  await evidence(ink, looksAtCorner(1), () => {});
  expect(ink).toEqual(before);
});

test("only pieces with ink are looked at", async () => {
  let looked = 0;
  const empty = new Uint8Array(SIZE * SIZE);
  const map = await evidence(
    empty,
    async () => (looked++, 0.7),
    () => {},
  );
  expect(looked).toBe(1);
  expect(map.every((value) => value === 0)).toBe(true);
});

test("progress grows from 0 to 1 and lets others work meanwhile", async () => {
  const shares: number[] = [];
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const slow = async () => {
    const end = performance.now() + 1;
    while (performance.now() < end);
    return 0.5;
  };
  await evidence(ink, slow, (share) => shares.push(share));
  clearInterval(timer);
  expect(shares.length).toBeGreaterThan(1);
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
  expect(shares[0]).toBeGreaterThan(0);
  expect(shares.at(-1)).toBeLessThanOrEqual(1);
  expect(ticks).toBeGreaterThan(0);
});
