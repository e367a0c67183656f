import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { TestVolume } from '../server/testing/volume.ts';
import { sharedModels } from '../tests/shared.ts';
import { addProbed, serveEnvironment } from './kedge-server.ts';
import { type BenchModel, gbdt, mlp } from './models.ts';
import { readOptions } from './options.ts';
import { linesOf, startNode, stop } from './processes.ts';
import { median } from './statistics.ts';
import { conclude, rounded } from './verdict.ts';

/**
 * From the spawn of a server to its first right answer, with the model on the volume: the bundle of Kedge beside the smallest script that does the
 * same with node:http and onnxruntime-node, bundled alike. Right is what both say. They take turns, and the first round is left out.
 *
 *   node bench/coldstart.ts [--rounds 15] [--json FILE]
 */
const { rounds, json } = readOptions({ rounds: 15 });
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LIMIT_MS = 20_000;
/** Between attempts, in milliseconds: an answer is noticed that much too late at most. */
const ASK_EVERY_MS = 1;

interface Program {
  args: string[];
  env?: Record<string, string>;
  /** Where it tells its port, and how. */
  stream: 'stdout' | 'stderr';
  portOf(line: string): number | undefined;
}

interface First {
  /** Milliseconds from spawn to the first answer with status 200. */
  ms: number;
  /** What it said. */
  values: string;
}

async function firstAnswer({ args, env = {}, stream, portOf }: Program, model: BenchModel): Promise<First> {
  const began = performance.now();
  const child = startNode(args, { env });
  try {
    const lines = linesOf(child, stream);
    let port: number | undefined;
    while (port === undefined) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${args[0]} ended before it listened`);
      port = portOf(value as string);
    }
    for (const pipe of [child.stdout!, child.stderr!]) pipe.resume();
    while (performance.now() - began < LIMIT_MS) {
      const values = await ask(port, model);
      if (values !== undefined) return { ms: performance.now() - began, values };
      await setTimeout(ASK_EVERY_MS);
    }
    throw new Error(`${args[0]} gave no answer`);
  } finally {
    // In order, so that compiled code is kept for the next start.
    await stop(child, 'SIGTERM');
  }
}

/** The values of the first output, or undefined where there is no answer yet. */
function ask(port: number, { name, body }: BenchModel): Promise<string | undefined> {
  const options = { port, host: '127.0.0.1', method: 'POST', path: `/v2/models/${name}/infer` };
  return new Promise((resolve, reject) => {
    const asked = request({ ...options, headers: { 'content-type': 'application/json' } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => {
        if (response.statusCode !== 200) return resolve(undefined);
        resolve(JSON.stringify((JSON.parse(text) as { outputs: { data: number[] }[] }).outputs[0]!.data));
      });
    });
    asked.on('error', reject).end(body);
  });
}

/** The reference as one file, as `npm run build` makes those of Kedge. */
async function bundled(folder: string): Promise<string> {
  const outfile = join(folder, 'first-answer.mjs');
  await build({
    entryPoints: [join(ROOT, 'bench/servers/first-answer.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: ['onnxruntime-node'],
    logLevel: 'warning',
  });
  return outfile;
}

const model = gbdt(sharedModels) ?? mlp();
const volume = new TestVolume();
// Beneath the checkout, so that it finds onnxruntime-node.
const folder = mkdtempSync(join(ROOT, 'node_modules/.bench-'));
try {
  execFileSync(process.execPath, ['build.ts'], { cwd: ROOT, stdio: 'inherit' });
  const { path } = await addProbed(volume, model);
  await volume.write();
  const smallest: Program = {
    args: [
      await bundled(folder),
      ...[join(volume.dir, path, 'model.onnx'), model.input, model.output, String(model.columns)],
    ],
    stream: 'stdout',
    portOf: (line) => Number(line) || undefined,
  };
  const kedge: Program = {
    args: [join(ROOT, 'dist/kedge.js'), 'serve'],
    env: serveEnvironment(volume),
    stream: 'stderr',
    portOf: (line) => (JSON.parse(line) as { port?: number }).port,
  };
  const taken: { smallest: number; kedge: number }[] = [];
  for (let round = -1; round < rounds; round += 1) {
    const [one, other] = [await firstAnswer(smallest, model), await firstAnswer(kedge, model)];
    if (one.values !== other.values) throw new Error(`the answers differ: ${one.values} and ${other.values}`);
    if (round >= 0) taken.push({ smallest: one.ms, kedge: other.ms });
  }
  for (const name of ['smallest', 'kedge'] as const) {
    const times = taken.map((round) => round[name]);
    process.stdout.write(
      `${name}: median ${rounded(median(times))} ms, ${rounded(Math.min(...times))} to ${rounded(Math.max(...times))}\n`,
    );
  }
  const measured = taken.map((round) => round.kedge / round.smallest);
  conclude(
    [{ what: 'time to the first right answer, to that of the smallest script', wanted: { atMost: 1.3 }, measured }],
    json,
    { taken },
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
  volume.remove();
}
