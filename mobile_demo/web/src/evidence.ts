/** Where the evidence lies: the answer without a piece of the picture, piece by piece. */

import { SIZE } from "./raster";

/** Side of the pieces, and from one to the next, in pixels of the picture. */
const PIECE = 20;
const STEP = 5;

/**
 * Takes the ink out of a square piece of the picture, classifies what is left, and does
 * so for every piece with ink in it.
 *
 * @param ink SIZE × SIZE values: 1 is ink.
 * @param classify probability of "shaky" of a picture.
 * @param progress is told which share is done; the drawing stays usable meanwhile.
 * @returns for each pixel by how much "shaky" is more probable with the ink around it
 *   than without, from -1 to 1: the mean of the pieces that it lies in.
 */
export async function evidence(
  ink: Uint8Array,
  classify: (ink: Uint8Array) => Promise<number>,
  progress: (share: number) => void,
): Promise<Float32Array> {
  const whole = await classify(ink);
  const sum = new Float32Array(SIZE * SIZE);
  const count = new Float32Array(SIZE * SIZE);
  let shown = performance.now();
  for (let top = STEP - PIECE; top < SIZE; top += STEP) {
    for (let left = STEP - PIECE; left < SIZE; left += STEP) {
      const inside = pixels(top, left);
      if (!inside.some((i) => ink[i])) continue;
      const rest = ink.slice();
      for (const i of inside) rest[i] = 0;
      const difference = whole - (await classify(rest));
      for (const i of inside) {
        sum[i]! += difference;
        count[i]! += 1;
      }
      if (performance.now() - shown > 12) {
        progress((top + PIECE) / (SIZE + PIECE));
        await new Promise((resolve) => setTimeout(resolve));
        shown = performance.now();
      }
    }
  }
  return sum.map((value, i) => (count[i] ? value / count[i]! : 0));
}

function pixels(top: number, left: number): number[] {
  const found = [];
  for (let row = Math.max(top, 0); row < Math.min(top + PIECE, SIZE); row++)
    for (
      let column = Math.max(left, 0);
      column < Math.min(left + PIECE, SIZE);
      column++
    )
      found.push(row * SIZE + column);
  return found;
}
