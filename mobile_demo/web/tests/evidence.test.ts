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

/** Looks at the upper left corner only: ink there is shaky (or regular). */
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
    const map = (await evidence(ink, looksAtCorner(sign), () => true))!;
    expect(map).toHaveLength(SIZE * SIZE);
    expect(sign * at(map, 15, 15)).toBeGreaterThan(0.5);
    expect(sign * at(map, 15, 15)).toBeLessThanOrEqual(0.8 + 1e-6);
    // Ink that the network does not look at, and paper.
    expect(at(map, SIZE - 16, SIZE - 16)).toBe(0);
    expect(at(map, 15, SIZE - 16)).toBe(0);
  });
});

test("a piece is looked at without all other ink, and the drawing stays", async () => {
  const before = ink.slice();
  const most = ink.reduce((sum, value) => sum + value, 0) / 2;
  await evidence(
    ink,
    async (piece) => {
      expect(piece.reduce((sum, value) => sum + value, 0)).toBeLessThanOrEqual(most);
      expect(piece.every((value, i) => value <= ink[i]!)).toBe(true);
      return 0.5;
    },
    () => true,
  );
  expect(ink).toEqual(before);
});

test("pieces without ink, or with next to none, are not looked at", async () => {
  const dot = new Uint8Array(SIZE * SIZE);
  dot[50 * SIZE + 50] = 1;
  const never = async () => {
    throw new Error("looked");
  };
  const map = (await evidence(dot, never, () => true))!;
  expect(map.every((value) => value === 0)).toBe(true);
});

/** A classifier that takes its time. */
async function slow(): Promise<number> {
  const end = performance.now() + 3;
  while (performance.now() < end);
  return 0.5;
}

test("progress grows from 0 to 1 and lets others work meanwhile", async () => {
  const shares: number[] = [];
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  await evidence(ink, slow, (share) => shares.push(share) > 0);
  clearInterval(timer);
  expect(shares.length).toBeGreaterThan(1);
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
  expect(shares[0]).toBeGreaterThan(0);
  expect(shares.at(-1)).toBeLessThanOrEqual(1);
  expect(ticks).toBeGreaterThan(0);
});

test("it stops when nobody waits any more", async () => {
  let asked = 0;
  const map = await evidence(ink, slow, () => ++asked < 2);
  expect(map).toBeNull();
  expect(asked).toBe(2);
});
