import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { answering, serving } from '../bench/load/testing/serving.ts';
import { readRecord } from '../bench/report/read-record.ts';
import type { LoadInterval, RunRecord } from '../bench/report/record.ts';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { startTestServer, type TestServer } from '../server/testing/test-server.ts';
import { TestVolume } from '../server/testing/volume.ts';
import { command } from './commands/bench/load.ts';
import { runCommand } from './run.ts';

const LONG = { timeout: 20_000, interval: 100 };
const home = mkdtempSync(join(tmpdir(), 'kedge-bench-load-'));
const at = (name: string): string => join(home, name);
const volume = new TestVolume();
let server: TestServer;

beforeAll(async () => {
  volume.add('linear', 1, linearModel());
  volume.add('other', 4, linearModel({ bias: [5] }));
  await volume.write();
  server = await startTestServer(volume);
  await server.settle();
  writeFileSync(at('bodies.jsonl'), CASES.map(([x]) => bodyOf(x)).join('\n'));
  writeFileSync(at('right.jsonl'), CASES.map(([, y]) => answerOf(y)).join('\n'));
});
afterAll(async () => {
  await server.stop();
  volume.remove();
  rmSync(home, { recursive: true, force: true });
});

function collecting(): Writable & { text: string } {
  const stream = Object.assign(new Writable(), { text: '' });
  stream._write = (chunk, _encoding, done) => {
    stream.text += String(chunk);
    done();
  };
  return stream;
}

/** @param options after the address of the server */
function benchLoad(...options: string[]): ReturnType<typeof benchLoadAt> {
  return benchLoadAt(server.url, ...options);
}

async function benchLoadAt(url: string, ...options: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [collecting(), collecting()];
  const io = { env: {}, out, err, signal: new AbortController().signal };
  const code = await runCommand('bench load', command, [url, ...options], io);
  return { code, out: out.text, err: err.text };
}

function recordAt(file: string): RunRecord {
  return readRecord(readFileSync(at(file), 'utf8'), file);
}

const CASES = [
  [[1, 2], 9],
  [[0, 0], 1],
] as const;
const bodyOf = (data: readonly number[]): string =>
  JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data }] });
const answerOf = (y: number): string =>
  JSON.stringify({ outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 1], data: [y] }] });

