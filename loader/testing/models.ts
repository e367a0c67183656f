import { digestOf, type Manifest } from '../../contract/manifest.ts';
import { manifestOf, serializeManifest } from '../../contract/manifest-of.ts';
import { encodeModel } from '../../contract/onnx/encode.ts';
import { readHeadOfBytes } from '../../contract/onnx/head.ts';

export interface LinearOptions {
  weight?: number;
  input?: string;
  opset?: number;
  /** Where the weights lie, instead of in the file. */
  external?: string;
  /** Makes the file larger by about so many bytes. */
  ballast?: number;
}

/** FP32 `x` [n,3] to FP32 `y` [n,1]: y = sum(x) * weight. */
export function linearModel({
  weight = 1,
  input = 'x',
  opset = 15,
  external,
  ballast,
}: LinearOptions = {}): Uint8Array {
  const w = { name: 'w', type: 'float' as const, dims: [3, 1] };
  return encodeModel({
    opsets: { '': opset },
    inputs: [{ name: input, type: 'float', dims: ['n', 3] }],
    outputs: [{ name: 'y', type: 'float', dims: ['n', 1] }],
    initializers: [external ? { ...w, external: { location: external } } : { ...w, data: [weight, weight, weight] }],
    nodes: [{ type: 'MatMul', inputs: [input, 'w'], outputs: ['y'] }],
    ...(ballast !== undefined && { metadata: { ballast: 'ballast '.repeat(ballast / 8) } }),
  });
}

/** A model that loads at once and whose run never ends. */
export function endlessModel(): Uint8Array {
  return encodeModel({
    inputs: [{ name: 'x', type: 'float', dims: ['n', 3] }],
    outputs: [{ name: 'y', type: 'float', dims: ['n', 3] }],
    initializers: [
      { name: 'trips', type: 'int64', dims: [], data: [2n ** 62n] },
      { name: 'go', type: 'bool', dims: [], data: [true] },
    ],
    nodes: [
      {
        type: 'Loop',
        inputs: ['trips', 'go', 'x'],
        outputs: ['y'],
        attributes: {
          body: {
            graph: {
              inputs: [
                { name: 'i', type: 'int64', dims: [] },
                { name: 'go_in', type: 'bool', dims: [] },
                { name: 'v', type: 'float', dims: ['n', 3] },
              ],
              outputs: [
                { name: 'go_out', type: 'bool', dims: [] },
                { name: 'v_out', type: 'float', dims: ['n', 3] },
              ],
              nodes: [
                { type: 'Identity', inputs: ['go_in'], outputs: ['go_out'] },
                { type: 'Sin', inputs: ['v'], outputs: ['v_out'] },
              ],
            },
          },
        },
      },
    ],
  });
}

/** manifest.json of one model.onnx, as publish writes it, changed in whatever way a test wants. */
export function manifestFor(
  bytes: Uint8Array,
  model: string,
  version: number,
  changes: Partial<Manifest> = {},
): string {
  const head = readHeadOfBytes(bytes);
  if (!head.ok) throw new Error('the test needs a readable model');
  const sha256 = digestOf(bytes).slice('sha256:'.length);
  const files = [{ path: 'model.onnx', bytes: bytes.length, sha256 }];
  const createdAt = '2026-11-24T00:00:00.000Z';
  return serializeManifest({ ...manifestOf({ model, version, createdAt, files, head: head.head }), ...changes });
}
