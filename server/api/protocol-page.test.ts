import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identityModel, linearModel } from '../../contract/onnx/testing/models.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';

const PAGE = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
/** Commands, and what each prints: the block behind it. */
const EXAMPLES = [...PAGE.matchAll(/^```sh\n(.*?)^```\n```(?:json|text)\n(.*?)^```$/gms)].map(
  ([, command, printed]) => ({ command: command!, printed: printed!.trim() }),
);
const hasCurl = spawnSync('curl', ['--version']).status === 0;

let volume: TestVolume;
let server: TestServer;
beforeAll(async () => {
  volume = new TestVolume();
  volume.add('linear', 1, linearModel());
  volume.rollout('linear', { labels: { stable: 1 } });
  volume.add('half', 1, identityModel({ type: 'float16', dims: ['N', 2] }));
  volume.add('words', 1, identityModel({ type: 'string', dims: ['N'] }));
  await volume.write();
  server = await startTestServer(volume);
  await server.settle();
});
afterAll(async () => {
  await server.stop();
  volume.remove();
});

describe.skipIf(!hasCurl)('docs/protocol.md', () => {
  it('has examples', () => expect(EXAMPLES).toHaveLength((PAGE.match(/^```sh$/gm) ?? []).length));

  it.each(EXAMPLES)('$command', async ({ command, printed }) => {
    const script = command.replaceAll('localhost:8080', server.url.replace('http://', ''));
    const { stdout } = await promisify(execFile)('bash', ['-c', script]);
    expect(stdout.trim()).toBe(printed);
  });
});
