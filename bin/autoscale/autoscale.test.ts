import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { localPolicy } from '../../bench/autoscale/policy.ts';
import { command } from '../commands/bench/autoscale.ts';
import { runCommand } from '../run.ts';
import { podEnvironment } from './pod-environment.ts';
import { readManifest } from './read-manifest.ts';

const run = (...words: string[]): Promise<number> =>
  runCommand('bench autoscale', command, words, {
    env: {},
    out: new PassThrough(),
    err: new PassThrough(),
    signal: new AbortController().signal,
  });

describe('what cannot be run is said before anything starts', () => {
  it.each([
    [['--hpa', 'nowhere.yaml'], /nowhere\.yaml cannot be read/],
    [['--hpa', 'manifests/components/scale-to-zero/scaled-object.yaml'], /a folder, that holds both/],
    [['--hpa', 'docs'], /docs holds neither/],
    [['--load', 'steps:1,2'], /does not say how long/],
    [['--capacity', 'much'], /--capacity must be/],
    [['--compress', '0'], /--compress must be/],
    [['--min', '3', '--max', '2'], /--max 2/],
    [['--kill-at', 'soon'], /--kill-at takes a second/],
    [['--json', '/dev/null/run.json'], /--json \/dev\/null\/run\.json cannot be written/],
    [['--assert', 'nowhere.yaml'], /nowhere\.yaml cannot be read/],
    [
      ['--url', 'http://127.0.0.1:1', '--context', 'a', '--look', '2', '--reconnect', '9'],
      /^--url, --context, --look, --reconnect cannot be had of pods of this machine/,
    ],
    [['--cluster'], /--cluster needs --url/],
    [['--cluster', '--url', 'http://127.0.0.1:1', '--kill-at', '5', '--min', '1'], /--min, --kill-at cannot be had/],
    [['--cluster', '--url', 'http://127.0.0.1:1'], /cannot be reached/],
  ])('%j', (words, message) =>
    expect(run(...words)).rejects.toMatchObject({ code: 'config-invalid', message: expect.stringMatching(message) }),
  );
});

it('a folder is read as one manifest', () => {
  const file = 'manifests/components/scale-to-zero';
  const policy = localPolicy({ file, text: readManifest(file) }, {});
  expect(policy).toMatchObject({ name: 'keda-hpa-kedge', source: file, least: 0, interceptor: { route: 'kedge' } });
});

it('pods take settings of a server over, but for those that the bench says itself', () =>
  expect(
    podEnvironment({
      KEDGE_ESTIMATORS: 'here',
      KEDGE_ENGINE: 'host',
      KEDGE_QUEUE_MB: '',
      KEDGE_PORT: '80',
      KEDGE_TOKENS: 'sha256:x infer',
      KEDGE_BUCKET: 's3://b',
      HOME: '/home/someone',
    }),
  ).toEqual({ KEDGE_ESTIMATORS: 'here', KEDGE_ENGINE: 'host' }));
