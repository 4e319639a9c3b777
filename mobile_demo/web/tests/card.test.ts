import { describe, expect, test } from "vitest";
import { crc32 } from "node:zlib";
import { decode, isWhole, readCard } from "../src/card";
import { SIZE } from "../src/raster";
import { model, random } from "./vectors";

/** What is read of a damaged file: a card, or null where the reader refuses it. */
function readDamaged(file: Uint8Array): unknown {
  try {
    return readCard(file);
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return null;
  }
}

describe.each(["sparse", "dense"] as const)("the card of the %s model", (kind) => {
  const { bytes } = model(kind);

  test("says what the app needs", async () => {
    const { version, labels, training, golden } = readCard(bytes);
    expect(version).toBe(1);
    expect(labels).toEqual(["regular", "shaky"]);
    for (const share of [training.sparsity, training.test_large_accuracy]) {
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share).toBeLessThanOrEqual(1);
    }
    expect(golden.tolerance).toBeGreaterThan(0);
    expect(golden.inputs).toHaveLength(golden.outputs.length);
    expect(golden.outputs.length).toBeGreaterThan(0);
    for (const output of golden.outputs) expect(output).toHaveLength(2);
    for (const input of golden.inputs) {
      const values = await decode(input, SIZE * SIZE);
      expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
      expect(values.some((value) => value > 0)).toBe(true);
    }
  });

  test("is read from the middle of a larger buffer, too", () => {
    const larger = new Uint8Array(bytes.length + 24);
    larger.set(bytes, 8);
    const part = larger.subarray(8, 8 + bytes.length);
    expect(readCard(part)).toEqual(readCard(bytes));
  });

  // A card is whole or there is none: what lies behind it in the file may be missing,
  // which the golden vectors then show.
  test("is the same or refused where the file is cut off", () => {
    const [next, card] = [random(1), readCard(bytes)];
    for (let i = 0; i < 200; i++) {
      const length = Math.floor(next() * bytes.length);
      const found = readDamaged(bytes.slice(0, length));
      if (found) expect(found).toEqual(card);
    }
    for (let length = 0; length < 64; length++)
      expect(readDamaged(bytes.slice(0, length))).toBeNull();
  });

  // A byte inside the card's text may say something else, and nothing here can tell.
  // It is an object of this version, though, or refused, and in no time.
  test("is a card or refused where a byte is wrong", () => {
    const next = random(2);
    for (let i = 0; i < 500; i++) {
      const flipped = bytes.slice();
      // Half of them where offsets are dense: a wrong offset leads anywhere.
      const end = i % 2 ? Math.min(bytes.length, 2000) : bytes.length;
      flipped[Math.floor(next() * end)]! ^= 1 + Math.floor(next() * 255);
      const found = readDamaged(flipped);
      if (found) expect(found).toMatchObject({ version: 1 });
    }
  });
});

describe("a file with a check value", () => {
  const start = new TextEncoder().encode('λ "crc32":"deadbeef"} "crc32":"');
  const rest = new TextEncoder().encode('00000000"} and weights');
  const file = new Uint8Array([...start, ...rest]);
  const check = crc32(file).toString(16).padStart(8, "0");
  file.set(new TextEncoder().encode(check), start.length);

  test("is whole as it was written", () => {
    expect(isWhole(file)).toBe(true);
  });

  test("is damaged where a bit is another one", () => {
    for (let bit = 0; bit < 8 * file.length; bit++) {
      const flipped = file.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      // Where the name is damaged there is no check value any more.
      const named = new TextDecoder("latin1").decode(flipped.slice(start.length - 9));
      if (/^"crc32":".{8}"\}/s.test(named)) expect(isWhole(flipped)).toBe(false);
    }
  });
});

test.each([
  ["nothing", new Uint8Array(0)],
  ["a text", new TextEncoder().encode("<!doctype html><title>404</title>")],
  ["zeros", new Uint8Array(1000)],
  ["a file of another kind with the right mark", mark(new Uint8Array(1000).fill(255))],
  ["a .tflite file of zeros", mark(new Uint8Array(1000))],
])("%s is refused", (_, file) => {
  expect(() => readCard(file)).toThrow();
});

function mark(file: Uint8Array): Uint8Array {
  file.set(new TextEncoder().encode("TFL3"), 4);
  return file;
}

test("a number stands for values that anybody can work out again", async () => {
  const values = await decode(3, 4);
  const modulus = 2n ** 32n;
  const exact = [1n, 2n, 3n, 4n].map(
    (i) => Number((2654435761n * (i + 40503n * 3n)) % modulus) / 2 ** 32,
  );
  expect(Array.from(values)).toEqual(exact.map(Math.fround));
});
