import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeModel } from './encode.ts';
import { readHead, readHeadOfBytes } from './head.ts';
import { functionTower, linearModel } from './testing/models.ts';
import { Writer } from './writer.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kedge-head-'));
});
afterAll(() => rm(dir, { recursive: true }));

/** Reads a file as the loader does, and counts what it took. */
async function readFileHead(path: string) {
  const file = await open(path);
  const { size } = await file.stat();
  const count = { reads: 0, bytes: 0, largest: 0 };
  const result = await readHead(size, async (offset, length) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
    count.reads++;
    count.bytes += bytesRead;
    count.largest = Math.max(count.largest, length);
    return buffer.subarray(0, bytesRead);
  });
  await file.close();
  return { result, count, size };
}

/** A file with a hole in place of the weights: `tensors` of `bytes` each, then the rest of the graph. */
async function sparseModel(path: string, tensors: number, bytes: number, field: 'raw' | 'floats'): Promise<void> {
  const parts = Array.from({ length: tensors }, (_, index) =>
    new Writer()
      .int(1, bytes / 4)
      .int(2, 1)
      .text(8, `w${index}`)
      .varint((field === 'raw' ? 9 : 4) * 8 + 2)
      .varint(bytes)
      .done(),
  );
  const initializers = parts.map((head) =>
    new Writer()
      .varint(5 * 8 + 2)
      .varint(head.length + bytes)
      .raw(head)
      .done(),
  );
  const rest = new Writer().message(1, (node) => node.text(1, 'x').text(2, 'y').text(4, 'Neg')).done();
  const ends = new Writer()
    .message(11, (value) => value.text(1, 'x').message(2, (type) => type.message(1, (tensor) => tensor.int(1, 1))))
    .message(12, (value) => value.text(1, 'y'))
    .done();
  const length = initializers.reduce((total, part) => total + part.length + bytes, 0) + rest.length + ends.length;
  const first = new Writer()
    .int(1, 8)
    .varint(7 * 8 + 2)
    .varint(length)
    .raw(rest)
    .done();
  const last = new Writer()
    .raw(ends)
    .message(8, (opset) => opset.text(1, '').int(2, 15))
    .done();
  const file = await open(path, 'w');
  let at = 0;
  const put = async (part: Uint8Array): Promise<void> => {
    await file.write(part, 0, part.length, at);
    at += part.length;
  };
  await put(first);
  for (const part of initializers) {
    await put(part);
    at += bytes;
  }
  await put(last);
  await file.close();
}

describe('a large file', () => {
  it.each(['raw', 'floats'] as const)('of 2 GB in one tensor of %s costs two small reads', async (field) => {
    const path = join(dir, `one-${field}.onnx`);
    await sparseModel(path, 1, 2 ** 31, field);
    const { result, count, size } = await readFileHead(path);
    expect(size).toBeGreaterThan(2 ** 31);
    expect(result).toMatchObject({
      ok: true,
      head: { oversized: [], inputs: [{ name: 'x' }], outputs: [{ name: 'y' }] },
    });
    expect(count.reads).toBe(2);
    expect(count.bytes).toBeLessThanOrEqual(65_536 + 4_096);
  });

  it('of 3 GB in 300 tensors costs a small read for each', async () => {
    const path = join(dir, 'many.onnx');
    await sparseModel(path, 300, 10_000_000, 'raw');
    const { result, count, size } = await readFileHead(path);
    expect(size).toBeGreaterThan(3e9);
    expect(result.ok && result.head.graph.initializers.size).toBe(300);
    expect(count.reads).toBeLessThanOrEqual(302);
    expect(count.bytes).toBeLessThanOrEqual(65_536 + 301 * 4_096);
  });

  it('that ends within its tensor is cut off, which the head alone tells', async () => {
    const path = join(dir, 'cut.onnx');
    await sparseModel(path, 1, 2 ** 31, 'raw');
    await truncate(path, 2 ** 30);
    const { result, count } = await readFileHead(path);
    expect(result).toMatchObject({ ok: false, refusals: [{ code: 'onnx-truncated' }] });
    expect(count.bytes).toBeLessThanOrEqual(65_536 + 512);
  });
});

it('reads a small file at once', async () => {
  const path = join(dir, 'small.onnx');
  await writeFile(path, linearModel());
  const { result, count } = await readFileHead(path);
  expect(result).toEqual(readHeadOfBytes(linearModel()));
  expect(count.reads).toBe(1);
});

it('reads a head of many blocks in large ones, to the same end', async () => {
  const path = join(dir, 'blocks.onnx');
  const bytes = functionTower({ depth: 4_000 });
  await writeFile(path, bytes);
  const { result, count } = await readFileHead(path);
  expect(result).toEqual(readHeadOfBytes(bytes));
  expect(bytes.length).toBeGreaterThan(200_000);
  expect(count.largest).toBe(65_536);
  expect(count.reads).toBeLessThan(10);
});

it('reads names and texts that lie across blocks', async () => {
  const long = 'n'.repeat(60_000);
  const names = Array.from({ length: 5 }, (_, index) => `${index}${long}`);
  const bytes = encodeModel({
    inputs: names.map((name) => ({ name, type: 'float' as const, dims: [1] })),
    outputs: [{ name: 'y' }],
    nodes: [{ type: 'Sum', inputs: names, outputs: ['y'] }],
  });
  const result = await readHead(bytes.length, async (offset, length) => bytes.slice(offset, offset + length));
  expect(result.ok && result.head.inputs.map(({ name }) => name)).toEqual(names);
  expect(result.ok && result.head.graph.nodes[0]!.inputs).toEqual(names);
});

it('takes a read that comes back short as the end of the file', async () => {
  const bytes = linearModel();
  const result = await readHead(bytes.length + 10, async (offset, length) => bytes.subarray(offset, offset + length));
  expect(result).toMatchObject({ ok: false, refusals: [{ code: 'onnx-truncated' }] });
  const none = await readHead(100, async () => new Uint8Array(0));
  expect(none.ok).toBe(false);
});

it('lets through what the read throws', async () => {
  await expect(readHead(100, () => Promise.reject(new Error('the disk is gone')))).rejects.toThrow('the disk is gone');
});
