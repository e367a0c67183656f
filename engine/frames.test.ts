import { describe, expect, it } from 'vitest';
import type { Tensors } from '../contract/tensor.ts';
import { encodeFrame, type Frame, FrameReader } from './frames.ts';
import { packTensors, unpackTensors } from './tensor-blobs.ts';

const frames: Frame[] = [
  { header: { call: 'run', name: '__proto__ ü 😀' }, blobs: [] },
  { header: null, blobs: [Uint8Array.of(1, 2, 3), new Uint8Array(0), Uint8Array.of(4, 5, 6, 7, 8, 9, 10, 11)] },
  { header: [1], blobs: [new Uint8Array(33).fill(7)] },
];
const stream = Buffer.concat(frames.flatMap((frame) => encodeFrame(frame)));

describe('FrameReader', () => {
  it('reads frames cut at any byte', () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      const reader = new FrameReader();
      const read = [...reader.push(stream.subarray(0, cut)), ...reader.push(stream.subarray(cut))];
      expect(read).toEqual(frames);
    }
  });

  it('reads frames that come byte by byte', () => {
    const reader = new FrameReader();
    expect([...stream].flatMap((byte) => reader.push(Uint8Array.of(byte)))).toEqual(frames);
  });

  it('lays every blob on a multiple of 8', () => {
    const blobs = new FrameReader().push(stream).flatMap((frame) => frame.blobs);
    expect(blobs.map((blob) => blob.byteOffset % 8)).toEqual(blobs.map(() => 0));
  });

  it('refuses a length that is none of ours', () => {
    expect(() => new FrameReader({ maxBytes: 1000 }).push(Buffer.from('HTTP/1.1'))).toThrow(RangeError);
    expect(() => new FrameReader().push(new Uint8Array(4))).toThrow(RangeError);
  });
});

it('refuses to write a frame beyond the limit', () => {
  const huge = { byteLength: 2 ** 31 } as Uint8Array;
  expect(() => encodeFrame({ header: 0, blobs: [huge] })).toThrow(expect.objectContaining({ code: 'request-invalid' }));
});

it('brings tensors of every datatype through', () => {
  const tensors: Tensors = new Map([
    ['__proto__', { datatype: 'BOOL', shape: [3], data: Uint8Array.of(0, 1, 1) }],
    ['i64', { datatype: 'INT64', shape: [2], data: BigInt64Array.of(-(2n ** 63n), 9007199254740993n) }],
    ['u64', { datatype: 'UINT64', shape: [], data: BigUint64Array.of(2n ** 64n - 1n) }],
    ['f16', { datatype: 'FP16', shape: [1, 3], data: Float16Array.of(1.5, Number.NaN, -Infinity) }],
    ['f64', { datatype: 'FP64', shape: [1], data: Float64Array.of(0.1) }],
    ['part', { datatype: 'INT16', shape: [2], data: Int16Array.of(9, 8, 7, 6).subarray(1, 3) }],
    ['text', { datatype: 'BYTES', shape: [4], data: ['', 'a\u0000b', 'ü😀', 'x'.repeat(100)] }],
    ['none', { datatype: 'BYTES', shape: [0, 2], data: [] }],
  ]);
  const { heads, blobs } = packTensors(tensors);
  const [frame] = new FrameReader().push(Buffer.concat(encodeFrame({ header: heads, blobs })));
  expect(unpackTensors({ heads: frame!.header as typeof heads, blobs: frame!.blobs })).toEqual(tensors);
});
