/** A model in LiteRT, tested with its golden vectors before it may answer. */

import { type CompiledModel, Tensor, loadAndCompile, loadLiteRt } from "@litertjs/core";
import { type Card, decode, isWhole, readCard } from "./card";
import { probabilities } from "./probabilities";
import { SIZE } from "./raster";

/** Shape of a model's input. */
const INPUT = [1, SIZE, SIZE, 1];

const RUNTIME = new URL("litert/litert_wasm_compat_internal.js", document.baseURI).href;

/**
 * A model that this device does not run correctly, that did not arrive whole, or that
 * is for other pictures.
 */
export class BrokenModelError extends Error {}

/** Loads a model's runtime once for all models. */
let runtime: Promise<unknown> | undefined;

export class Classifier {
  private constructor(
    private readonly model: CompiledModel,
    readonly card: Card,
    readonly bytes: number,
  ) {}

  /**
   * Loads a model and tests it.
   *
   * @throws BrokenModelError where it takes other pictures than the app's, or answers
   *   anything but what its file says it should.
   */
  static async load(url: string): Promise<Classifier> {
    try {
      const response = await fetch(url);
      if (!response.ok)
        throw new BrokenModelError(`The model file is missing (${response.status}).`);
      const file = new Uint8Array(await response.arrayBuffer());
      if (!isWhole(file)) throw new Error("the file is damaged");
      runtime ??= loadLiteRt(RUNTIME);
      await runtime;
      const card = readCard(file);
      const model = await loadAndCompile(file, { accelerator: "wasm" });
      const shape = String(model.getInputDetails()[0]?.shape);
      if (shape !== String(INPUT))
        throw new BrokenModelError(
          "This app does not run the model: it is for other pictures than those of " +
            `${SIZE} × ${SIZE} pixels. No answers are shown.`,
          { cause: `input of shape ${shape}` },
        );
      const classifier = new Classifier(model, card, file.length);
      await classifier.test();
      return classifier;
    } catch (error) {
      if (error instanceof BrokenModelError) throw error;
      throw new BrokenModelError(
        "This device does not run the model correctly, or a file is damaged or " +
          "missing. No answers are shown.",
        { cause: error },
      );
    }
  }

  /**
   * Probability of "shaky".
   *
   * @param ink SIZE × SIZE values in row-major order: 1 is ink.
   */
  async classify(ink: ArrayLike<number>): Promise<number> {
    const answer = await this.run(Float32Array.from(ink));
    return probabilities(answer)[this.card.labels.indexOf("shaky")]!;
  }

  /** Milliseconds that one answer takes on this device. */
  async latency(runs = 30): Promise<number> {
    const ink = new Float32Array(SIZE * SIZE);
    await this.run(ink);
    // Browsers round their clock: many runs are timed as one.
    const start = performance.now();
    for (let i = 0; i < runs; i++) await this.run(ink);
    return (performance.now() - start) / runs;
  }

  private async run(input: Float32Array<ArrayBuffer>): Promise<number[]> {
    const tensor = new Tensor(input, INPUT);
    const [output] = await this.model.run(tensor);
    tensor.delete();
    const answer = Array.from(output!.toTypedArray(), Number);
    output!.delete();
    return answer;
  }

  /** LiteRT.js answers zeros, NaN or old memory for a broken model, without an error. */
  private async test(): Promise<void> {
    if (!this.card.labels.includes("shaky")) throw new Error("no label 'shaky'");
    const { inputs, outputs, tolerance } = this.card.golden;
    if (!outputs.length || inputs.length < outputs.length)
      throw new Error("no golden vectors");
    for (const [i, expected] of outputs.entries()) {
      const answer = await this.run(await decode(inputs[i]!, SIZE * SIZE));
      const sound = (value: number, j: number) =>
        Number.isFinite(answer[j]) && Math.abs(answer[j]! - value) <= tolerance;
      if (!expected.every(sound)) throw new Error(`golden vector ${i}: ${answer}`);
      probabilities(answer);
    }
  }
}
