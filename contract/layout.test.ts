import { describe, expect, it } from 'vitest';
import { claimKey, fileKey, manifestKey, parseKey, rolloutKey, versionDir, versionPrefix } from './layout.ts';

it('names what lies in the bucket and on the volume', () => {
  expect(rolloutKey('demand')).toBe('demand/rollout.json');
  expect(versionPrefix('demand', 8)).toBe('demand/8/');
  expect(fileKey('demand', 8, 'deep/weights.bin')).toBe('demand/8/deep/weights.bin');
  expect(claimKey('demand', 8)).toBe('demand/8/claim.json');
  expect(manifestKey('demand', 8)).toBe('demand/8/manifest.json');
  expect(versionDir('demand', 8)).toBe('models/demand/8');
});

describe('reads keys back', () => {
  it.each([
    ['index.json', { kind: 'index' }],
    ['demand/rollout.json', { kind: 'rollout', model: 'demand' }],
    ['demand/8/model.onnx', { kind: 'file', model: 'demand', version: 8, path: 'model.onnx' }],
    ['demand/8/manifest.json', { kind: 'file', model: 'demand', version: 8, path: 'manifest.json' }],
    ['demand/8/a/b', { kind: 'file', model: 'demand', version: 8, path: 'a/b' }],
    // A folder that a console made, and files of people.
    ['demand/8/', undefined],
    ['demand/8', undefined],
    ['demand/', undefined],
    ['demand', undefined],
    ['README.md', undefined],
    ['demand/notes.txt', undefined],
    ['demand/08/model.onnx', undefined],
    ['demand/latest/model.onnx', undefined],
    ['Demand/8/model.onnx', undefined],
    ['demand/8/../9/model.onnx', undefined],
    ['demand/8//model.onnx', undefined],
    ['/demand/8/model.onnx', undefined],
    ['index.json/8/model.onnx', undefined],
    ['demand/rollout.json/x', undefined],
    ['', undefined],
  ])('%j', (key, parsed) => expect(parseKey(key)).toEqual(parsed));
});
