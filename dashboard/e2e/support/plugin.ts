/** A plugin file with a manifest of the test's choosing, made of one that was built. */
import { readFile } from 'node:fs/promises';

const BUILT = new URL('../../../plugins/dist/http.wasm', import.meta.url);
const MANIFEST = 'exosphere:manifest';
/** Before the sections: the magic number and the version. */
const HEAD_BYTES = 8;
const CUSTOM = 0;

interface Section {
  id: number;
  content: Buffer;
}

/** The plugin `http` that says other things of itself. */
export async function pluginThatSays(change: Record<string, unknown>): Promise<Uint8Array> {
  const wasm = await readFile(BUILT);
  const sections = [...sectionsOf(wasm)];
  const old = sections.find(isManifest);
  if (!old) throw new Error(`${BUILT.pathname} has no manifest`);
  const manifest = {
    ...(JSON.parse(afterName(old.content).rest.toString()) as Record<string, unknown>),
    ...change,
  };
  const name = Buffer.from(MANIFEST);
  const content = Buffer.concat([
    unsigned(name.length),
    name,
    Buffer.from(JSON.stringify(manifest)),
  ]);
  const kept = sections.filter((section) => section !== old);
  return Buffer.concat([
    wasm.subarray(0, HEAD_BYTES),
    ...[...kept, { id: CUSTOM, content }].map(encoded),
  ]);
}

function* sectionsOf(wasm: Buffer): Generator<Section> {
  let at = HEAD_BYTES;
  while (at < wasm.length) {
    const id = wasm[at] ?? 0;
    const size = readUnsigned(wasm, at + 1);
    at = size.end + size.value;
    yield { id, content: wasm.subarray(size.end, at) };
  }
}

const isManifest = ({ id, content }: Section) =>
  id === CUSTOM && afterName(content).name === MANIFEST;

function afterName(content: Buffer): { name: string; rest: Buffer } {
  const length = readUnsigned(content, 0);
  const end = length.end + length.value;
  return { name: content.subarray(length.end, end).toString(), rest: content.subarray(end) };
}

const encoded = ({ id, content }: Section) =>
  Buffer.concat([Buffer.from([id]), unsigned(content.length), content]);

/** LEB128, as WebAssembly writes numbers. */
function unsigned(value: number): Buffer {
  const bytes: number[] = [];
  do {
    const low = value & 0x7f;
    value >>>= 7;
    bytes.push(value === 0 ? low : low | 0x80);
  } while (value !== 0);
  return Buffer.from(bytes);
}

function readUnsigned(bytes: Buffer, at: number): { value: number; end: number } {
  let [value, shift, end] = [0, 0, at];
  for (;;) {
    const byte = bytes[end++] ?? 0;
    value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) === 0) return { value: value >>> 0, end };
    shift += 7;
  }
}
