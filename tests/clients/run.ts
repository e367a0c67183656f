/**
 * Real clients from PyPI, unmodified, against the whole path: every real model, and one with domain rows, is published into a bucket,
 * the loader brings it, the server answers, and each script asks all of it. Prints one closing line; `--report <file>` gets the counters in vitest's form.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createStage, type Stage, waitForActive } from '../e2e/stage.ts';
import { type SharedModels, sharedModels } from '../shared.ts';
import { MODEL, writeModel } from './domain-model.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/** The last one may take models away. */
const SCRIPTS = ['triton_client.py', 'kserve_sdk.py', 'mlserver_codecs.py', 'openapi_document.py'];
const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
/** Far above what a script takes; one that hangs is ended and counts as failed. */
const SCRIPT_LIMIT_MS = 900_000;

const { values } = parseArgs({
  options: { report: { type: 'string' }, only: { type: 'string', multiple: true } },
});

const NONE = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };
type Counts = typeof NONE;

async function main(): Promise<void> {
  if (!sharedModels) {
    console.log('left out: no shared models beside this clone');
    finish({ ...NONE, numPendingTests: 1 });
    return;
  }
  const python = await installed();
  const stage = createStage({ env: { KEDGE_ESTIMATORS: EXAMPLES } });
  try {
    const started = performance.now();
    const ports = await serveAll(stage, sharedModels);
    console.log(`${sharedModels.good.length} models served after ${seconds(started)} s`);
    const scripts = values.only ?? SCRIPTS;
    const counts: Counts[] = [];
    for (const script of scripts) counts.push(await runScript(python, stage, script, ports));
    finish(counts.reduce(add, NONE));
  } finally {
    await stage.close();
  }
}

/** The Python that has the clients. */
async function installed(): Promise<string> {
  const child = spawn('bash', [join(HERE, '../python-env.sh'), 'clients', join(HERE, 'requirements.txt')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`python-env.sh ended with ${code}`);
  return out.trim();
}

interface Ports {
  url: string;
  admin: string;
}

async function serveAll(stage: Stage, { dir, good }: SharedModels): Promise<Ports> {
  const waiting = [...good];
  const publishNext = async (): Promise<void> => {
    for (let model = waiting.pop(); model; model = waiting.pop()) {
      const { code, err } = await stage.kedge(['publish', join(dir, model.dir), '--model', model.name]);
      if (code !== 0) throw new Error(`publish of ${model.name} ended with ${code}: ${err}`);
    }
  };
  await Promise.all([publishNext(), publishNext()]);
  const rows = await writeModel(join(stage.dir, MODEL));
  const { code, err } = await stage.kedge(['publish', rows.model, '--model', MODEL, '--details', rows.details]);
  if (code !== 0) throw new Error(`publish of ${MODEL} ended with ${code}: ${err}`);
  await stage.startLoader();
  const { url, admin } = await stage.startServer();
  for (const name of [...good.map((model) => model.name), MODEL]) await waitForActive(url, name, 1, 120_000);
  return { url, admin };
}

async function runScript(python: string, stage: Stage, script: string, { url, admin }: Ports): Promise<Counts> {
  const report = join(stage.dir, `${script}.json`);
  const words = [
    join(HERE, script),
    ...['--url', url],
    ...['--admin', admin],
    ...['--cases', join(sharedModels!.dir, 'cases.json')],
    ...['--report', report],
  ];
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONWARNINGS: 'ignore', NO_PROXY: '*' };
  const child = spawn(python, words, { stdio: ['ignore', 'inherit', 'inherit'], env });
  const timer = setTimeout(() => child.kill('SIGKILL'), SCRIPT_LIMIT_MS);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  if (!existsSync(report)) {
    console.log(`${script} ended with ${code ?? signal} and reported nothing`);
    return { ...NONE, numFailedTests: 1 };
  }
  return JSON.parse(readFileSync(report, 'utf8')) as Counts;
}

function add(a: Counts, b: Counts): Counts {
  const keys = Object.keys(NONE) as (keyof Counts)[];
  return Object.fromEntries(keys.map((key) => [key, a[key] + b[key]])) as Counts;
}

function finish(counts: Counts): void {
  if (values.report) writeFileSync(values.report, JSON.stringify(counts));
  const skipped = counts.numPendingTests > 0 ? `, ${counts.numPendingTests} skipped` : '';
  console.log(`${counts.numPassedTests} passed, ${counts.numFailedTests} failed${skipped}`);
  process.exitCode = counts.numFailedTests === 0 ? 0 : 1;
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(1);
}

await main();
