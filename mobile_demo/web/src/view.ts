/** What is shown beside the pad. */

import type { Classifier } from "./classifier";
import { SIZE } from "./raster";
import type { Tremor } from "./tremor";

/** Returns the element of an id. */
export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found as T;
}

/** A share from 0 to 1 in words. */
export function percent(share: number, digits = 0): string {
  return `${(100 * share).toFixed(digits)} %`;
}

/** A probability in words; no network is certain. */
function probable(probability: number): string {
  if (probability > 0.99) return "over 99 %";
  if (probability < 0.01) return "under 1 %";
  return percent(probability);
}

/** Shows an error in the line of an id; an empty text takes it away. */
export function alert(id: "alert" | "file-alert", text: string): void {
  const line = element(id);
  line.textContent = text;
  line.hidden = !text;
}

/** Whether an answer is "shaky"; where both are as probable it is not, as in Python. */
function isShaky(probability: number): boolean {
  return probability > 0.5;
}

/** Shows an answer. */
export function showAnswer(probability: number): void {
  const result = element("result");
  const label = isShaky(probability) ? "shaky" : "regular";
  result.dataset.label = label;
  result.dataset.probability = probability.toFixed(6);
  const words = label === "shaky" ? "Shaky" : "Regular";
  result.textContent = `${words}. Probability of shaky: ${probable(probability)}`;
  element<HTMLMeterElement>("meter").value = probability;
}

/** Shows why there is no answer. */
export function showNoAnswer(words: string): void {
  const result = element("result");
  result.dataset.label = "";
  result.dataset.probability = "";
  result.textContent = words;
  element<HTMLMeterElement>("meter").value = 0;
}

/** Shows the drawings that were kept: a picture and the probability of each. */
export function showSession(kept: { ink: Uint8Array; probability: number }[]): void {
  element("kept").replaceChildren(
    ...kept.map(({ ink, probability }, i) => {
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = SIZE;
      canvas.role = "img";
      canvas.ariaLabel = `Drawing ${i + 1}: probability of shaky ${probable(probability)}`;
      paintInk(canvas, ink);
      const item = document.createElement("li");
      item.append(canvas, probable(probability));
      return item;
    }),
  );
  const shaky = kept.filter(({ probability }) => isShaky(probability)).length;
  const mean =
    kept.reduce((sum, { probability }) => sum + probability, 0) / kept.length;
  element("session").textContent = kept.length
    ? `${shaky} of ${kept.length} drawings shaky; on average ${percent(mean)} probable.`
    : "Several drawings tell more than one: keep each of them with “Keep, next drawing”.";
}

/**
 * Paints what the network saw.
 *
 * @param evidence if given, for each pixel from -1 (regular, blue) to 1 (shaky,
 *   orange); it is painted around the ink.
 */
export function paintInk(
  canvas: HTMLCanvasElement,
  ink: Uint8Array | null,
  evidence?: Float32Array,
): void {
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(SIZE, SIZE);
  for (let i = 0; i < SIZE * SIZE; i++) {
    const shown = ink && evidence && isNear(ink, i) ? evidence[i]! : 0;
    const colour = shown < 0 ? [30, 100, 210] : [240, 120, 0];
    for (let c = 0; c < 3; c++)
      image.data[4 * i + c] = ink?.[i] ? 0 : 255 + (colour[c]! - 255) * Math.abs(shown);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** Whether there is ink within three pixels of one. */
function isNear(ink: Uint8Array, i: number): boolean {
  const [row, column] = [Math.floor(i / SIZE), i % SIZE];
  for (let y = Math.max(row - 3, 0); y <= Math.min(row + 3, SIZE - 1); y++)
    for (let x = Math.max(column - 3, 0); x <= Math.min(column + 3, SIZE - 1); x++)
      if (ink[y * SIZE + x]) return true;
  return false;
}

/** Shows what the strokes say in time; null where they say nothing of a tremor. */
export function showTremor(tremor: Tremor | null, millimetres: number): void {
  element("spectrum").hidden = !tremor;
  if (!tremor) {
    element("tremor").textContent = "No oscillation of 3 to 12 Hz stands out.";
    return;
  }
  const amplitude = (tremor.amplitude * millimetres).toFixed(1);
  element("tremor").textContent =
    `The pen oscillates ${tremor.hz.toFixed(1)} times a second, about ${amplitude} mm ` +
    "to each side.";
  paintSpectrum(tremor);
}

/** Shows what there will be to see in time. */
export function showNoTremor(): void {
  element("spectrum").hidden = true;
  element("tremor").textContent =
    "How often and how far the pen oscillates, from a second of drawing on.";
}

function paintSpectrum({ hz, spectrum }: Tremor): void {
  const canvas = element<HTMLCanvasElement>("spectrum");
  const context = canvas.getContext("2d")!;
  const { width, height } = canvas;
  const [low, high, floor] = [3, 12, height - 34];
  const across = (value: number) => 36 + ((value - low) / (high - low)) * (width - 72);
  const most = Math.max(...spectrum.power);
  const ink = getComputedStyle(canvas).color;
  context.clearRect(0, 0, width, height);
  context.font = "22px system-ui, sans-serif";
  context.textAlign = "center";
  context.fillStyle = context.strokeStyle = ink;
  context.lineWidth = 3;
  for (let value = low; value <= high; value += 3)
    context.fillText(`${value} Hz`, across(value), height - 6);
  context.beginPath();
  spectrum.hz.forEach((value, i) =>
    context.lineTo(across(value), floor - (spectrum.power[i]! / most) * (floor - 8)),
  );
  context.stroke();
  context.setLineDash([4, 6]);
  context.beginPath();
  context.moveTo(across(hz), 0);
  context.lineTo(across(hz), floor);
  context.stroke();
  context.setLineDash([]);
}

/** Shows the figures of two networks side by side. */
export function showCard(
  sparse: Classifier,
  dense: Classifier,
  latency: [sparse: number, dense: number],
): void {
  const two = (value: (classifier: Classifier) => string) => [
    value(sparse),
    value(dense),
  ];
  const rows = [
    ["size of the file", ...two(({ bytes }) => `${(bytes / 1000).toFixed(1)} kB`)],
    ["weights that are zero or gone", ...two(sparsity)],
    [
      "accuracy, 20,000 drawings",
      ...two(({ card }) => percent(card.training.test_large_accuracy, 2)),
    ],
    ["one answer, on this device", ...latency.map((ms) => `${ms.toFixed(2)} ms`)],
  ];
  element("card")
    .querySelector("tbody")!
    .replaceChildren(
      ...rows.map(([name, ...values]) => {
        const row = document.createElement("tr");
        const head = document.createElement("th");
        head.scope = "row";
        head.textContent = name!;
        row.append(head, ...values.map(cell));
        return row;
      }),
    );
}

function sparsity({ card }: Classifier): string {
  return percent(card.training.sparsity, 1);
}

function cell(text: string): HTMLTableCellElement {
  const made = document.createElement("td");
  made.textContent = text;
  return made;
}
