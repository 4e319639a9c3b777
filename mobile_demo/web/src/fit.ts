/**
 * A drawing of any size, moved to the middle of the picture: `shaky_letters/fit.py` in
 * another language, with the measures of `shaky_letters/canonical.py`. The same
 * operations in the same order, so that float64 gives the same positions, bit for bit.
 */

import { SIZE, type Line } from "./raster";

/** Larger side of the box around the pen's path afterwards, in pixels of the picture. */
export const SIDE = 108;

/** Diameter of the pen's tip in the picture, in pixels. */
export const PEN = 2.5;

/** The box around strokes, in their unit; null if there are none. */
export function box(
  strokes: readonly Line[],
): { left: number; top: number; right: number; bottom: number } | null {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of strokes)
    for (let i = 0; i < x.length; i++) {
      left = Math.min(left, x[i]!);
      right = Math.max(right, x[i]!);
      top = Math.min(top, y[i]!);
      bottom = Math.max(bottom, y[i]!);
    }
  return left === Infinity ? null : { left, top, right, bottom };
}

/**
 * Moves and scales strokes.
 *
 * @param strokes with at least two different points among them.
 * @returns the strokes' lines in pixels of the picture.
 */
export function fit(strokes: readonly Line[]): Line[] {
  const found = box(strokes);
  if (!found) throw new RangeError("no ink");
  const { left, top, right, bottom } = found;
  const scale = SIDE / Math.max(right - left, bottom - top);
  const [middle, centre] = [(left + right) / 2, (top + bottom) / 2];
  return strokes.map(({ x, y }) => ({
    x: x.map((value) => (value - middle) * scale + SIZE / 2),
    y: y.map((value) => (value - centre) * scale + SIZE / 2),
  }));
}
