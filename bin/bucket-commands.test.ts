import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { describeStores, externalFiles, type TestBucket, type TestStores } from '../registry/testing/stores.ts';
import { type CommandResult, runKedge } from '../tests/e2e/programs.ts';
import { sizeText, table } from './bucket.ts';
import { progressOn } from './progress.ts';

describeStores('the commands on the bucket', ({ open, files }: TestStores) => {
  const kedge = ({ env }: TestBucket, ...words: string[]): Promise<CommandResult> => runKedge(words, env);
  const ok = async (bucket: TestBucket, ...words: string[]): Promise<string> => {
    const { code, out, err } = await kedge(bucket, ...words);
    expect([code, err]).toEqual([0, '']);
    return out;
  };

  it('publish, look, pin, retire and clean up', async () => {
    const bucket = await open();
    const first = await files({
      'model.onnx': linearModel(),
      'details.json': '{"training":{"rows":9007199254740993}}',
    });
    expect(await ok(bucket, 'ls')).toBe(`${bucket.url} holds no models.\n`);
    const words = ['--model', 'demand', '--details', `${first}/details.json`, '--publisher', 'ci'];
    const out = await ok(bucket, 'publish', `${first}/model.onnx`, ...words);
    expect(out).toMatch(/^Published demand version 1 in \S+: 1 file, \d+ bytes, sha256:[0-9a-f]{64}\n$/);
    expect(await ok(bucket, 'publish', `${first}/model.onnx`, ...words)).toBe(out.replace('Published', 'Completed'));

    const second = JSON.parse(await ok(bucket, 'publish', await files(externalFiles()), '-m', 'demand', '--json'));
    expect(second).toMatchObject({ model: 'demand', version: 2, resumed: false, notes: [] });

    expect(await ok(bucket, 'pin', 'demand', '1')).toBe('demand is pinned to version 1.\n');
    expect(await ok(bucket, 'ls')).toMatch(
      /^MODEL +VERSION +STATE +FILES +SIZE +STORED +DIGEST\ndemand +2 +published +2 .*\ndemand +1 +published +1 +\d+ bytes .* pinned\n$/,
    );
    expect(JSON.parse(await ok(bucket, 'ls', 'demand', '--json'))).toMatchObject({
      bucket: bucket.url,
      models: [
        {
          model: 'demand',
          versions: [
            { version: 2, digest: second.digest },
            { version: 1, pinned: true },
          ],
        },
      ],
    });
    expect(await ok(bucket, 'inspect', 'demand', '1')).toMatch(
      /inputs +x FP32\[-1,2\][\s\S]*Nothing here speaks against/,
    );
    // Integers beyond 2^53 stay what they are.
    expect(await ok(bucket, 'inspect', 'demand', '1', '--verify', '--json')).toContain('"rows": 9007199254740993');

    await ok(bucket, 'unpin', 'demand');
    expect(
      await ok(bucket, 'rollout', 'demand', '--specific', '1,2', '--label', 'stable=1', '--label', 'canary=2'),
    ).toBe('demand holds versions 1, 2 ready; stable is 1, canary is 2.\n');
    expect(
      JSON.parse(await ok(bucket, 'rollout', 'demand', '--latest', '2', '--unlabel', 'stable', '--lazy', '--json')),
    ).toEqual({
      model: 'demand',
      rollout: { schemaVersion: 1, policy: { latest: 2 }, labels: { canary: 2 }, lazy: true },
      notes: [],
    });
    expect(await ok(bucket, 'rollout', 'demand')).toBe(
      'demand holds the newest 2 versions ready; canary is 2; it is loaded lazily.\n',
    );
    expect(await ok(bucket, 'rollout', 'demand', '--default', '--eager', '--unlabel', 'canary')).toBe(
      'demand holds as many of the newest versions ready as each server is told.\n',
    );
    await ok(bucket, 'retire', 'demand', '1');
    expect(await ok(bucket, 'gc', '--retired', '--dry-run')).toMatch(/demand +1 +retired +3[\s\S]*Nothing was removed/);
    expect(JSON.parse(await ok(bucket, 'gc', '--retired', '--json')).removals).toMatchObject([{ version: 1 }]);
    expect(await ok(bucket, 'gc')).toBe('There is nothing to remove.\n');
  }, 60_000);

  it('refuse in one line each, with an exit code', async () => {
    const bucket = await open();
    await bucket.store.put('demand/1/model.onnx', Buffer.from('<html>'), {});
    const page = await files({ 'model.onnx': '<html>' });
    const cases: [string[], number, RegExp][] = [
      [['publish', page, '--model', 'demand'], 2, /^kedge: onnx-not-a-model: .*\n$/],
      [['publish', page], 2, /^kedge: --model NAME is missing\.\n$/],
      [
        ['publish', page, '--model', 'demand', '--details', '/none'],
        2,
        /^kedge: the details in \/none cannot be read.*\n$/,
      ],
      [['inspect', 'demand', 'latest'], 2, /^kedge: 'latest' is no version.*\n$/],
      [['inspect', 'demand', '2'], 4, /^kedge: demand has no version 2; there are 1\.\n$/],
      [['pin', 'demand', '1'], 4, /^kedge: version 1 of demand cannot serve.*\n$/],
      [['rollout', 'demand', '--latest', '0'], 2, /^kedge: --latest takes a whole number.*\n$/],
      [['rollout', 'demand', '--latest', '1', '--all'], 2, /^kedge: --latest and --all exclude each other.*\n$/],
      [['rollout', 'demand', '--lazy', '--eager'], 2, /^kedge: --lazy and --eager exclude each other.*\n$/],
      [['rollout', 'demand', '--specific', '1,x'], 2, /^kedge: 'x' is no version.*\n$/],
      [['rollout', 'demand', '--label', 'stable'], 2, /^kedge: --label takes NAME=VERSION.*\n$/],
      [['rollout', 'demand', '--label', '5=1'], 2, /^kedge: '5' cannot be a label.*\n$/],
      [['rollout', 'demand', '--label', 'stable=7'], 4, /^kedge: demand has no version 7; there are 1\.\n$/],
      [['retire', 'none'], 4, /^kedge: there is no model none.*\n$/],
      [['gc', '--older-than', 'yesterday'], 2, /^kedge: --older-than takes hours.*\n$/],
      [['ls', '--bucket', 'models'], 2, /^kedge: the bucket 'models' cannot be used.*\n$/],
      [['ls', '--bucket', 'file:///no/such/folder'], 3, /^kedge: there is no folder \/no\/such\/folder.*\n$/],
    ];
    const results = await Promise.all(cases.map(([words]) => kedge(bucket, ...words)));
    for (const [i, [words, code, line]] of cases.entries()) {
      expect([words.join(' '), results[i]!.code, results[i]!.out]).toEqual([words.join(' '), code, '']);
      expect(results[i]!.err).toMatch(line);
    }
    expect(await ok(bucket, 'inspect', 'demand', '1')).toMatch(/A loader refuses it:\n {2}onnx-not-a-model: /);
  }, 60_000);
});

