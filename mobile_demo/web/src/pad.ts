/** The sheet to draw on: pen, touch and mouse in, strokes out. */

import type { Drawing, Stroke } from "./drawing";
import { spiral } from "./spiral";

/** Width and height of the pad in its own pixels, however large it is on the screen. */
export const SIDE = 640;

const LINE_WIDTH = 10;

/** For so long after a pen was seen a touch is a palm, in milliseconds. */
const PALM = 500;

export class Pad {
  /** Called when a stroke ends, and after undo, clear and load. */
  onChange: () => void = () => {};

  private strokes: Stroke[] = [];
  private start = 0; // time stamp of the drawing's first sample, milliseconds
  private active: { id: number; stroke: Stroke } | null = null;
  private penSeen = -Infinity;
  private withGuide = false;
  private readonly context: CanvasRenderingContext2D;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.context = canvas.getContext("2d")!;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", (event) => this.cancel(event));
    // A long press would open a menu, and a drag select text.
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    new ResizeObserver(() => this.repaint()).observe(canvas);
  }

  get drawing(): Drawing {
    return { width: SIDE, height: SIDE, strokes: this.strokes };
  }

  /** Shows another drawing, scaled into the pad. */
  set drawing({ width, height, strokes }: Drawing) {
    const scale = SIDE / Math.max(width, height);
    const last = strokes.flatMap(({ t }) => t).reduce((a, b) => Math.max(a, b), 0);
    // What is drawn next comes after what is there.
    this.start = performance.now() - 1000 * last;
    this.active = null;
    this.strokes = strokes.map((stroke) => ({
      ...stroke,
      x: stroke.x.map((value) => value * scale),
      y: stroke.y.map((value) => value * scale),
    }));
    this.changed();
  }

  get empty(): boolean {
    return this.strokes.length === 0;
  }

  /** Whether a spiral to trace lies under the drawing. */
  set guide(shown: boolean) {
    this.withGuide = shown;
    this.repaint();
  }

  /** About how many millimetres one of the pad's pixels is long: no browser tells. */
  get millimetres(): number {
    // CSS pixels are meant to be 1/160 inch on tablets and phones, 1/96 elsewhere.
    const dense = matchMedia("(pointer: coarse)").matches;
    return ((this.canvas.clientWidth / SIDE) * 25.4) / (dense ? 160 : 96);
  }

  undo(): void {
    this.active = null;
    this.strokes = this.strokes.slice(0, -1);
    this.changed();
  }

  clear(): void {
    this.active = null;
    this.strokes = [];
    this.changed();
  }

  /** Paints the drawing alone, black on white, as a picture file. */
  toPng(): Promise<Blob> {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 2 * SIDE;
    const context = canvas.getContext("2d")!;
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.scale(2, 2);
    for (const stroke of this.strokes) paint(context, stroke, 0);
    return new Promise((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture")))),
    );
  }

  private down(event: PointerEvent): void {
    const pen = event.pointerType === "pen";
    if (pen) this.penSeen = event.timeStamp;
    const palm = event.pointerType === "touch" && this.penNear(event);
    if (palm || event.button !== 0) return;
    if (this.active) {
      // A palm often lands before the pen does: what it drew goes.
      if (!pen || this.active.stroke.pointer === "pen") return;
      this.strokes.pop();
      this.active = null;
      this.repaint();
    }
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    if (this.empty) this.start = event.timeStamp;
    const stroke = newStroke(event.pointerType);
    this.strokes = [...this.strokes, stroke];
    this.active = { id: event.pointerId, stroke };
    this.add(event);
  }

  private move(event: PointerEvent): void {
    if (event.pointerType === "pen") this.penSeen = event.timeStamp;
    if (event.pointerId !== this.active?.id) return;
    const samples = event.getCoalescedEvents?.() ?? [];
    for (const sample of samples.length ? samples : [event]) this.add(sample);
  }

  private up(event: PointerEvent): void {
    if (event.pointerId !== this.active?.id) return;
    this.active = null;
    this.onChange();
  }

  /** The system took the pointer for something else, such as a gesture. */
  private cancel(event: PointerEvent): void {
    if (event.pointerId === this.active?.id) this.undo();
  }

  private penNear(event: PointerEvent): boolean {
    return event.timeStamp - this.penSeen < PALM;
  }

  private add(event: PointerEvent): void {
    const { stroke } = this.active!;
    // Ink is painted inside the border.
    const bounds = this.canvas.getBoundingClientRect();
    const border = this.canvas.clientLeft;
    const scale = SIDE / (bounds.width - 2 * border);
    stroke.x.push((event.clientX - bounds.left - border) * scale);
    stroke.y.push((event.clientY - bounds.top - border) * scale);
    stroke.t.push((event.timeStamp - this.start) / 1000);
    stroke.pressure.push(event.pressure);
    stroke.tiltX.push(event.tiltX);
    stroke.tiltY.push(event.tiltY);
    paint(this.context, stroke, Math.max(stroke.x.length - 2, 0));
  }

  private changed(): void {
    this.repaint();
    this.onChange();
  }

  private repaint(): void {
    const { canvas, context } = this;
    const pixels = Math.round(canvas.clientWidth * devicePixelRatio);
    if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
    context.setTransform(pixels / SIDE, 0, 0, pixels / SIDE, 0, 0);
    context.clearRect(0, 0, SIDE, SIDE);
    if (this.withGuide) paintGuide(context);
    for (const stroke of this.strokes) paint(context, stroke, 0);
  }
}

function newStroke(pointer: string): Stroke {
  return { pointer, x: [], y: [], t: [], pressure: [], tiltX: [], tiltY: [] };
}

/** Paints a stroke from one of its samples on. */
function paint(
  context: CanvasRenderingContext2D,
  { x, y }: Stroke,
  from: number,
): void {
  if (!x.length) return;
  context.strokeStyle = "#111";
  context.lineWidth = LINE_WIDTH;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(x[from]!, y[from]!);
  // A line to where it starts is a dot.
  for (let i = Math.min(from + 1, x.length - 1); i < x.length; i++)
    context.lineTo(x[i]!, y[i]!);
  context.stroke();
}

function paintGuide(context: CanvasRenderingContext2D): void {
  const { x, y } = spiral(SIDE);
  context.strokeStyle = "#9ab";
  context.lineWidth = 3;
  context.setLineDash([2, 10]);
  context.lineCap = "round";
  context.beginPath();
  for (let i = 0; i < x.length; i++) context.lineTo(x[i]!, y[i]!);
  context.stroke();
  context.setLineDash([]);
}
