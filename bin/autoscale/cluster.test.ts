import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { runThere } from './cluster.ts';
import { NUMBERS } from './options.ts';

const hooks = { signal: new AbortController().signal, onTick: () => undefined, tell: () => undefined };
/** Of the load, and of how it is watched. */
const MEANT = ['outstanding', 'timeout', 'reconnect', 'look', 'seed'];

it.each(Object.keys(NUMBERS).filter((name) => !MEANT.includes(name)))(
  '--%s is refused, as a cluster that is there cannot be told it',
  (name) =>
    expect(runThere({ values: { cluster: true, [name]: '2' }, err: new PassThrough() }, hooks)).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining(`--${name} cannot be had of a cluster that is there`),
    }),
);
