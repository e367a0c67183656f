#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { KedgeError, messageOf } from '../contract/errors.ts';
import { KEDGE_VERSION } from '../contract/version.ts';
import { type Command, INTERRUPTED } from './command.ts';
import { columns, runCommand } from './run.ts';

/** Imported only when called for: `kedge serve` must not pay for the AWS SDK, nor `kedge publish` for the runtime. */
const COMMANDS: Record<string, { summary: string; load(): Promise<{ command: Command }> }> = {
  serve: { summary: 'answer predictions from the volume', load: () => import('./commands/serve.ts') },
  load: { summary: 'keep the volume in step with the bucket', load: () => import('./commands/load.ts') },
  fit: { summary: 'fit one model to one table', load: () => import('./commands/fit.ts') },
  train: { summary: 'make model versions from the history', load: () => import('./commands/train.ts') },
  publish: { summary: 'put a new version of a model into the bucket', load: () => import('./commands/publish.ts') },
  ls: { summary: 'list models and versions in the bucket', load: () => import('./commands/ls.ts') },
  inspect: { summary: 'show all about one version', load: () => import('./commands/inspect.ts') },
  pin: { summary: 'let one version answer, newer or older', load: () => import('./commands/pin.ts') },
  unpin: { summary: 'let the newest version answer again', load: () => import('./commands/unpin.ts') },
  rollout: { summary: 'say which versions are held ready', load: () => import('./commands/rollout.ts') },
  retire: { summary: 'take a model or a version out of service', load: () => import('./commands/retire.ts') },
  token: { summary: 'make a token for a server that asks for one', load: () => import('./commands/token.ts') },
  doctor: {
    summary: 'look at what Kedge stands on here, and say what to do',
    load: () => import('./commands/doctor.ts'),
  },
  gc: { summary: 'remove what can never be served again', load: () => import('./commands/gc.ts') },
  'bench autoscale': {
    summary: 'prove that it scales: an autoscaler over real servers',
    load: () => import('./commands/bench/autoscale.ts'),
  },
  'bench load': {
    summary: 'send requests as a schedule says, and check the answers',
    load: () => import('./commands/bench/load.ts'),
  },
  'bench report': {
    summary: 'draw the report of a run, and compare two',
    load: () => import('./commands/bench/report.ts'),
  },
  'bench hpa-vectors': {
    summary: 'check the HPA arithmetic against recorded cases',
    load: () => import('./commands/bench/hpa-vectors.ts'),
  },
  'bench compare': {
    summary: 'hold Kedge against other servers',
    load: () => import('./commands/bench/compare.ts'),
  },
  'bench coldstart': {
    summary: 'from the spawn of a server to its first right answer',
    load: () => import('./commands/bench/coldstart.ts'),
  },
  'bench overload': {
    summary: 'ask for more than can be answered',
    load: () => import('./commands/bench/overload.ts'),
  },
  'bench sync': {
    summary: 'fetch a bucket with the loader and with other clients',
    load: () => import('./commands/bench/sync.ts'),
  },
  'bench reload': { summary: 'swap a large model under load', load: () => import('./commands/bench/reload.ts') },
  'bench plan': {
    summary: 'find the autoscaling that keeps an objective at the least cost',
    load: () => import('./commands/bench/plan.ts'),
  },
  history: { summary: 'fill, import and look at what models learn from', load: () => import('./commands/history.ts') },
  quickstart: { summary: 'the whole path on this machine, live', load: () => import('./commands/quickstart.ts') },
};

/**
 * The bundle keeps what V8 made of it beside itself, where it may write there: the next start takes it from there. A start that ends in order
 * writes it, so that an image may bring it along.
 */
if (import.meta.filename.endsWith('.js')) {
  enableCompileCache({ directory: join(import.meta.dirname, '.compile-cache'), portable: true });
}

async function main(words: readonly string[]): Promise<number> {
  const { name, rest } = commandOf(words);
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(overview());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${KEDGE_VERSION}\n`);
    return 0;
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!entry) throw new KedgeError('config-invalid', `there is no command '${name}'; kedge --help lists them.`);
  const { command } = await entry.load();
  return runCommand(name, command, rest, {
    env: process.env,
    out: process.stdout,
    err: process.stderr,
    signal: signalOfProcess(),
  });
}

/** A command is one word, or two where the first is a group. */
function commandOf(words: readonly string[]): { name: string | undefined; rest: readonly string[] } {
  const two = words.slice(0, 2).join(' ');
  return Object.hasOwn(COMMANDS, two) ? { name: two, rest: words.slice(2) } : { name: words[0], rest: words.slice(1) };
}

function overview(): string {
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary] as const);
  return `Kedge ${KEDGE_VERSION}: drop a model version into a bucket, and every replica hauls itself forward to it.

Usage: kedge COMMAND [OPTIONS]

${columns(rows)}

kedge COMMAND --help shows its options and settings.
`;
}

function signalOfProcess(): AbortSignal {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return controller.signal;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const known = error instanceof KedgeError;
  process.stderr.write(`kedge: ${known ? error.message : `unexpected: ${messageOf(error)}`}\n`);
  if (!known && error instanceof Error && error.stack) process.stderr.write(`${error.stack}\n`);
  process.exitCode = known ? error.exit : 1;
}
