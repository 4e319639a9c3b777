/**
 * Ink to picture: `shaky_letters/raster.py` in another language, pixel for pixel.
 *
 * Pen positions are integers, 1/64 of a pixel each. A pixel is ink when its centre lies
 * within half a pen width of the pen's path. Every quantity is then an integer smaller
 * than 2^53, so that the arithmetic is exact.
 */

/** Width and height of the picture in pixels, as in `shaky_letters/canonical.py`. */
export const SIZE = 128;

const UNITS = 64;

/** A pen's way with the pen down: x to the right, y downwards. */
export interface Line {
  x: number[];
  y: number[];
}

/**
 * Draws lines; a line of one point is a dot.
 *
 * @param lines in pixels from the picture's upper left corner.
 * @param width diameter of the pen's round tip in pixels.
 * @returns SIZE × SIZE values in row-major order: 1 where there is ink, 0 elsewhere.
 */
export function rasterize(lines: readonly Line[], width: number): Uint8Array {
  const picture = new Uint8Array(SIZE * SIZE);
  const radius = quantize(width / 2);
  for (const { x, y } of lines)
    for (let i = 0; i < x.length; i++) {
      const before = Math.max(i - 1, 0);
      segment(
        picture,
        quantize(x[before]!),
        quantize(y[before]!),
        quantize(x[i]!),
        quantize(y[i]!),
        radius,
      );
    }
  return picture;
}

/** Draws a segment from a to b, in whole pen positions. */
function segment(
  picture: Uint8Array,
  ax: number,
  ay: number,
  bx: number,
  by: number,
  radius: number,
): void {
  const [dx, dy] = [bx - ax, by - ay];
  const length = Math.max(dx * dx + dy * dy, 1);
  const [left, right] = reach(ax, bx, radius);
  const [top, bottom] = reach(ay, by, radius);
  for (let row = top; row <= bottom; row++)
    for (let column = left; column <= right; column++) {
      const px = column * UNITS + UNITS / 2 - ax;
      const py = row * UNITS + UNITS / 2 - ay;
      // Squared distance to the segment, times its squared length to stay whole: with
      // `along` the foot of the perpendicular and `foot` the same kept on the segment.
      const along = px * dx + py * dy;
      const foot = Math.min(Math.max(along, 0), length);
      const distance = (px * px + py * py) * length - foot * (2 * along - foot);
      if (distance <= radius * radius * length) picture[row * SIZE + column] = 1;
    }
}

/** The first and the last pixel inside the picture that a segment may touch. */
function reach(a: number, b: number, radius: number): [number, number] {
  return [
    Math.max(Math.floor((Math.min(a, b) - radius) / UNITS), 0),
    Math.min(Math.floor((Math.max(a, b) + radius) / UNITS), SIZE - 1),
  ];
}

/** Pixels as whole pen positions; halves go to the even neighbour, as in NumPy. */
function quantize(value: number): number {
  const scaled = value * UNITS;
  const rounded = Math.round(scaled);
  return rounded - scaled === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
