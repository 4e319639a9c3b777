/**
 * Where the evidence lies: what the network says to each piece of the drawing alone.
 *
 * To take a piece away, as occlusion maps do, changes nothing in most drawings: the rest
 * is enough for the same answer.
 */

import { SIZE } from "./raster";

/** Side of the pieces, and from one to the next, in pixels of the picture. */
const PIECE = 72;
const STEP = 12;

/** Pixels of ink that a piece must have: a stub looks like nothing. */
const LEAST = 84;

/**
 * Classifies square pieces of a picture, each without all other ink.
 *
 * @param ink SIZE × SIZE values: 1 is ink.
 * @param classify probability of "shaky" of a picture.
 * @param goOn is told which share is done, and says whether anyone still waits; the
 *   drawing stays usable meanwhile.
 * @returns for each pixel the mean of the pieces that it lies in, from -1 (regular) to 1
 *   (shaky), 0 where there are none; null if nobody waits.
 */
export async function evidence(
  ink: Uint8Array,
  classify: (ink: Uint8Array) => Promise<number>,
  goOn: (share: number) => boolean,
): Promise<Float32Array | null> {
  const sum = new Float32Array(SIZE * SIZE);
  const count = new Float32Array(SIZE * SIZE);
  let shown = performance.now();
  for (let top = STEP - PIECE; top < SIZE; top += STEP) {
    for (let left = STEP - PIECE; left < SIZE; left += STEP) {
      const inside = pixels(top, left);
      const piece = new Uint8Array(SIZE * SIZE);
      for (const i of inside) piece[i] = ink[i]!;
      if (piece.reduce((total, value) => total + value, 0) < LEAST) continue;
      const answer = 2 * (await classify(piece)) - 1;
      for (const i of inside) {
        sum[i]! += answer;
        count[i]! += 1;
      }
      if (performance.now() - shown > 12) {
        if (!goOn((top + PIECE) / (SIZE + PIECE))) return null;
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
