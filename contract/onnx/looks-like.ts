/** What a file is that is no ONNX model, by its first bytes; the commonest mistakes first. */
const SIGNS: readonly { what: string; at?: number; text?: string; bytes?: readonly number[] }[] = [
  {
    what: 'a pointer of Git LFS (the file itself was not fetched: run `git lfs pull`)',
    text: 'version https://git-lfs',
  },
  { what: 'a model in the ORT format (publish the .onnx file that it was made from)', at: 4, text: 'ORTM' },
  { what: 'a TensorFlow Lite model', at: 4, text: 'TFL3' },
  {
    what: 'a zip archive, such as a PyTorch checkpoint, a Keras model or a TorchScript file',
    bytes: [0x50, 0x4b, 3, 4],
  },
  { what: 'a gzip archive (unpack it first)', bytes: [0x1f, 0x8b] },
  { what: 'a zstd archive (unpack it first)', bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { what: 'an xz archive (unpack it first)', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { what: 'an HDF5 file, such as a Keras model', bytes: [0x89, 0x48, 0x44, 0x46] },
  { what: 'a CatBoost model (export it with format="onnx")', text: 'CBM1' },
  { what: 'a LightGBM model in text form (export it with onnxmltools)', text: 'tree\nversion=' },
  { what: 'a GGUF file', text: 'GGUF' },
  { what: 'a numpy array', bytes: [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] },
  { what: 'an ELF program', bytes: [0x7f, 0x45, 0x4c, 0x46] },
  { what: 'a PDF document', text: '%PDF-' },
  { what: 'a PNG image', bytes: [0x89, 0x50, 0x4e, 0x47] },
  { what: 'a tar archive (unpack it first)', at: 257, text: 'ustar' },
];

/** How many of the first bytes {@link looksLike} wants to see. */
export const FIRST_BYTES = 512;

/** What the first bytes of a file are, as part of a sentence; undefined where nothing is recognised. */
export function looksLike(first: Uint8Array): string | undefined {
  for (const { what, at = 0, text, bytes } of SIGNS) {
    const sign = text === undefined ? Uint8Array.from(bytes!) : Buffer.from(text, 'latin1');
    if (sign.every((byte, index) => first[at + index] === byte)) return what;
  }
  if (first[0] === 0x80 && first[1]! >= 2 && first[1]! <= 5) return 'a Python pickle (export the model to ONNX first)';
  if (first[8] === 0x7b && first.subarray(4, 8).every((byte) => byte === 0))
    return 'a safetensors file (weights alone)';
  return asText(first);
}

function asText(first: Uint8Array): string | undefined {
  const text = Buffer.from(first)
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart()
    .toLowerCase();
  if (text.startsWith('<!doctype html') || text.startsWith('<html')) {
    return 'an HTML page (perhaps a download link that needed a login)';
  }
  if (text.startsWith('<')) return 'an XML or HTML document (perhaps the error answer of a store)';
  if (text.startsWith('{') || text.startsWith('[')) return 'a JSON document';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what tells bytes from text
  return first.length > 0 && isUtf8(first) && !/[\u0000-\u0008\u000e-\u001f]/.test(text) ? 'a text file' : undefined;
}

/** The last character may be cut. */
function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
