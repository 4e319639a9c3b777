/** What a .tflite file says about itself; docs/reading.md describes the layout. */

export interface Card {
  version: number;
  format: string;
  labels: string[];
  training: {
    dataset: string;
    penalty?: string;
    sparsity: number;
    test_accuracy: number;
    test_large_accuracy: number;
  };
  golden: { inputs: (string | number)[]; outputs: number[][]; tolerance: number };
}

const NAME = "rvsm_tf";
const VERSION = 1;

/**
 * Reads the card out of a file.
 *
 * @throws Error where the file is no model, is cut off, or has no card.
 */
export function readCard(file: Uint8Array): Card {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const follow = (at: number) => at + view.getUint32(at, true);
  /** Where a field of a table is, 0 if it is left out. */
  const field = (table: number, n: number) => {
    const vtable = table - view.getInt32(table, true);
    const slot = 4 + 2 * n;
    const offset =
      slot < view.getUint16(vtable, true) ? view.getUint16(vtable + slot, true) : 0;
    return offset && table + offset;
  };
  /** Where the items of a vector begin, and how many there are. */
  const vector = (table: number, n: number): [start: number, count: number] => {
    const at = field(table, n);
    return at ? [follow(at) + 4, view.getUint32(follow(at), true)] : [0, 0];
  };
  const text = (table: number) => {
    const [start, count] = vector(table, 0);
    return new TextDecoder().decode(file.subarray(start, start + count));
  };
  if (file.length < 8 || view.getUint32(4, true) !== 0x334c4654 /* "TFL3" */)
    throw new Error("not a .tflite file");
  const model = follow(0);
  const [entries, count] = vector(model, 6);
  for (let i = 0; i < count; i++) {
    const entry = follow(entries + 4 * i);
    if (text(entry) !== NAME) continue;
    const at = field(entry, 1);
    const number = at ? view.getUint32(at, true) : 0;
    const card = JSON.parse(text(follow(vector(model, 4)[0] + 4 * number)));
    if (card.version !== VERSION) throw new Error(`card of version ${card.version}`);
    return card;
  }
  throw new Error("no card in the file");
}

/** Whether every byte is as it was written; files of earlier versions do not say. */
export function isWhole(file: Uint8Array): boolean {
  // One character for each byte; the last match, as a card may hold anything.
  const text = new TextDecoder("latin1").decode(file);
  const found = [...text.matchAll(/"crc32":"(.{8})"\}/gs)].pop();
  if (!found) return true;
  const digits = found.index + '"crc32":"'.length;
  let crc = ~0;
  for (let i = 0; i < file.length; i++) {
    const byte = i >= digits && i < digits + 8 ? 0x30 /* "0" */ : file[i]!;
    crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  }
  return found[1] === (~crc >>> 0).toString(16).padStart(8, "0");
}

/** What a byte does to a CRC-32. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++)
    byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte;
});

/**
 * The input that a golden vector stands for.
 *
 * @param size how many values the input has.
 */
export async function decode(
  vector: string | number,
  size: number,
): Promise<Float32Array<ArrayBuffer>> {
  if (typeof vector === "number") {
    const hash = (i: number) => Math.imul(2654435761, i + 1 + 40503 * vector) >>> 0;
    return Float32Array.from({ length: size }, (_, i) => hash(i) / 2 ** 32);
  }
  const deflated = Uint8Array.from(atob(vector), (c) => c.charCodeAt(0));
  const inflate = new DecompressionStream("deflate-raw");
  const inflated = new Response(new Blob([deflated]).stream().pipeThrough(inflate));
  const packed = new Uint8Array(await inflated.arrayBuffer());
  return Float32Array.from(
    { length: size },
    (_, i) => (packed[i >> 3]! >> (7 - (i % 8))) & 1,
  );
}
