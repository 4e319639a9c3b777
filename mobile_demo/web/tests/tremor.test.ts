import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import type { Drawing, Stroke } from "../src/drawing";
import { estimateTremor } from "../src/tremor";

type Curve = (t: number) => [x: number, y: number];

const PAD = 700;

const line: Curve = (t) => [100 + 60 * t, 200 + 40 * t];
const circle: Curve = (t) => [350 + 200 * Math.cos(t), 350 + 200 * Math.sin(t)];
const square: Curve = (t) => {
  const [side, along] = [Math.floor(t) % 4, 300 * (t % 1)];
  if (side === 0) return [200 + along, 200];
  if (side === 1) return [500, 200 + along];
  if (side === 2) return [500 - along, 500];
  return [200, 500 - along];
};

/** Adds an oscillation along an axis, in radians, and another across it. */
function shake(
  curve: Curve,
  hz: number,
  amplitude: number,
  axis = 0.5,
  across = 0,
): Curve {
  return (t) => {
    const [x, y] = curve(t);
    const u = amplitude * Math.sin(2 * Math.PI * hz * t);
    const v = across * Math.cos(2 * Math.PI * hz * t);
    const [cos, sin] = [Math.cos(axis), Math.sin(axis)];
    return [x + cos * u - sin * v, y + sin * u + cos * v];
  };
}

function evenly(rate: number, seconds: number): number[] {
  return Array.from({ length: Math.round(rate * seconds) }, (_, i) => i / rate);
}

/** Times as digitisers give them: uneven, some of them twice. */
function unevenly(rate: number, seconds: number): number[] {
  const times = evenly(rate, seconds).map((t, i) => t + (0.3 * Math.sin(7 * i)) / rate);
  return times.map((t, i) => (i % 20 === 19 ? times[i - 1]! : t));
}

function draw(curve: Curve, t: number[], grid = 0): Stroke {
  const points = t.map(curve);
  const snap = (v: number) => (grid ? Math.round(v / grid) * grid : v);
  const zeros = t.map(() => 0);
  return {
    pointer: "pen",
    x: points.map(([x]) => snap(x)),
    y: points.map(([, y]) => snap(y)),
    t,
    pressure: zeros,
    tiltX: zeros,
    tiltY: zeros,
  };
}

function estimate(...strokes: Stroke[]) {
  return estimateTremor({ width: PAD, height: PAD, strokes });
}

function quantile(values: number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(share * values.length)]!;
}

// Sharp corners hide tremors as small as those that a line shows.
describe.each([
  ["line", line, 4],
  ["circle", circle, 4],
  ["square", square, 10],
])("a tremor on a %s", (_, curve, amplitude) => {
  test.each([3.5, 5, 7.3, 11])("of %f Hz is found", (hz) => {
    const found = estimate(draw(shake(curve, hz, amplitude), evenly(120, 6)));
    expect(found?.hz).toBeGreaterThan(hz - 0.1);
    expect(found?.hz).toBeLessThan(hz + 0.1);
    expect(found?.amplitude).toBeGreaterThan(0.9 * amplitude);
    expect(found?.amplitude).toBeLessThan(1.1 * amplitude);
  });

  test.each([60, 240])("is found in uneven samples at %i Hz", (rate) => {
    const stroke = draw(shake(curve, 5, amplitude), unevenly(rate, 6), 0.25);
    const found = estimate(stroke);
    expect(found?.hz).toBeGreaterThan(4.9);
    expect(found?.hz).toBeLessThan(5.1);
    expect(found?.amplitude).toBeGreaterThan(0.9 * amplitude);
    expect(found?.amplitude).toBeLessThan(1.1 * amplitude);
  });

  test("is none if it is not there", () => {
    expect(estimate(draw(curve, evenly(120, 6)))).toBeNull();
    expect(estimate(draw(curve, unevenly(60, 6), 1))).toBeNull();
  });

  test("is none if it is jitter", () => {
    expect(estimate(draw(shake(curve, 10, 1.5), evenly(120, 6)))).toBeNull();
  });
});

