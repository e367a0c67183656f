import { describe, expect, it } from 'vitest';
import {
  choice,
  describeSettings,
  integer,
  list,
  mebibytes,
  notEmpty,
  optional,
  readSettings,
  seconds,
  text,
} from './settings.ts';

const settings = {
  bucket: text('T_BUCKET', 'where the models are'),
  label: optional(text('T_LABEL', 'a label')),
  port: integer('T_PORT', 'the port', { min: 0, max: 65535, default: '8080' }),
  poll: seconds('T_POLL', 'how often', { min: 0.1, max: 60, default: '0.5' }),
  memory: mebibytes('T_MEMORY', 'how much', { min: 1, max: 1024, default: '2' }),
  level: choice('T_LEVEL', 'how loud', ['info', 'warn'], { default: 'info' }),
  names: optional(list('T_NAMES', 'which')),
  secret: notEmpty(optional(text('T_SECRET', 'a secret')), 'which would open all: unset it'),
};

describe('readSettings', () => {
  it('takes defaults, and values in the units of code', () =>
    expect(readSettings(settings, { T_BUCKET: 'file:///x', T_NAMES: 'a, b' })).toEqual({
      bucket: 'file:///x',
      label: undefined,
      port: 8080,
      poll: 500,
      memory: 2 ** 21,
      level: 'info',
      names: ['a', 'b'],
      secret: undefined,
    }));

  it('takes an empty variable for an absent one, unless its setting refuses that', () => {
    expect(readSettings(settings, { T_BUCKET: 'b', T_LABEL: '', T_PORT: '' })).toMatchObject({
      label: undefined,
      port: 8080,
    });
    expect(() => readSettings(settings, { T_BUCKET: 'b', T_SECRET: '' })).toThrow(
      'T_SECRET is empty, which would open all: unset it',
    );
    expect(readSettings(settings, { T_BUCKET: 'b', T_SECRET: 'x' }).secret).toBe('x');
  });

  it('names every problem at once', () => {
    const env = { T_PORT: 'tcp://10.0.0.1:8080', T_POLL: '0', T_MEMORY: '1.5', T_LEVEL: 'loud', T_BUCKET: '' };
    expect(() => readSettings(settings, env)).toThrow(
      expect.objectContaining({
        code: 'config-invalid',
        message: expect.stringMatching(
          /^T_BUCKET is not set.*\nT_PORT .*enableServiceLinks.*\nT_POLL must be.*\nT_MEMORY must be.*\nT_LEVEL must be one of info, warn/,
        ),
      }),
    );
  });
});

it('describes each for help and README', () =>
  expect(describeSettings(settings).map(({ env, default: value }) => [env, value])).toEqual([
    ['T_BUCKET', 'required'],
    ['T_LABEL', ''],
    ['T_PORT', '8080'],
    ['T_POLL', '0.5'],
    ['T_MEMORY', '2'],
    ['T_LEVEL', 'info'],
    ['T_NAMES', ''],
    ['T_SECRET', ''],
  ]));
