import { describe, expect, test } from "vitest";
import {
  type Drawing,
  DrawingError,
  type Stroke,
  fromJson,
  picture,
  toJson,
} from "../src/drawing";
import { SIZE } from "../src/raster";

function stroke(points: [number, number][], pointer = "pen"): Stroke {
  return {
    pointer,
    x: points.map(([x]) => x),
    y: points.map(([, y]) => y),
    t: points.map((_, i) => i / 100),
    pressure: points.map((_, i) => 0.3 + i / 1000),
    tiltX: points.map((_, i) => i - 5),
    tiltY: points.map((_, i) => 5 - i),
  };
}

function drawing(...strokes: Stroke[]): Drawing {
  return { width: 640, height: 640, strokes };
}

const triangle: [number, number][] = [
  [100.25, 500 / 3],
  [300, 90.1],
  [411.5, 550],
  [100.25, 500 / 3],
];

describe("a drawing and its file", () => {
  test("come back as they were", () => {
    const drawn = drawing(stroke(triangle), stroke([[320, 320]], "touch"));
    expect(fromJson(toJson(drawn))).toEqual(drawn);
  });

  test("may have no strokes, and a stroke no samples", () => {
    for (const empty of [drawing(), drawing(stroke([]))])
      expect(fromJson(toJson(empty))).toEqual(empty);
  });

  test("name their format, and the columns that Python reads", () => {
    const written = JSON.parse(toJson(drawing(stroke(triangle))));
    expect(written).toMatchObject({ format: "rvsm_tf drawing", version: 1 });
    expect(Object.keys(written.strokes[0])).toEqual(
      expect.arrayContaining(["x", "y", "t", "pressure", "tilt_x", "tilt_y"]),
    );
  });

  test("may come without times, pressure and tilt", () => {
    const written = changed((file) => {
      file.strokes = [{ x: [1, 2], y: [3, 4] }];
    });
    expect(fromJson(written).strokes[0]).toMatchObject({ t: [0, 0], tiltX: [0, 0] });
  });
});

type File = Record<string, any>;

/** The text of a whole file after a change. */
function changed(change: (file: File) => void): string {
  const file: File = JSON.parse(toJson(drawing(stroke(triangle))));
  change(file);
  return JSON.stringify(file);
}

const whole = toJson(drawing(stroke(triangle)));
const damaged: Record<string, string> = {
  "not JSON": "a drawing",
  "no text at all": "",
  "cut off": whole.slice(0, -10),
  "a number": "7",
  null: "null",
  "a list": `[${whole}]`,
  "of another format": changed((file) => (file.format = "drawing")),
  "of another version": changed((file) => (file.version = 2)),
  "without a version": changed((file) => delete file.version),
  "without strokes": changed((file) => delete file.strokes),
  "with strokes that are no list": changed((file) => (file.strokes = {})),
  "with a stroke that is null": changed((file) => (file.strokes[0] = null)),
  "with a stroke that is a number": changed((file) => (file.strokes[0] = 3)),
  "without y": changed((file) => delete file.strokes[0].y),
  "with columns of unequal lengths": changed((file) => file.strokes[0].x.pop()),
  "with too few times": changed((file) => file.strokes[0].t.pop()),
  "with NaN, which JSON writes as null": changed(
    (file) => (file.strokes[0].x[1] = NaN),
  ),
  "with NaN as Python writes it": whole.replace("300", "NaN"),
  "with an infinite number": whole.replace("300", "1e999"),
  "with a text in a column": changed((file) => (file.strokes[0].y[1] = "90.1")),
  "with a text for a column": changed((file) => (file.strokes[0].pressure = "none")),
  "without a width": changed((file) => delete file.width),
  "of no height": changed((file) => (file.height = 0)),
};

describe("no drawing is read from a file", () => {
  test.each(Object.entries(damaged))("%s", (_, text) => {
    expect(() => fromJson(text)).toThrow(DrawingError);
  });

  test("and the message names what would be right", () => {
    expect(() => fromJson(damaged["of another version"]!)).toThrow(
      /"rvsm_tf drawing", version 1/,
    );
  });
});

describe("picture", () => {
  test("shows a drawing in the middle, however large it was", () => {
    const seen = picture(drawing(stroke(triangle)));
    const rows = [...seen.keys()]
      .filter((i) => seen[i])
      .map((i) => Math.floor(i / SIZE));
    // 108 pixels high, and half a tip of 2.5 pixels on either side.
    expect([Math.min(...rows), Math.max(...rows)]).toEqual([9, 118]);
    const smaller = triangle.map(([x, y]): [number, number] => [x / 2, y / 2]);
    expect(picture(drawing(stroke(smaller)))).toEqual(seen);
  });

  const refused: Record<string, [Drawing, RegExp]> = {
    "an empty sheet": [drawing(), /Nothing is drawn/],
    "a stroke without samples": [drawing(stroke([])), /Nothing is drawn/],
    "a dot": [drawing(stroke([[320, 320]])), /Too small/],
    "a dot of many samples": [drawing(stroke(Array(50).fill([9, 9]))), /Too small/],
    "a dash": [
      drawing(
        stroke([
          [320, 320],
          [351, 320],
        ]),
      ),
      /Too small/,
    ],
  };
  test.each(Object.entries(refused))("refuses %s", (_, [drawn, why]) => {
    expect(() => picture(drawn)).toThrow(DrawingError);
    expect(() => picture(drawn)).toThrow(why);
  });

  test("takes what is just large enough", () => {
    expect(
      picture(
        drawing(
          stroke([
            [320, 320],
            [352, 320],
          ]),
        ),
      ),
    ).toContain(1);
  });
});
