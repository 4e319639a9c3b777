/** The app in a browser, and a hand with a pen or a finger. */

import { readFileSync } from "node:fs";
import {
  type CDPSession,
  type Download,
  type Page,
  test as base,
  expect,
} from "@playwright/test";
import type { Recording } from "../vectors";

export { expect };

export type Pointer = "pen" | "touch";
export type Strokes = Recording["strokes"];

export interface Answer {
  label: string;
  probability: string;
}

/** A stroke as the app saves it. */
export interface Saved {
  pointer: string;
  x: number[];
  y: number[];
  t: number[];
  pressure: number[];
  tilt_x: number[];
  tilt_y: number[];
}

declare global {
  interface Window {
    /** How often #result was written. */
    answers: number;
  }
}

/** Force and tilt of the hand at its sample i. */
export function grip(i: number): { force: number; tiltX: number; tiltY: number } {
  return { force: 0.3 + (i % 50) / 100, tiltX: (i % 41) - 20, tiltY: 30 };
}

export class App {
  /** When the next stroke begins, in seconds of the computer's clock. */
  private now = Date.now() / 1000;

  private constructor(
    readonly page: Page,
    readonly cdp: CDPSession,
  ) {}

  /** Opens the app, and waits until it has a model or says that it has none. */
  static async open(page: Page): Promise<App> {
    await page.goto("./");
    await expect(page.locator("#result")).not.toContainText("Loading");
    await page.evaluate(() => {
      window.answers = 0;
      new MutationObserver(() => window.answers++).observe(
        document.getElementById("result")!,
        { attributes: true },
      );
    });
    return new App(page, await page.context().newCDPSession(page));
  }

  /** Where the pad's sheet is in the window: the square inside its border. */
  async sheet(): Promise<{ left: number; top: number; side: number }> {
    return this.page.locator("#pad").evaluate((pad) => {
      pad.scrollIntoView({ block: "nearest" });
      const { left, top, width } = pad.getBoundingClientRect();
      const border = pad.clientLeft;
      return { left: left + border, top: top + border, side: width - 2 * border };
    });
  }

  /**
   * Draws with real input events, as fast as the browser takes them; they carry the
   * times of the recording. A hundred of its pixels fill the pad.
   *
   * @param answered whether the app shows something in #result after each stroke.
   */
  async draw(strokes: Strokes, pointer: Pointer, answered = true): Promise<void> {
    // A step of its own: the runner looks through all that a test has done so far for
    // the step that an event belongs to, unless it is inside of one.
    await base.step("draw", async () => {
      const { left, top, side } = await this.sheet();
      const start = this.now - strokes[0]!.t[0]!;
      for (const { x, y, t } of strokes) {
        const before = await this.page.evaluate(() => window.answers);
        const send = (type: "down" | "move" | "up", i: number) => {
          const place = [left + (x[i]! * side) / 100, top + (y[i]! * side) / 100];
          return this.send(pointer, type, place as [number, number], i, start + t[i]!);
        };
        const sent = x.map((_, i) => send(i ? "move" : "down", i));
        sent.push(send("up", x.length - 1));
        await Promise.all(sent);
        if (answered)
          await this.page.waitForFunction((n) => window.answers > n, before);
      }
      // Longer than a touch counts as the palm of a hand that holds a pen.
      this.now = start + strokes.at(-1)!.t.at(-1)! + 1;
    });
  }

  /**
   * Sends one event; only a touch is cancelled.
   *
   * @param i number of the sample, for force and tilt.
   * @param timestamp in seconds of the computer's clock; without it, now.
   */
  send(
    pointer: Pointer,
    type: "down" | "move" | "up" | "cancel",
    [x, y]: [x: number, y: number],
    i = 0,
    timestamp?: number,
  ): Promise<unknown> {
    if (pointer === "touch") {
      const ends = type === "up" || type === "cancel";
      const types = {
        down: "touchStart",
        move: "touchMove",
        up: "touchEnd",
        cancel: "touchCancel",
      } as const;
      return this.cdp.send("Input.dispatchTouchEvent", {
        type: types[type],
        touchPoints: ends ? [] : [{ x, y, ...grip(i) }],
        timestamp,
      });
    }
    const types = {
      down: "mousePressed",
      move: "mouseMoved",
      up: "mouseReleased",
      cancel: "mouseReleased",
    } as const;
    return this.cdp.send("Input.dispatchMouseEvent", {
      type: types[type],
      x,
      y,
      button: "left",
      buttons: type === "up" ? 0 : 1,
      clickCount: 1,
      pointerType: "pen",
      ...grip(i),
      timestamp,
    });
  }

  /** What the app answers now. */
  async answer(): Promise<Answer> {
    return this.page.locator("#result").evaluate((result) => ({
      label: result.dataset.label!,
      probability: result.dataset.probability!,
    }));
  }

  async click(id: string): Promise<void> {
    await this.page.click(`#${id}`);
  }

  /** Saves something, and returns the file. */
  async save(what: "strokes" | "picture"): Promise<Download> {
    const [download] = await Promise.all([
      this.page.waitForEvent("download"),
      this.click(`save-${what}`),
    ]);
    return download;
  }

  /** The strokes on the pad, as the app saves them. */
  async strokes(): Promise<Saved[]> {
    if (await this.page.locator("#save-strokes").isDisabled()) return [];
    const file = await (await this.save("strokes")).path();
    return JSON.parse(readFileSync(file, "utf8")).strokes;
  }

  /** Pixels of the pad that are painted dark. */
  async painted(): Promise<number> {
    return this.page.locator("#pad").evaluate((element) => {
      const pad = element as HTMLCanvasElement;
      const { data } = pad.getContext("2d")!.getImageData(0, 0, pad.width, pad.height);
      let dark = 0;
      for (let i = 0; i < data.length; i += 4)
        dark += Number(data[i + 3]! > 128 && data[i]! < 100);
      return dark;
    });
  }
}

/** What the runtime prints, whatever it is about, by way of the console's errors. */
const RUNTIME = /^(INFO|WARNING): /;

/**
 * Every test watches that nothing is asked of another host, that the content security
 * policy holds, and that nothing goes wrong unseen. `expected` are errors in the console
 * that belong to a test.
 */
export const test = base.extend<{ expected: RegExp; watch: void; app: App }>({
  expected: [/(?!)/, { option: true }],

  watch: [
    async ({ context, page, baseURL, expected }, use) => {
      const problems: string[] = [];
      context.on("request", (request) => {
        const url = request.url();
        if (!url.startsWith(baseURL!) && !/^(blob|data|about):/.test(url))
          problems.push(`request to ${url}`);
      });
      page.on("pageerror", (error) => problems.push(`uncaught: ${error}`));
      page.on("console", (message) => {
        const text = message.text();
        if (message.type() !== "error" || RUNTIME.test(text) || expected.test(text))
          return;
        problems.push(`console: ${text}`);
      });
      await page.addInitScript(() =>
        addEventListener("securitypolicyviolation", (event) =>
          console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
        ),
      );
      await use();
      expect(problems).toEqual([]);
    },
    { auto: true },
  ],

  app: async ({ page }, use) => use(await App.open(page)),
});
