/** What a network answers, as probabilities; pipelines/run/classifier.py does the same. */

/** By how much they may miss a sum of 1: int8 rounds each to a 256th, and has no 1. */
const MOST_OFF = 0.05;

/**
 * Answers scaled so that they add up to 1.
 *
 * @throws Error where they are no probabilities.
 */
export function probabilities(answer: number[]): number[] {
  const total = answer.reduce((sum, value) => sum + value, 0);
  if (!(Math.abs(total - 1) <= MOST_OFF)) throw new Error(`answers add up to ${total}`);
  return answer.map((value) => value / total);
}
