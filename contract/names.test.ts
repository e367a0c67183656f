import { describe, expect, it } from 'vitest';
import { hasCode } from './errors.ts';
import {
  checkLabel,
  checkModelName,
  checkVersion,
  isLabelName,
  isModelName,
  isSafePath,
  parseVersion,
} from './names.ts';

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return hasCode(error, 'name-invalid') ? error.message : 'another error';
  }
}

describe('model names', () => {
  it.each(['a', '0', 'demand-z01', 'a.b_c-d', `a${'b'.repeat(127)}`, 'index', 'manifest.jso'])('%s', (name) => {
    expect(isModelName(name)).toBe(true);
    expect(checkModelName(name)).toBe(name);
  });

  it.each([
    '',
    'A',
    '-a',
    '.a',
    '_a',
    'a/b',
    'a b',
    'a\n',
    'ü',
    `a${'b'.repeat(128)}`,
    '..',
    'index.json',
    '__proto__',
    'a\0',
  ])('not %j', (name) => {
    expect(isModelName(name)).toBe(false);
    expect(codeOf(() => checkModelName(name))).toContain('cannot name a model');
  });
});

describe('versions', () => {
  it.each([
    ['1', 1],
    ['42', 42],
    ['999999999999999', 999_999_999_999_999],
  ])('%s', (text, version) => {
    expect(parseVersion(text)).toBe(version);
    expect(checkVersion(text)).toBe(version);
  });

  it.each(['', '0', '01', '-1', '+1', '1.0', '1e3', ' 1', '1 ', '1\n', 'latest', '９', '1000000000000000', '0x1'])(
    'not %j',
    (text) => {
      expect(parseVersion(text)).toBeUndefined();
      expect(codeOf(() => checkVersion(text))).toContain('is no version');
    },
  );
});

describe('paths within a version', () => {
  it.each(['model.onnx', 'a/b/c.bin', 'weights (1).bin', '.hidden', '..a', 'a..', 'größer', 'a'.repeat(512)])(
    '%s',
    (path) => expect(isSafePath(path)).toBe(true),
  );

  it.each([
    '',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    './a',
    'a/./b',
    'a/../b',
    '../a',
    'a\\b',
    'C:\\a',
    'a\0b',
    'a\nb',
    'a\u007f',
    'a'.repeat(513),
  ])('not %j', (path) => expect(isSafePath(path)).toBe(false));
});

describe('labels', () => {
  it.each(['stable', 'Canary-2.b_c', 'a', `a${'b'.repeat(63)}`])('%s', (label) => {
    expect(isLabelName(label)).toBe(true);
    expect(checkLabel(label)).toBe(label);
  });

  it.each(['', '2', '-a', '_a', '__proto__', 'a/b', 'a b', 'a:b', 'a\n', `a${'b'.repeat(64)}`])('not %j', (label) => {
    expect(isLabelName(label)).toBe(false);
    expect(codeOf(() => checkLabel(label))).toContain('cannot be a label');
  });
});
