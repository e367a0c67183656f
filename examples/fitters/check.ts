import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * Runs the examples for real: installs what they need from PyPI into a cache folder, fits with each of them by `kedge fit`, publishes what comes out, loads it into a volume and asks
 * a server. Ends with 1 where one of them fails.
 *
 *   node examples/fitters/check.ts [lightgbm] [sklearn] [pytorch]
 */
const { positionals } = parseArgs({ allowPositionals: true });
const REQUIREMENTS: Readonly<Record<string, string>> = {
  lightgbm: 'requirements.txt',
  sklearn: 'requirements.txt',
  pytorch: 'requirements-pytorch.txt',
};
const OBJECTIVES = ['squared-error', 'poisson', 'logistic'];
const names = positionals.length > 0 ? positionals : Object.keys(REQUIREMENTS);
const unknown = names.find((name) => !Object.hasOwn(REQUIREMENTS, name));
if (unknown !== undefined) throw new Error(`There is no fitter '${unknown}': ${Object.keys(REQUIREMENTS).join(', ')}`);
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const KEDGE = here('../../bin/kedge.ts');
const home = mkdtempSync(join(tmpdir(), 'kedge-fitters-'));

/** The Python that has what a file of requirements names. */
function pythonFor(file: string): string {
  const text = readFileSync(here(file), 'utf8');
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const dir = join(homedir(), '.cache', 'kedge', `fitters-${hash}`);
  const python = join(dir, 'bin', 'python');
  if (existsSync(join(dir, 'installed'))) return python;
  process.stdout.write(`installing ${file} into ${dir}\n`);
  rmSync(dir, { recursive: true, force: true });
  execFileSync('python3', ['-m', 'venv', dir], { stdio: 'inherit' });
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:'];
  execFileSync(python, [...pip, '--requirement', here(file)], { stdio: 'inherit' });
  writeFileSync(join(dir, 'installed'), '');
  return python;
}

function kedge(words: readonly string[], env: Record<string, string> = {}): string {
  return execFileSync(process.execPath, [KEDGE, ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...env, PATH: '/usr/bin:/bin', HOME: homedir() },
  });
}

