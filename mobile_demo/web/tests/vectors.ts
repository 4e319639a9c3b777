/** What the tests compare the app with: pictures and answers of the Python side. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decode } from "../src/card";
import { SIZE, type Line } from "../src/raster";

export interface Case {
  name: string;
  width: number;
  strokes: Line[];
  ink: string;
}

export interface Recording {
  label: string;
  strokes: (Line & { t: number[] })[];
  ink: string;
  python: { label: string; probability: number };
}

/** The path of a file, from this folder. */
export function path(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** tests/raster.json. */
export function shared(): { raster: Case[]; fit: Case[] } {
  return JSON.parse(readFileSync(path("raster.json"), "utf8"));
}

/** A file of drawings that make_vectors.py wrote; `labels.json` has no times. */
export function recordings(name: string): { model: string; drawings: Recording[] } {
  return JSON.parse(made(name).toString());
}

/** Any file that make_vectors.py wrote. */
export function made(name: string): Buffer {
  try {
    return readFileSync(path(`../build/${name}`));
  } catch (error) {
    throw new Error(`no build/${name}: run tests/make_vectors.py first`, {
      cause: error,
    });
  }
}

/** The model's file that the app takes. */
export function model(kind: "sparse" | "dense"): { path: string; bytes: Uint8Array } {
  const folder = path(`../../model/${kind}/`);
  const report: { file: string; best: string[] }[] = JSON.parse(
    readFileSync(`${folder}report.json`, "utf8"),
  );
  const { file } = report.find(({ best }) => best.includes("smallest"))!;
  return {
    path: folder + file,
    bytes: new Uint8Array(readFileSync(folder + file)),
  };
}

/** A picture that is written as golden vectors are. */
export async function ink(vector: string): Promise<Uint8Array> {
  return Uint8Array.from(await decode(vector, SIZE * SIZE));
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
export function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
