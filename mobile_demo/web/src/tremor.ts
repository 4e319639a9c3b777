/**
 * How fast and how far a hand shakes, from the strokes it draws.
 *
 * Tremor is measured as accelerometers measure it: as a narrow peak in the spectrum of
 * the acceleration. There voluntary movement, which is slow and turns in corners, is a
 * low and broad background; in a spectrum of the positions it would be a steep slope
 * that buries the peak. A peak counts if it stands out of what lies on either side. The
 * spectrum is Welch's: pen-down time is cut into Hann windows that overlap by half, and
 * their periodograms are averaged.
 */

import type { Drawing, Stroke } from "./drawing";

/** A tremor that stands out of the drawing's voluntary movement. */
export interface Tremor {
  /** Frequency, Hz. */
  hz: number;
  /**
   * Peak deflection along the tremor's main axis, in the drawing's units (pixels):
   * the square root of 2 times the oscillation's RMS.
   */
  amplitude: number;
  /** Of the acceleration, both axes together: (pixels/s²)² per Hz, at each Hz. */
  spectrum: { hz: number[]; power: number[] };
}

const RATE = 100; // Hz, of the even samples that strokes are interpolated to
const GAP = 0.15; // seconds without a sample; what the pen did meanwhile is unknown
const SHORTEST = 0.8; // seconds of pen-down time that tell anything: 4 waves of 5 Hz
const WINDOW = 1.6; // seconds; resolves 1 Hz, which is about how far a tremor drifts

const STEP = 0.1; // Hz, of the spectrum
const HZ = Array.from({ length: 141 }, (_, i) => 1 + i * STEP);
const [LOWEST, HIGHEST] = [2.95, 12.05]; // 3 to 12 Hz on this grid: a tremor's
const BAND = 1.2; // Hz to each side of a peak that are its own: the window's main lobe
const SIDE = 3; // Hz to each side of a peak: beyond BAND and up to here is background

// Of the power at a peak to that beside it. Letters without tremor that are written in
// a hurry have peaks of up to 5 times, tremors of 3 % of the pad 20 times and more.
const CONTRAST = 8;

// Amplitude, as a share of the pad's larger side. Every hand jitters a little at 8 to
// 12 Hz, and whole pixels turn slow slanted lines into stairs: that is no tremor.
const SMALLEST = 0.004;

// Share of an amplitude that sparse samples leave; lower ones are not made up for.
const LEAST_KEPT = 0.5;

/** Even samples of pen-down time, and the seconds between those that they come from. */
interface Piece {
  x: number[];
  y: number[];
  intervals: number[];
}

/** Power densities at HZ: of each axis, and what the two have in common (in phase). */
interface Spectra {
  xx: number[];
  yy: number[];
  xy: number[];
}

/**
 * Finds the tremor in a drawing.
 *
 * @returns the oscillation of 3 to 12 Hz that moves the pen most; null if there is too
 *     little pen-down time in one piece (0.8 s), or nothing stands out.
 */
export function estimateTremor(drawing: Drawing): Tremor | null {
  const pieces = drawing.strokes.flatMap(evenPieces);
  if (pieces.length === 0) return null;
  const spectra = welch(pieces);
  const power = spectra.xx.map((xx, i) => xx + spectra.yy[i]!);

  const smallest = SMALLEST * Math.max(drawing.width, drawing.height);
  let best: Tremor | null = null;
  for (const [i, middle] of HZ.entries()) {
    if (!isBetween(middle, LOWEST, HIGHEST)) continue;
    const [before, peak, after] = [power[i - 1]!, power[i]!, power[i + 1]!];
    if (peak < before || peak <= after) continue;

    // Voluntary movement slopes: a peak has to stand out of either side.
    const background = Math.max(
      median(power.filter((_, j) => isBetween(middle - HZ[j]!, BAND, SIDE))),
      median(power.filter((_, j) => isBetween(HZ[j]! - middle, BAND, SIDE))),
    );
    if (peak < CONTRAST * background) continue;

    // The parabola through three points puts the peak between the grid's frequencies.
    const hz = middle + (STEP / 2) * ((before - after) / (before - 2 * peak + after));
    const amplitude = acceleration(spectra, hz, background) / gain(pieces, hz);
    if (amplitude < Math.max(smallest, best?.amplitude ?? 0)) continue;
    best = { hz, amplitude, spectrum: { hz: [...HZ], power } };
  }
  return best;
}