/** Two numbers, one of them with holes, and a category that matters. */
function writeTable(objective: string): string {
  const lines = ['hour,temperature,zone,y'];
  for (let row = 0; row < 3000; row += 1) {
    const hour = row % 24;
    const temperature = (row * 7919) % 31;
    const zone = (row * 104_729) % 5;
    const mean = Math.abs(Math.sin((hour * Math.PI) / 24)) * 6 + (zone === 2 ? 4 : 0) + temperature / 10;
    const noise = ((row * 15_485_863) % 101) / 101;
    const target =
      objective === 'logistic'
        ? Number(mean + 2 * noise > 6)
        : objective === 'poisson'
          ? Math.round(mean + noise)
          : mean + noise;
    lines.push([hour, row % 11 === 0 ? '' : temperature, zone, target].join(','));
  }
  const file = join(home, `${objective}.csv`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

function fitAndPublish(name: string, objective: string, bucket: string): { model: string; details: string } {
  const python = pythonFor(REQUIREMENTS[name]!);
  const model = `${name}-${objective}`;
  const settings = join(home, `${model}.json`);
  writeFileSync(
    settings,
    JSON.stringify({ command: [python, here(`fit_${name}.py`)], objective, timeoutSeconds: 600 }),
  );
  const out = join(home, `${model}.onnx`);
  const words = [
    'fit',
    writeTable(objective),
    '--target',
    'y',
    '--categorical',
    'zone',
    '--split',
    '2',
    '--validation',
    '0.1',
  ];
  const report = JSON.parse(kedge([...words, '--fitter', 'command', '--settings', settings, '--out', out, '--json']));
  const { metrics, baselineMetrics } = report.evaluation;
  const [first] = Object.keys(metrics) as [string];
  // Of rows that the models of the splits never saw.
  const parities = (report.evaluation.splits as { test: number; parity: { rows: number; maxAbs: number } }[]).map(
    ({ test, parity }) => ({ ...parity, test }),
  );
  const most = Math.max(...parities.map(({ maxAbs }) => maxAbs));
  process.stdout.write(
    `${model}: ${first} ${metrics[first].toPrecision(3)}, of the mean ${baselineMetrics[first].toPrecision(3)}; export off by ${most.toExponential(1)} at most\n`,
  );
  if (!(metrics[first] < 0.7 * baselineMetrics[first])) throw new Error(`${model} learned too little`);
  // A fitter whose answers were those of its export to the last bit would not have been asked.
  if (!(most > 0) || parities.some(({ rows, test }) => rows !== test))
    throw new Error(`${model} was not held against its own answers`);
  const details = join(home, `${model}.details.json`);
  kedge(['publish', out, '--model', model, '--details', details], { KEDGE_BUCKET: bucket });
  return { model, details };
}

interface Sample {
  inputs: Record<string, { datatype: string; shape: number[]; data: number[] }>;
  outputs: Record<string, { data: number[] }>;
}

/** Asks a server for what the fitter answered. */
async function ask(port: number, { model, details }: { model: string; details: string }): Promise<void> {
  // NaN is no JSON: the request has it as the text that the server takes.
  const text = readFileSync(details, 'utf8').replaceAll(/(?<=[[,\s])NaN(?=[\],\s])/g, '"NaN"');
  const [sample] = (JSON.parse(text) as { samples: Sample[] }).samples as [Sample];
  const inputs = Object.entries(sample.inputs).map(([name, tensor]) => ({ name, ...tensor }));
  const [output] = Object.keys(sample.outputs) as [string];
  const response = await fetch(`http://127.0.0.1:${port}/v2/models/${model}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs, outputs: [{ name: output }] }),
  });
  const answer = (await response.json()) as { outputs?: { data: number[] }[] };
  if (!response.ok) throw new Error(`${model}: ${response.status} ${JSON.stringify(answer)}`);
  const got = answer.outputs![0]!.data;
  const off = Math.max(...sample.outputs[output]!.data.map((value, at) => Math.abs(value - got[at]!)));
  if (!(got.length > 0 && off < 1e-3)) throw new Error(`${model} answers ${got} over HTTP`);
  process.stdout.write(`${model}: served, off by ${off.toExponential(1)} at most\n`);
}

/** The port that a server logs once it listens, and the server. */
async function serve(volume: string): Promise<{ child: ChildProcess; port: number }> {
  const env = {
    KEDGE_VOLUME: volume,
    KEDGE_HOST: '127.0.0.1',
    KEDGE_PORT: '0',
    KEDGE_ADMIN_PORT: '0',
    PATH: '/usr/bin:/bin',
  };
  const child = spawn(process.execPath, [KEDGE, 'serve'], { stdio: ['ignore', 'ignore', 'pipe'], env });
  for await (const line of createInterface({ input: child.stderr! })) {
    const { port } = JSON.parse(line) as { port?: number };
    if (port !== undefined) return { child, port };
  }
  throw new Error('the server ended before it listened');
}

async function untilReady(port: number, model: string): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if ((await fetch(`http://127.0.0.1:${port}/v2/models/${model}/ready`)).ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${model} did not come to be ready`);
}

let server: ChildProcess | undefined;
try {
  const [bucket, volume] = [join(home, 'bucket'), join(home, 'volume')];
  for (const dir of [bucket, volume]) mkdirSync(dir);
  const url = `file://${bucket}`;
  const published = names.flatMap((name) => OBJECTIVES.map((objective) => fitAndPublish(name, objective, url)));
  kedge(['load', '--once'], { KEDGE_BUCKET: url, KEDGE_VOLUME: volume });
  const started = await serve(volume);
  server = started.child;
  server.stderr!.resume();
  for (const entry of published) {
    await untilReady(started.port, entry.model);
    await ask(started.port, entry);
  }
  for (const name of Object.keys(REQUIREMENTS).filter((one) => !names.includes(one))) {
    const size = name === 'pytorch' ? ', which installs some 5.5 GB on Linux x64' : '';
    process.stdout.write(`LEFT OUT: ${name}; node examples/fitters/check.ts ${name} runs it${size}.\n`);
  }
} finally {
  server?.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
}
