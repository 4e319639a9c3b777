import { expect, test } from "vitest";
import { probabilities } from "../src/probabilities";

// tests/pipelines/run/test_classifier.py has the same.
test.each([
  [
    [0, 0.99609375],
    [0, 1],
  ],
  [
    [0.55859375, 0.4375],
    [143 / 255, 112 / 255],
  ],
  [
    [0.5, 0.33203125, 0.1640625],
    [128 / 255, 85 / 255, 42 / 255],
  ],
  [
    [0.25, 0.75],
    [0.25, 0.75],
  ],
])("%j become %j", (answer, expected) => {
  probabilities(answer).forEach((p, i) => expect(p).toBeCloseTo(expected[i]!, 15));
});

test.each([[[0.5, 0.44]], [[0.6, 0.46]], [[2, -3]], [[0, 0]], [[NaN, 1]]])(
  "%j are refused",
  (answer) => expect(() => probabilities(answer)).toThrow("add up to"),
);
