import { describe, expect, it } from 'vitest';
import { encodeModel } from './encode.ts';
import { readHeadOfBytes } from './head.ts';
import { externalModel, functionTower, linearModel, nestedIfs, zipMapModel } from './testing/models.ts';
import { Writer } from './writer.ts';

function codeOf(bytes: Uint8Array): string {
  const result = readHeadOfBytes(bytes);
  return result.ok ? 'ok' : result.refusals.map(({ code }) => code).join();
}

function sentenceOf(bytes: Uint8Array): string {
  const result = readHeadOfBytes(bytes);
  return result.ok ? 'ok' : result.refusals[0]!.message;
}

it('says of no bytes that there are none', () => expect(codeOf(new Uint8Array(0))).toBe('onnx-empty'));

describe('a file that is something else is named', () => {
  const text = (content: string): Uint8Array => Buffer.from(content, 'latin1');
  it.each([
    ['HTML', text('<!DOCTYPE html><html><body>Log in</body></html>')],
    ['HTML', text('\n  <html lang="en">')],
    ['XML', text('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>')],
    ['JSON', text('{"learner": {"version": [2, 1, 0]}}')],
    ['Git LFS', text('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n')],
    ['zip archive', text('PK\u0003\u0004\u0014\u0000\u0000\u0000')],
    ['gzip', text('\u001f\u008b\u0008\u0000')],
    ['pickle', text('\u0080\u0004\u0095\u0010\u0000\u0000\u0000')],
    ['ORT format', text('\u0020\u0000\u0000\u0000ORTM\u0000\u0000')],
    ['TensorFlow Lite', text('\u001c\u0000\u0000\u0000TFL3')],
    ['HDF5', text('\u0089HDF\r\n\u001a\n')],
    ['LightGBM', text('tree\nversion=v4\nnum_class=1\n')],
    ['safetensors', text('\u0040\u0000\u0000\u0000\u0000\u0000\u0000\u0000{"weight":{}}')],
    ['tar archive', text(`model\u0000${'\u0000'.repeat(251)}ustar`)],
    ['text file', text('This is no model; it says so itself.')],
    ['ffffffff', Buffer.alloc(64, 0xff)],
    ['bytes', Buffer.alloc(64)],
  ])('%s', (name, bytes) => {
    expect(codeOf(bytes)).toBe('onnx-not-a-model');
    expect(sentenceOf(bytes)).toContain(name);
  });

  it('a protobuf of something else', () => {
    // The beginning of a TensorFlow SavedModel: its schema version, and a graph in another field.
    expect(
      codeOf(
        new Writer()
          .int(1, 1)
          .message(2, (inner) => inner.text(1, 'serve'))
          .done(),
      ),
    ).toBe('onnx-not-a-model');
  });
});

describe('a file that was cut', () => {
  const whole = externalModel();

  it.each(Array.from({ length: whole.length - 1 }, (_, index) => index + 1))(
    'after %i bytes is never a model',
    (length) => {
      expect(codeOf(whole.subarray(0, length))).not.toBe('ok');
    },
  );

  it('within its graph says how much is missing at least', () => {
    expect(codeOf(whole.subarray(0, 60))).toBe('onnx-truncated');
    expect(sentenceOf(whole.subarray(0, 60))).toMatch(/ends after 60 bytes, at least \d+ bytes early/);
  });

  it('before its opsets cannot be read', () => {
    const bytes = encodeModel({ outputs: [], nodes: [], opsets: {} });
    expect(codeOf(bytes)).toBe('onnx-malformed');
    expect(sentenceOf(bytes)).toContain('names no opset');
  });
});

