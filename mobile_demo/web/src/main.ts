/** Ties the pad to the network and to what is shown. */

import { BrokenModelError, Classifier } from "./classifier";
import { DrawingError, fromJson, picture, toJson } from "./drawing";
import { evidence } from "./evidence";
import { keepOffline } from "./offline";
import { Pad } from "./pad";
import { save } from "./saving";
import { estimateTremor } from "./tremor";
import * as view from "./view";

const HINTS: Record<string, string> = {
  letter:
    "Write one letter, as large as the pad and slowly, as if with a pen on paper.",
  shape: "Draw a triangle or a quadrangle in one go, as large as the pad.",
  spiral: "Trace the spiral from its middle outwards, without resting your hand.",
};

const pad = new Pad(view.element<HTMLCanvasElement>("pad"));
const seen = view.element<HTMLCanvasElement>("seen");
const kept: { ink: Uint8Array; probability: number }[] = [];
let networks: { sparse: Classifier; dense: Classifier } | null = null;
let current: { ink: Uint8Array; probability: number } | null = null;
let turn = 0; // of the answers; one that comes late is not shown
let looks = 0; // for evidence; only the last one goes on

function network(): Classifier | null {
  const dense = view.element<HTMLInputElement>("dense").checked;
  return networks && (dense ? networks.dense : networks.sparse);
}

/** Looks at the drawing, and answers. */
async function answer(): Promise<void> {
  const mine = ++turn;
  current = null;
  let ink: Uint8Array | null = null;
  let why = "Draw a letter, a shape or a spiral.";
  try {
    ink = picture(pad.drawing);
  } catch (error) {
    if (!(error instanceof DrawingError)) throw error;
    if (!pad.empty) why = error.message;
  }
  view.paintInk(seen, ink);
  view.element("evidence-words").textContent = "";
  const classifier = network();
  if (ink && classifier) {
    const probability = await classifier.classify(ink);
    if (mine !== turn) return;
    current = { ink, probability };
    view.showAnswer(probability);
  } else if (classifier) view.showNoAnswer(why);
  showButtons();
  // The answer is painted first.
  requestAnimationFrame(() =>
    setTimeout(() => {
      if (mine !== turn) return;
      if (ink) view.showTremor(estimateTremor(pad.drawing), pad.millimetres);
      else view.showNoTremor();
    }),
  );
}

function showButtons(): void {
  const disabled = (id: string, value: boolean) =>
    (view.element<HTMLButtonElement>(id).disabled = value);
  for (const id of ["undo", "clear", "save-picture", "save-strokes"])
    disabled(id, pad.empty);
  for (const id of ["keep", "evidence"]) disabled(id, !current);
}

function keep(): void {
  if (!current) return;
  kept.push(current);
  view.showSession(kept);
  pad.clear();
}

async function showEvidence(): Promise<void> {
  const [mine, classifier, looked] = [++looks, network(), current];
  if (!classifier || !looked) return;
  const waiting = () => mine === looks && looked === current;
  const words = view.element("evidence-words");
  const found = await evidence(
    looked.ink,
    (ink) => classifier.classify(ink),
    (share) => {
      if (waiting()) words.textContent = `Looking: ${view.percent(share)}`;
      return waiting();
    },
  );
  if (!found || !waiting()) return;
  view.paintInk(seen, looked.ink, found);
  words.textContent =
    "Each piece of the drawing alone: orange where it looks shaky, blue where it looks " +
    "regular.";
}

async function load(file: File | undefined): Promise<void> {
  if (!file) return;
  try {
    pad.drawing = fromJson(await file.text());
    view.alert("file-alert", "");
  } catch (error) {
    if (!(error instanceof DrawingError)) throw error;
    view.alert("file-alert", `${file.name}: ${error.message}`);
  }
}

function choose(what: string): void {
  view.element("hint").textContent = HINTS[what] ?? "";
  pad.guide = what === "spiral";
}

function name(suffix: string): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "");
  return `drawing-${time}${suffix}`;
}

function onClick(id: string, action: () => unknown): void {
  view.element(id).addEventListener("click", () => void action());
}

pad.onChange = () => void answer();
onClick("undo", () => pad.undo());
onClick("clear", () => pad.clear());
onClick("keep", keep);
onClick("evidence", showEvidence);
onClick("save-picture", async () => save(name(".png"), await pad.toPng()));
onClick("save-strokes", () => {
  const json = new Blob([toJson(pad.drawing)], { type: "application/json" });
  return save(name(".json"), json);
});
const file = view.element<HTMLInputElement>("file");
onClick("load", () => file.click());
file.addEventListener("change", () => {
  void load(file.files?.[0]).then(() => (file.value = ""));
});
view.element("what").addEventListener("change", (event) => {
  choose((event.target as HTMLInputElement).value);
});
view.element("left-handed").addEventListener("change", (event) => {
  const { checked } = event.target as HTMLInputElement;
  document.body.classList.toggle("left-handed", checked);
});
view.element("dense").addEventListener("change", () => void answer());

choose("letter");
view.showSession(kept);
view.paintInk(seen, null);
showButtons();
keepOffline();
try {
  const [sparse, dense] = await Promise.all([
    Classifier.load("model/sparse.tflite"),
    Classifier.load("model/dense.tflite"),
  ]);
  networks = { sparse, dense };
  await answer();
  const latency: [number, number] = [await sparse.latency(), await dense.latency()];
  view.showCard(sparse, dense, latency);
} catch (error) {
  if (!(error instanceof BrokenModelError)) throw error;
  console.warn(error, error.cause);
  view.alert("alert", error.message);
  view.showNoAnswer("No answers: the model does not run.");
}
