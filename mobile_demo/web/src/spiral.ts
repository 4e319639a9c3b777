/** The Archimedean spiral to trace. */

import type { Line } from "./raster";

const TURNS = 2.5;

/** Returns the spiral from its middle outwards, for a pad that is `side` wide. */
export function spiral(side: number): Line {
  const steps = 300;
  const line: Line = { x: [], y: [] };
  for (let i = 0; i <= steps; i++) {
    const share = i / steps;
    const angle = 2 * Math.PI * TURNS * share;
    const radius = 0.4 * side * share;
    line.x.push(side / 2 + radius * Math.cos(angle));
    line.y.push(side / 2 + radius * Math.sin(angle));
  }
  return line;
}
