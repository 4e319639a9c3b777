/**
 * Copies what the app serves as it is into public/: LiteRT's runtime, and two networks.
 *
 *     node assets.mjs    MODEL=DIR: a folder that export.convert wrote
 *
 * The sparse network is the smallest file of MODEL's report; the dense one, which it is
 * compared with, is always the committed one.
 */

import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const model = process.env.MODEL || join(here, "../model/sparse");

function refuse(message) {
  console.error(`Error: ${message}`);
  process.exit(2);
}

/** The name of the file that a report calls its smallest. */
function smallest(folder) {
  const report = join(folder, "report.json");
  if (!existsSync(report))
    refuse(`no '${report}': give MODEL=DIR, a folder that export.convert wrote`);
  const row = JSON.parse(readFileSync(report, "utf8")).find(({ best }) =>
    best.includes("smallest"),
  );
  // What is copied is served: no file from elsewhere, whatever the report says.
  if (basename(row.file) !== row.file)
    refuse(`'${report}' names '${row.file}': a file in the same folder is meant`);
  return join(folder, row.file);
}

// Of the runtime's builds the one without relaxed SIMD, which every browser takes.
const litert = join(
  here,
  "node_modules/@litertjs/core/wasm/litert_wasm_compat_internal",
);
mkdirSync(join(here, "public/litert"), { recursive: true });
for (const suffix of [".js", ".wasm"])
  cpSync(
    litert + suffix,
    join(here, "public/litert", `litert_wasm_compat_internal${suffix}`),
  );
cpSync(smallest(model), join(here, "public/model/sparse.tflite"));
cpSync(smallest(join(here, "../model/dense")), join(here, "public/model/dense.tflite"));
