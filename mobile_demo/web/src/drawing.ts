/**
 * A drawing: pen strokes, and the JSON that they are saved as.
 * `pipelines/collection/recording/tablet.py` reads the same files.
 */

import { PEN, box, fit } from "./fit";
import { rasterize } from "./raster";

/**
 * One touch of the pen, a value of each for each sample.
 *
 * x, y: in the pad's pixels. t: seconds since the drawing's first sample. pressure: 0
 * to 1. tiltX, tiltY: degrees.
 */
export interface Stroke {
  pointer: string;
  x: number[];
  y: number[];
  t: number[];
  pressure: number[];
  tiltX: number[];
  tiltY: number[];
}

/** Strokes on a pad that is `width` by `height` of its pixels. */
export interface Drawing {
  width: number;
  height: number;
  strokes: Stroke[];
}

const FORMAT = "rvsm_tf drawing";
const VERSION = 1;

/** Smallest larger side of a drawing that is looked at, as a share of the pad's. */
const SMALLEST = 0.05;

/** Largest number in a file; no pad has as many pixels. */
const LARGEST = 1e5;

/** A drawing in which there is nothing to see, or a file with no drawing in it. */
export class DrawingError extends Error {}

/**
 * What the network sees of a drawing: `of_path` of `shaky_letters/canonical.py` in
 * another language.
 *
 * @returns SIZE × SIZE values in row-major order: 1 is ink.
 * @throws DrawingError where nothing is drawn, or too little.
 */
export function picture(drawing: Drawing): Uint8Array {
  const found = box(drawing.strokes);
  if (!found) throw new DrawingError("Nothing is drawn yet.");
  const side = Math.max(found.right - found.left, found.bottom - found.top);
  if (side < SMALLEST * Math.max(drawing.width, drawing.height))
    throw new DrawingError(
      "Too small to tell: draw a letter, a shape or a spiral, as large as the pad.",
    );
  return rasterize(fit(drawing.strokes), PEN);
}

/** The text of a file that holds a drawing. */
export function toJson({ width, height, strokes }: Drawing): string {
  const written = strokes.map((stroke) => ({
    pointer: stroke.pointer,
    x: stroke.x,
    y: stroke.y,
    t: stroke.t,
    pressure: stroke.pressure,
    tilt_x: stroke.tiltX,
    tilt_y: stroke.tiltY,
  }));
  return JSON.stringify({
    format: FORMAT,
    version: VERSION,
    width,
    height,
    strokes: written,
  });
}

/**
 * The drawing in a file. Times, pressure and tilt may be left out, and are 0 then.
 *
 * @throws DrawingError where the text holds none.
 */
export function fromJson(text: string): Drawing {
  let content;
  try {
    content = JSON.parse(text);
  } catch {
    throw new DrawingError("This file holds no drawing: it is not JSON.");
  }
  if (content?.format !== FORMAT || content.version !== VERSION)
    throw new DrawingError(
      `This file holds no drawing: its format is not "${FORMAT}", version ${VERSION}.`,
    );
  const { width, height, strokes } = content;
  if (!isPositive(width) || !isPositive(height) || !Array.isArray(strokes))
    throw new DrawingError("This drawing is damaged: save it again.");
  return { width, height, strokes: strokes.map(toStroke) };
}

function toStroke(written: Record<string, unknown>): Stroke {
  const { x, y } = written ?? {};
  if (!isColumn(x) || !isColumn(y) || x.length !== y.length)
    throw new DrawingError("This drawing is damaged: save it again.");
  const column = (name: string) => {
    const values = written[name] ?? new Array<number>(x.length).fill(0);
    if (!isColumn(values) || values.length !== x.length)
      throw new DrawingError("This drawing is damaged: save it again.");
    return values;
  };
  return {
    pointer: String(written.pointer ?? "pen"),
    x,
    y,
    t: column("t"),
    pressure: column("pressure"),
    tiltX: column("tilt_x"),
    tiltY: column("tilt_y"),
  };
}

function isColumn(values: unknown): values is number[] {
  return (
    Array.isArray(values) &&
    values.every((value) => Number.isFinite(value) && Math.abs(value) <= LARGEST)
  );
}

function isPositive(value: unknown): boolean {
  return isColumn([value]) && (value as number) > 0;
}