describe('a damaged file', () => {
  const start = (): Writer => new Writer().int(1, 8).message(8, (inner) => inner.text(1, '').int(2, 15));
  const node = (write: (inner: Writer) => unknown): Writer => start().message(7, (graph) => graph.message(1, write));

  it.each<[string, Writer]>([
    [
      'wire type',
      start()
        .varint(7 * 8)
        .varint(5),
    ],
    [
      'wire type',
      start()
        .varint(1 * 8 + 2)
        .varint(0),
    ],
    ['wire type 3', node((inner) => inner.varint(5 * 8 + 3))],
    ['field without a number', node((inner) => inner.varint(2).varint(0))],
    ['more than ten bytes', node((inner) => inner.raw(new Uint8Array(11).fill(0x80)))],
    ['longer than what it is part of', node((inner) => inner.varint(1 * 8 + 2).varint(1000)).raw(new Uint8Array(2000))],
    ['longer than what it is part of', node((inner) => inner.raw(Uint8Array.of(0x80))).raw(new Uint8Array(100))],
    [
      'two graphs',
      start()
        .message(7, () => 0)
        .message(7, () => 0),
    ],
    ['a name of 70000 bytes', node((inner) => inner.text(1, 'n'.repeat(70_000)))],
    ['no IR version', new Writer().message(7, () => 0).message(8, (inner) => inner.int(2, 15))],
    [
      "the length '12x'",
      start().message(7, (graph) =>
        graph.message(5, (tensor) => tensor.int(14, 1).message(13, (entry) => entry.text(1, 'length').text(2, '12x'))),
      ),
    ],
    [
      'two types',
      start().message(7, (graph) => graph.message(11, (value) => value.message(2, () => 0).message(2, () => 0))),
    ],
    [
      'two tensors',
      node((inner) => inner.message(5, (attribute) => attribute.message(5, () => 0).message(5, () => 0))),
    ],
  ])('%s', (what, writer) => {
    expect(codeOf(writer.done())).toBe('onnx-malformed');
    expect(sentenceOf(writer.done())).toContain(what);
  });

  it('with unknown fields is none: later releases of ONNX add some', () => {
    const bytes = new Writer().raw(linearModel()).text(90, 'new').int(91, 1).float(92, 1).done();
    expect(codeOf(bytes)).toBe('ok');
  });

  it('nested deeper than any runtime parses is refused, whatever the depth', () => {
    expect(codeOf(nestedIfs(30))).toBe('ok');
    expect(codeOf(nestedIfs(40))).toBe('onnx-malformed');
    expect(codeOf(nestedIfs(300))).toBe('onnx-malformed');
  });

  it('with more names and nodes than a runtime loads is refused before they fill the memory', () => {
    const nodes = new Uint8Array(2_000_000);
    for (let at = 0; at < nodes.length; at += 4) nodes.set([1 * 8 + 2, 2, 4 * 8 + 2, 0], at);
    const bytes = start().bytes(7, nodes).done();
    expect(codeOf(bytes)).toBe('onnx-malformed');
    expect(sentenceOf(bytes)).toContain('MB without the weights');
  });
});

/** The same numbers each time (Lehmer's generator). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}

describe('whatever the bytes', () => {
  const models = {
    linear: linearModel(),
    external: externalModel(),
    ifs: nestedIfs(3),
    tower: functionTower({ depth: 4, calls: 2 }),
    zipMap: zipMapModel(),
  };

  it.each(Object.entries(models))('each byte of %s changed: an answer, never an exception', (_, whole) => {
    for (let at = 0; at < whole.length; at++) {
      for (const value of [0, 0x7f, 0x80, 0xff, whole[at]! ^ 1, whole[at]! ^ 8]) {
        const bytes = whole.slice();
        bytes[at] = value;
        expect(() => readHeadOfBytes(bytes)).not.toThrow();
      }
    }
  });

  it('bytes by chance: an answer, never an exception', () => {
    const next = random(7);
    for (let round = 0; round < 2_000; round++) {
      const bytes = Uint8Array.from({ length: next(400) }, () => next(256));
      // Half of them begin as a model does, so that the walk gets somewhere.
      if (round % 2) bytes.set([8, 8, 7 * 8 + 2, next(128)].slice(0, bytes.length));
      expect(() => readHeadOfBytes(bytes)).not.toThrow();
    }
  });
});
