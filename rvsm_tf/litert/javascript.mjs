/**
 * Runs a .tflite file in LiteRT.js, one example after the other.
 *
 *     node javascript.mjs PACKAGE BUILD FILE FOLDER NAMES
 *
 * PACKAGE is the folder of @litertjs/core, BUILD a file in its folder wasm. NAMES is a
 * JSON list of the inputs' names; the values of the first are FOLDER/0.npy. The answers
 * are written to FOLDER/outputs.npy. All are float32.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import v8 from "node:v8";
import vm from "node:vm";

const [home, build, file, folder, names] = process.argv.slice(2);

/** The values in a .npy file of float32, as NumPy writes it. */
function load(path) {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  return new Float32Array(Uint8Array.from(bytes.subarray(start)).buffer);
}

/** Writes a .npy file of float32; an array for each example. */
function save(path, arrays, shape) {
  const dimensions = [arrays.length, ...shape].join(", ");
  const about = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dimensions},), }`;
  const head = Buffer.alloc(128, " ");
  head.write("\x93NUMPY\x01\x00\x76\x00", "latin1"); // 0x76 bytes follow
  head.write(about, 10);
  head.write("\n", 127);
  writeFileSync(
    path,
    Buffer.concat([head, ...arrays.map((x) => Buffer.from(x.buffer))]),
  );
}

/** Makes of Node.js the kind of browser that the package asks for: a worker. */
function disguise() {
  // Node.js 20 has relaxed SIMD behind a flag, later ones simply have it.
  if (process.version.startsWith("v20."))
    v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
  globalThis.self = globalThis;
  globalThis.require = createRequire(import.meta.url);
  globalThis.__dirname = `${home}/wasm`;
  globalThis.__filename = `${home}/wasm/${build}`;
  globalThis.importScripts = (path) =>
    vm.runInThisContext(readFileSync(path, "utf8"), { filename: path });
}

async function main() {
  disguise();
  const { Tensor, loadAndCompile, loadLiteRt } = await import(
    pathToFileURL(`${home}/dist/index.js`)
  );
  await loadLiteRt(`${home}/wasm/${build}`);
  const model = await loadAndCompile(readFileSync(file), { accelerator: "wasm" });
  const details = model.getInputDetails();
  const inputs = details.map(({ name, shape }) => {
    const values = load(`${folder}/${JSON.parse(names).indexOf(name)}.npy`);
    return { values, shape, size: shape.reduce((a, b) => a * b, 1) };
  });
  const outputs = [];
  for (let i = 0; i < inputs[0].values.length / inputs[0].size; i++) {
    const tensors = inputs.map(
      ({ values, shape, size }) =>
        new Tensor(values.slice(i * size, (i + 1) * size), [...shape]),
    );
    const [output] = await model.run(tensors);
    outputs.push(output.toTypedArray().slice());
    for (const tensor of [...tensors, output]) tensor.delete();
  }
  const [, ...shape] = model.getOutputDetails()[0].shape;
  save(`${folder}/outputs.npy`, outputs, shape);
}

main().catch((error) => {
  console.error(String(error.message ?? error).replaceAll(/\s+/g, " "));
  process.exitCode = 1;
});