test("a tremor's amplitude is the one along its main axis, whichever that is", () => {
  for (const axis of [0, 0.8, 1.6, 2.4]) {
    const found = estimate(draw(shake(circle, 5, 8, axis, 5), evenly(120, 6)));
    expect(found?.amplitude).toBeGreaterThan(7.6);
    expect(found?.amplitude).toBeLessThan(8.4);
  }
});

test("a tremor is told from the jitter beside it", () => {
  const curve = shake(shake(circle, 11, 2, 1), 4.5, 5);
  const found = estimate(draw(curve, evenly(120, 6)));
  expect(found?.hz).toBeCloseTo(4.5, 1);
});

test("amplitudes grow with the drawing, frequencies do not", () => {
  const stroke = draw(shake(circle, 5, 8), evenly(120, 6));
  const small = {
    ...stroke,
    x: stroke.x.map((v) => v / 7),
    y: stroke.y.map((v) => v / 7),
  };
  const found = estimateTremor({ width: 100, height: 100, strokes: [small] });
  const large = estimate(stroke);
  expect(found!.hz).toBeCloseTo(large!.hz, 6);
  expect(found!.amplitude * 7).toBeCloseTo(large!.amplitude, 6);
});

test("strokes are taken together, and short ones left out", () => {
  const curve = shake(line, 5, 8);
  const times = evenly(120, 6);
  const strokes = [times.slice(0, 200), times.slice(210, 240), times.slice(260)];
  const found = estimate(...strokes.map((t) => draw(curve, t)));
  expect(found?.hz).toBeCloseTo(5, 1);
  expect(found?.amplitude).toBeGreaterThan(7.6);
  expect(found?.amplitude).toBeLessThan(8.4);
});

test("the spectrum has its peak at the tremor's frequency", () => {
  const { hz, spectrum } = estimate(draw(shake(circle, 6, 8), evenly(120, 6)))!;
  expect(spectrum.hz).toHaveLength(spectrum.power.length);
  const peak = spectrum.hz[spectrum.power.indexOf(Math.max(...spectrum.power))]!;
  expect(Math.abs(peak - hz)).toBeLessThan(0.1);
});

test("a drawing that holds too little has no tremor", () => {
  const curve = shake(line, 5, 8);
  expect(estimate()).toBeNull();
  expect(estimate(draw(curve, []))).toBeNull();
  expect(estimate(draw(curve, [0]))).toBeNull();
  expect(estimate(draw(curve, evenly(120, 0.7)))).toBeNull();
  expect(estimate(draw(() => [9, 9], evenly(120, 3)))).toBeNull();

  // All at once: a drawing whose times were not recorded.
  expect(
    estimate({ ...draw(curve, evenly(120, 3)), t: Array(360).fill(0) }),
  ).toBeNull();

  // Two halves with a rest between them, each too short.
  const times = evenly(120, 1.4).map((t) => (t < 0.7 ? t : t + 0.5));
  expect(estimate(draw(curve, times))).toBeNull();
});

test("generated recordings' tremors are found, and no others", () => {
  const file = new URL("tremor.json", import.meta.url);
  const recordings: (Drawing & { hz: number; amplitude: number })[] = JSON.parse(
    readFileSync(file, "utf-8"),
  );
  const found = recordings.map(estimateTremor);
  const shaky = recordings.flatMap(({ hz, amplitude }, i) => {
    const tremor = found[i];
    if (!hz || !tremor) return [];
    return [{ error: Math.abs(tremor.hz - hz), ratio: tremor.amplitude / amplitude }];
  });
  const errors = shaky.map(({ error }) => error);
  const ratios = shaky.map(({ ratio }) => ratio);

  const all = recordings.filter(({ hz }) => hz).length;
  expect(all).toBeGreaterThanOrEqual(14);
  expect(shaky.length).toBeGreaterThanOrEqual(all - 1);
  expect(quantile(errors, 0.5)).toBeLessThan(0.25);
  expect(quantile(errors, 0.9)).toBeLessThan(0.7);
  expect(quantile(ratios, 0.5)).toBeGreaterThan(0.85);
  expect(quantile(ratios, 0.5)).toBeLessThan(1.2);

  const steady = found.filter((_, i) => !recordings[i]!.hz);
  expect(steady.filter((tremor) => tremor && tremor.amplitude > 1)).toEqual([]);
});