/** Interpolates a stroke to RATE; leaves out gaps and pieces that are too short. */
function evenPieces({ x, y, t }: Stroke): Piece[] {
  const pieces: Piece[] = [];
  for (let start = 0, end = 1; end <= t.length; end++) {
    if (end < t.length && t[end]! - t[end - 1]! <= GAP) continue;
    const size = Math.floor((t[end - 1]! - t[start]!) * RATE);
    if (size >= SHORTEST * RATE) {
      const piece: Piece = { x: [], y: [], intervals: [] };
      for (let i = start; i < end - 1; i++) piece.intervals.push(t[i + 1]! - t[i]!);
      for (let i = 0, j = start; i < size; i++) {
        const now = t[start]! + i / RATE;
        while (t[j + 1]! <= now) j++;
        const share = (now - t[j]!) / (t[j + 1]! - t[j]!);
        piece.x.push(x[j]! + share * (x[j + 1]! - x[j]!));
        piece.y.push(y[j]! + share * (y[j + 1]! - y[j]!));
      }
      pieces.push(piece);
    }
    start = end;
  }
  return pieces;
}

/** Averages periodograms of the acceleration in the pieces, weighted by time. */
function welch(pieces: Piece[]): Spectra {
  const zeros = () => HZ.map(() => 0);
  const spectra = { xx: zeros(), yy: zeros(), xy: zeros() };
  const total = pieces.reduce((sum, { x }) => sum + x.length, 0);
  for (const piece of pieces) {
    const [x, y] = [accelerate(piece.x), accelerate(piece.y)];
    const size = Math.min(x.length, WINDOW * RATE);
    const hann = Array.from(
      { length: size },
      (_, i) => 1 - Math.cos((2 * Math.PI * (i + 0.5)) / size),
    );
    const energy = hann.reduce((sum, h) => sum + h * h, 0);

    // Windows overlap by half or a little more, so that they end where the piece ends.
    const last = x.length - size;
    const steps = Math.ceil(last / (size / 2));
    const weight = (2 * piece.x.length) / (total * (steps + 1) * energy * RATE);
    for (let step = 0; step <= steps; step++) {
      const start = steps && Math.round((step * last) / steps);
      for (const [k, hz] of HZ.entries()) {
        const [xCos, xSin] = component(x, start, hann, hz);
        const [yCos, ySin] = component(y, start, hann, hz);
        spectra.xx[k]! += weight * (xCos ** 2 + xSin ** 2);
        spectra.yy[k]! += weight * (yCos ** 2 + ySin ** 2);
        spectra.xy[k]! += weight * (xCos * yCos + xSin * ySin);
      }
    }
  }
  return spectra;
}

/** Takes second differences, per s². */
function accelerate(values: number[]): number[] {
  return values
    .slice(2)
    .map((after, i) => (after - 2 * values[i + 1]! + values[i]!) * RATE ** 2);
}

/** Returns the Fourier component of windowed values: its cosine and sine. */
function component(values: number[], start: number, hann: number[], hz: number) {
  let [cos, sin] = [0, 0];
  for (let i = 0; i < hann.length; i++) {
    const value = hann[i]! * values[start + i]!;
    cos += value * Math.cos((2 * Math.PI * hz * i) / RATE);
    sin += value * Math.sin((2 * Math.PI * hz * i) / RATE);
  }
  return [cos, sin] as const;
}

/** Returns the peak acceleration along the main axis at a peak of the spectra. */
function acceleration({ xx, yy, xy }: Spectra, hz: number, background: number): number {
  const inBand = (_: number, i: number) => Math.abs(HZ[i]! - hz) < BAND;
  const sum = (a: number[]) => a.filter(inBand).reduce((s, v) => s + v * STEP, 0);
  const [x, y, common] = [sum(xx), sum(yy), sum(xy)];

  // The covariance's larger eigenvalue: the variance along the main axis.
  const main = (x + y) / 2 + Math.hypot((x - y) / 2, common);
  const own = Math.max(0, 1 - (background * 2 * BAND) / (x + y));
  return Math.sqrt(2 * main * own);
}

/** Returns what interpolation and `accelerate` make of an oscillation of 1 pixel. */
function gain(pieces: Piece[], hz: number): number {
  const differences = (2 * RATE * Math.sin((Math.PI * hz) / RATE)) ** 2;

  // A line between samples cuts off the wave's crests: by sinc² of their interval.
  const intervals = pieces.flatMap((piece) => piece.intervals).filter((s) => s > 0);
  const sinc = (u: number) => Math.sin(u) / u;
  const kept = intervals.reduce((s, d) => s + d * sinc(Math.PI * hz * d) ** 2, 0);
  const time = intervals.reduce((s, d) => s + d, 0);
  return differences * Math.max(kept / time, LEAST_KEPT);
}

function isBetween(value: number, low: number, high: number): boolean {
  return value > low && value < high;
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