describe('kedge bench load', () => {
  it('asks all models of a server with nothing but its address, and leaves a record, lines and a report', async () => {
    writeFileSync(at('a.jsonl'), 'of a run before');
    const files = ['--json', at('new/a.json'), '--lines', at('a.jsonl'), '--report', at('a.html')];
    const { code, out } = await benchLoad(
      '--load',
      'constant:40/2s',
      '--header',
      'authorization: Bearer secret',
      ...files,
    );
    expect(code).toBe(0);
    // The rate is less where the last answers of a busy machine come after the schedule.
    expect(out).toMatch(/80 requests in 2 s: 80 right \([\d.]+\/s.*\), 0 wrong, 0 failed, 0 dropped/);
    const record = recordAt('new/a.json');
    expect(record).toMatchObject({
      kind: 'load',
      seconds: 2,
      compression: 1,
      verdicts: [],
      load: { total: { ok: 80 } },
    });
    expect(Object.keys(record.load.total.versions)).toEqual(['linear/1', 'other/4']);
    const lines = readFileSync(at('a.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as LoadInterval)).toEqual(record.load.intervals);
    expect(readFileSync(at('a.html'), 'utf8')).toContain('<!doctype html>');
    for (const file of ['new/a.json', 'a.html']) expect(readFileSync(at(file), 'utf8')).not.toContain('secret');
  });

  it('asks models as they are weighed, one version of one if told to, in binary', async () => {
    const words = ['--model', 'linear/1=3', '--model', 'other', '--binary', '--rows', '3', '--json', at('b.json')];
    expect(await benchLoad('--load', 'constant:200/1s', ...words)).toMatchObject({ code: 0 });
    const { versions, ok, wrong } = recordAt('b.json').load.total;
    expect([ok, wrong]).toEqual([200, 0]);
    expect(versions['linear/1']).toBeGreaterThan(versions['other/4']!);
  });

  it('finds answers other than those that are wanted', async () => {
    writeFileSync(at('wrong.jsonl'), CASES.map(([, y]) => answerOf(y === 1 ? 2 : y)).join('\n'));
    const words = ['--load', 'constant:100/500ms', '--model', 'linear', '--body', at('bodies.jsonl')];
    expect(await benchLoad(...words, '--wanted', at('right.jsonl'))).toMatchObject({ code: 0 });
    const { code, out } = await benchLoad(...words, '--wanted', at('wrong.jsonl'));
    expect(code).toBe(1);
    expect(out).toContain("problem   linear: Output 'y' is 1 in element 0, expected 2.");
    await expect(benchLoad(...words, '--wanted', at('right.jsonl'), '--wanted', at('right.jsonl'))).rejects.toThrow(
      'linear has 2 bodies and 4 wanted answers',
    );
  });

  it('sees a version that takes over, and finds nothing wrong with it', async () => {
    const controller = new AbortController();
    const out = collecting();
    const words = [server.url, '--load', 'constant:50/1h', '--model', 'linear', '--json', at('c.json'), '--lines', '-'];
    const io = { env: {}, out, err: collecting(), signal: controller.signal };
    const ended = runCommand('bench load', command, words, io);
    await vi.waitFor(() => expect(out.text).toContain('linear/1'), LONG);
    volume.add('linear', 2, linearModel({ bias: [7] }));
    await volume.write();
    await vi.waitFor(() => expect(out.text).toContain('linear/2'), LONG);
    controller.abort();
    expect(await ended).toBe(130);
    const { total } = recordAt('c.json').load;
    expect(total).toMatchObject({ wrong: 0, failed: 0, ok: total.scheduled });
    expect(Object.keys(total.versions)).toEqual(['linear/1', 'linear/2']);
  });

  it('tells what must hold, and exits by it', async () => {
    writeFileSync(at('holds.yaml'), 'max_error_rate: 0\n');
    writeFileSync(at('fails.yaml'), 'max_error_rate: 0\np99_ms: 0.000001\n');
    const words = ['--load', 'constant:20/500ms', '--assert'];
    expect(await benchLoad(...words, at('holds.yaml'))).toMatchObject({
      code: 0,
      out: expect.stringContaining('holds   max_error_rate: 0'),
    });
    expect(await benchLoad(...words, at('fails.yaml'))).toMatchObject({
      code: 1,
      out: expect.stringContaining('FAILED  p99_ms'),
    });
  });

  it('writes lines to standard output alone, and words elsewhere', async () => {
    const { out, err } = await benchLoad('--load', 'constant:20/1s', '--lines', '-');
    expect(JSON.parse(out)).toMatchObject({ at: 0, scheduled: 20, ok: 20 });
    expect(err).toContain('20 requests in 1 s');
  });

  it('saturates by autocannon', async () => {
    writeFileSync(at('behind.yaml'), 'max_wrong: 0\nmax_behind_ms: 0.001\n');
    const words = ['--tool', 'autocannon', '--seconds', '1', '--connections', '4', '--json', at('d.json')];
    const { code, out } = await benchLoad(...words, '--assert', at('behind.yaml'));
    expect([code, out]).toEqual([1, expect.stringContaining('from sending')]);
    expect(out).toMatch(/holds {3}max_wrong: 0.*\nFAILED {2}max_behind_ms: 0.001: requests followed no schedule/);
    const { total } = recordAt('d.json').load;
    expect(total.ok).toBe(total.scheduled);
    expect(Object.keys(total.versions)).toHaveLength(2);
  });

  it.each([
    [['--model', 'nope'], /\/v2\/models\/nope answered 404/],
    [
      ['--wanted', `liner=${at('right.jsonl')}`],
      /--wanted names liner, which is sent nothing; models are: linear, other/,
    ],
    [['--model', 'other', '--body', `linear=${at('bodies.jsonl')}`], /--body names linear, .* models are: other\./],
    [['--load', 'rmp:1..2/3s'], /Write it as in ramp:/],
    [['--tool', 'wrk'], /--tool takes autocannon/],
    [['--tool', 'autocannon', '--load', 'constant:1/1s'], /autocannon follows no schedule/],
    [
      [
        '--tool',
        'autocannon',
        '--deadline',
        '5',
        '--workers',
        '3',
        '--compression',
        '9',
        '--reconnect',
        '2',
        '--coarse',
      ],
      /^--deadline, --workers, --compression, --reconnect, --coarse cannot be had of autocannon/,
    ],
    [['--connections', '4', '--seconds', '5'], /^--connections, --seconds cannot be had of a load that follows/],
    [
      ['--body', at('bodies.jsonl'), '--rows', '99', '--binary', '--bodies', '3'],
      /^--rows, --bodies, --binary say how bodies are made up, and all are given/,
    ],
    [
      ['--model', 'linear', '--body', `linear=${at('bodies.jsonl')}`, '--rows', '99'],
      /^--rows say how bodies are made up/,
    ],
    [
      ['--body', at('bodies.jsonl'), '--wanted', at('right.jsonl'), '--status-only'],
      /^--status-only looks at no answer, and --wanted says/,
    ],
    [
      ['--model', 'linear/1', '--path', '/predict', '--body', at('bodies.jsonl')],
      /^--model linear\/1 names a version, and --path is where/,
    ],
    [
      ['--model', 'linear', '--body', `linear=${at('bodies.jsonl')}`, '--body', at('bodies.jsonl')],
      /^--body FILE without a model is for those that have none/,
    ],
    [['--path', '/predict'], /--path needs a --body/],
    [['--body', 'none.json'], /--body none\.json: ENOENT/],
    [['--seed', 'x', '--rows', '0'], /--seed must be a whole number/],
    [['--assert', 'none.yaml'], /none\.yaml cannot be read/],
    [['--load', 'trace:none.csv'], /none\.csv cannot be read/],
  ])('says what to do about %j', async (words, message) => {
    await expect(benchLoad(...words)).rejects.toThrow(message);
  });

  it.each(['--json', '--report', '--lines'])(
    'says before it sends a load that %s cannot be written',
    async (option) => {
      writeFileSync(at('plain'), 'kept');
      await expect(benchLoad('--load', 'constant:1/1h', option, at('plain/x'))).rejects.toMatchObject({
        code: 'config-invalid',
        message: expect.stringMatching(`${option} .*plain/x cannot be written: .*Name a file in a folder`),
      });
      await expect(benchLoad('--load', 'constant:1/1h', option, home)).rejects.toThrow('cannot be written');
      expect(readFileSync(at('plain'), 'utf8')).toBe('kept');
    },
  );

  it.skipIf(!existsSync('/dev/full'))('goes on where the disk is full, and tells what was not written', async () => {
    const words = ['--load', 'constant:20/2s', '--report', at('full.html')];
    const lines = await benchLoad(...words, '--json', at('full.json'), '--lines', '/dev/full');
    expect(lines.code).toBe(1);
    expect(lines.err.match(/--lines \/dev\/full cannot be written any more: ENOSPC.* The run goes on/g)).toHaveLength(
      1,
    );
    expect(lines.out).toContain('40 requests in 2 s: 40 right');
    expect(recordAt('full.json').load.total.ok).toBe(40);
    rmSync(at('full.html'));
    const out = collecting();
    const io = { env: {}, out, err: collecting(), signal: new AbortController().signal };
    const ended = runCommand('bench load', command, [server.url, ...words, '--json', '/dev/full'], io);
    await expect(ended).rejects.toThrow(/^--json \/dev\/full cannot be written: ENOSPC/);
    expect(out.text).toContain('40 right');
    expect(readFileSync(at('full.html'), 'utf8')).toContain('<!doctype html>');
  });

  it.skipIf(!existsSync('/dev/full'))('goes on where standard output takes no lines', async () => {
    const out = createWriteStream('/dev/full');
    const err = collecting();
    const io = { env: {}, out, err, signal: new AbortController().signal };
    const words = [server.url, '--load', 'constant:20/2s', '--lines', '-'];
    expect(await runCommand('bench load', command, words, io)).toBe(1);
    expect(err.text).toMatch(/^--lines - cannot be written any more: ENOSPC/);
    expect(err.text).toContain('40 right');
  });

  it.each([
    ['<!doctype html>\n<title>', "answered '<!doctype html> <title>'"],
    ['{"a":1}', `answered '{"a":1}'`],
    ['null', "answered 'null'"],
  ])('says of a server that answers %j that it is no Kedge', async (body, message) => {
    const { url } = await serving(answering(() => [body, {}]));
    await expect(benchLoadAt(url)).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining(`${url} is no Kedge server: /v2/repository/index ${message}`),
    });
    if (body === '{"a":1}') return;
    await expect(benchLoadAt(url, '--model', 'm')).rejects.toThrow(`is no Kedge server: /v2/models/m ${message}`);
  });

  it('says so when a body does not fit, before it sends a load', async () => {
    writeFileSync(at('bad.json'), JSON.stringify({ inputs: [{ name: 'z', datatype: 'FP32', shape: [1], data: [1] }] }));
    await expect(benchLoad('--body', at('bad.json'))).rejects.toThrow(/linear does not take its body \(status 400/);
  });
});