it('help shows the settings', async () => {
  const { code, out } = await runKedge(['publish', '--help'], {});
  expect(code).toBe(0);
  for (const name of ['KEDGE_BUCKET', 'AWS_ENDPOINT_URL_S3', 'KEDGE_PUBLISHER', '--details FILE'])
    expect(out).toContain(name);
});

it('without a bucket, says which setting is missing', async () => {
  const { code, err } = await runKedge(['ls'], {});
  expect([code, err]).toEqual([2, expect.stringMatching(/^kedge: KEDGE_BUCKET is not set/)]);
});

describe('progress', () => {
  const run = (isTTY: boolean, seconds: number): string[] => {
    const written: string[] = [];
    let now = 0;
    const err = { isTTY, write: (text: string) => written.push(text) } as unknown as NodeJS.WritableStream;
    const progress = progressOn(err, { now: () => now });
    for (; now <= seconds * 1000; now += 50)
      progress.show({ phase: 'storing', bytes: now, totalBytes: seconds * 1000 });
    progress.end();
    return written.map(stripVTControlCharacters);
  };

  it('shows nothing of what is quick', () => expect([run(true, 1.9), run(false, 1.9)]).toEqual([[], []]));
  it('is a line now and then in a log', () =>
    expect(run(false, 10)).toEqual(['storing 20 % of 9.8 KiB\n', 'storing 70 % of 9.8 KiB\n']));
  it('is a bar on a terminal, gone at the end', () => {
    const drawn = run(true, 4);
    expect(drawn.length).toBeGreaterThan(15);
    expect(drawn[0]).toMatch(/^\rstoring \[={15} {15}\] 50 % of 3\.9 KiB$/);
    expect(drawn.at(-1)).toBe('\r');
  });
});

it.each([
  [0, '0 bytes'],
  [1023, '1023 bytes'],
  [1024, '1.0 KiB'],
  [5 * 2 ** 30, '5.0 GiB'],
  [2 ** 51, '2048.0 TiB'],
])('%i is %s', (bytes, text) => expect(sizeText(bytes)).toBe(text));

it('aligns a table', () => expect(table(['A', 'BB'], [['xxx', '']])).toBe('A    BB\nxxx\n'));
