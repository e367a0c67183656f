import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TestVolume } from '../../server/testing/volume.ts';
import { bundleForPods } from '../cluster/program.ts';
import { addProbed, serveEnvironment } from '../kedge-server.ts';
import { linesOf, startNode, stop } from '../processes.ts';
import { median } from '../statistics.ts';
import { type BenchIo, type BenchResult, drawTable, rounded } from '../verdict.ts';
import { type BenchModel, gbdt, mlp } from './models.ts';

export interface ColdStartOptions {
  rounds: number;
}

const LIMIT_MS = 20_000;
/** Between attempts, in milliseconds: an answer is noticed that much too late at most. */
const ASK_EVERY_MS = 1;

/** What a program tells, in order; each ends a phase. */
type Mark = 'listening' | 'loaded';

interface Program {
  args: string[];
  env?: Record<string, string>;
  /** Where it tells of itself. */
  stream: 'stdout' | 'stderr';
  /** What a line tells: a mark, and with the first its port. */
  read(line: string): { mark: Mark; port?: number } | undefined;
}

/** Milliseconds from spawn. */
interface First extends Partial<Record<Mark, number>> {
  listening: number;
  /** The first answer with status 200. */
  answer: number;
  /** What it said. */
  values: string;
}

async function firstAnswer({ args, env = {}, stream, read }: Program, model: BenchModel): Promise<First> {
  const began = performance.now();
  const child = startNode(args, { env });
  const marks: Partial<Record<Mark, number>> = {};
  child[stream === 'stdout' ? 'stderr' : 'stdout']!.resume();
  try {
    const port = await new Promise<number>((resolve, reject) => {
      void (async () => {
        for await (const line of { [Symbol.asyncIterator]: () => linesOf(child, stream) }) {
          const told = read(line);
          if (!told) continue;
          marks[told.mark] ??= performance.now() - began;
          if (told.port !== undefined) resolve(told.port);
        }
        reject(new Error(`${args[0]} ended before it listened`));
      })();
    });
    while (performance.now() - began < LIMIT_MS) {
      const values = await ask(port, model);
      const answer = performance.now() - began;
      if (values !== undefined) return { ...marks, listening: marks.listening!, answer, values };
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

/** The smallest script that does the same, with node:http and onnxruntime-node. @param dist the bundle that it lies in */
function smallestOf(dist: string, file: string, { input, output, columns }: BenchModel): Program {
  return {
    args: [join(dist, 'first-answer.js'), file, input, output, String(columns)],
    stream: 'stdout',
    read: (line) => ({ mark: 'listening', port: Number(line) }),
  };
}

function kedgeOf(dist: string, volume: TestVolume, { name }: BenchModel): Program {
  return {
    args: [join(dist, 'kedge.js'), 'serve'],
    env: serveEnvironment(volume),
    stream: 'stderr',
    read: (line) => {
      const { port, model, version } = JSON.parse(line) as { port?: number; model?: string; version?: number };
      if (port !== undefined) return { mark: 'listening', port };
      return model === name && version !== undefined ? { mark: 'loaded' } : undefined;
    },
  };
}

/** Milliseconds of each phase; NaN for what a program does not tell of. It may answer before its line is read: nothing is left of that phase then. */
function phasesOf({ listening, loaded, answer }: First): Record<string, number> {
  const load = loaded === undefined ? Number.NaN : Math.min(loaded, answer);
  return {
    'spawn to listening': listening,
    'listening to loaded': load - listening,
    'loaded to answer': answer - load,
  };
}

function told(name: string, starts: readonly First[]): object {
  const times = starts.map(({ answer }) => answer);
  const phases = starts.map(phasesOf);
  const medians = Object.keys(phases[0]!).map((phase) => [phase, rounded(median(phases.map((one) => one[phase]!)))]);
  return {
    program: name,
    ...Object.fromEntries(medians),
    'spawn to answer': rounded(median(times)),
    least: rounded(Math.min(...times)),
    most: rounded(Math.max(...times)),
  };
}

/**
 * From the spawn of a server to its first right answer, with the model on the volume: the bundle of Kedge beside the smallest script that does the
 * same with node:http and onnxruntime-node, bundled alike. Right is what both say. They take turns, and the first round is left out.
 */
export async function benchColdStart({ rounds }: ColdStartOptions, { out, signal }: BenchIo): Promise<BenchResult> {
  const model = gbdt() ?? mlp();
  const volume = new TestVolume();
  const { path: program, remove } = await bundleForPods();
  try {
    const dist = program === undefined ? fileURLToPath(new URL('.', import.meta.url)) : join(program, '..');
    const { path } = await addProbed(volume, model);
    await volume.write();
    const smallest = smallestOf(dist, join(volume.dir, path, 'model.onnx'), model);
    const kedge = kedgeOf(dist, volume, model);
    const taken: { smallest: First; kedge: First }[] = [];
    for (let round = -1; round < rounds; round += 1) {
      signal.throwIfAborted();
      const [one, other] = [await firstAnswer(smallest, model), await firstAnswer(kedge, model)];
      if (one.values !== other.values) throw new Error(`the answers differ: ${one.values} and ${other.values}`);
      if (round >= 0) taken.push({ smallest: one, kedge: other });
    }
    out.write(`${model.name}, milliseconds, medians of ${rounds} rounds:\n`);
    drawTable(
      out,
      (['smallest', 'kedge'] as const).map((name) =>
        told(
          name,
          taken.map((round) => round[name]),
        ),
      ),
    );
    const measured = taken.map((round) => round.kedge.answer / round.smallest.answer);
    return {
      figures: [
        { what: 'time to the first right answer, to that of the smallest script', wanted: { atMost: 1.3 }, measured },
      ],
      details: { taken },
    };
  } finally {
    await remove();
    volume.remove();
  }
}
