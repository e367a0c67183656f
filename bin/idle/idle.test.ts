import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Command } from '../command.ts';
import { command as compare } from '../commands/bench/compare.ts';
import { command as hpaVectors } from '../commands/bench/hpa-vectors.ts';
import { command as load } from '../commands/bench/load.ts';
import { command as plan } from '../commands/bench/plan.ts';
import { command as report } from '../commands/bench/report.ts';
import { command as sync } from '../commands/bench/sync.ts';
import { type IdleRule, refuseByRules } from '../idle-options.ts';
import { runCommand } from '../run.ts';
import { COMPARE_IDLE } from './compare.ts';
import { BODY_IDLE, type BodyCase, LOOP_IDLE, type LoopCase } from './load.ts';
import { PLAN_IDLE } from './plan.ts';
import { SYNC_IDLE } from './sync.ts';

/** For each option the cases in which it does something; `always`: in all of them. */
type Table<Case extends string> = Readonly<Record<string, 'always' | readonly Case[]>>;

function holdsFor<Case extends string, Given>(
  command: Command,
  rules: readonly IdleRule<Given>[],
  cases: Readonly<Record<Case, Given>>,
  table: Table<Case>,
): void {
  it('has a line for each of its options', () => {
    expect(Object.keys(table).sort()).toEqual(Object.keys(command.options ?? {}).sort());
  });
  const all = Object.keys(cases) as Case[];
  it.each(all.flatMap((one) => Object.keys(table).map((name) => [one, name] as const)))('%s: --%s', (one, name) => {
    const holds = table[name] === 'always' || table[name]!.includes(one);
    const refuse = (): void => refuseByRules({ [name]: 'x' }, rules, cases[one]);
    if (holds) expect(refuse).not.toThrow();
    else expect(refuse).toThrow(new RegExp(`^--${name} `));
  });
}

describe('kedge bench load: when an option does something', () => {
  const open = { closed: false, madeUp: true, unwanted: true };
  const cases = {
    open,
    closed: { ...open, closed: true },
    'all bodies given': { ...open, madeUp: false },
    'all answers given': { ...open, madeUp: false, unwanted: false },
  };
  const byOpen = ['open', 'all bodies given', 'all answers given'] as const;
  const madeUp = ['open', 'closed'] as const;
  const rules: IdleRule<LoopCase & BodyCase>[] = [...LOOP_IDLE, ...BODY_IDLE];
  holdsFor(load, rules, cases, {
    load: byOpen,
    model: 'always',
    body: 'always',
    wanted: 'always',
    binary: madeUp,
    path: 'always',
    header: 'always',
    'status-only': ['open', 'closed', 'all bodies given'],
    coarse: byOpen,
    tool: 'always',
    lines: 'always',
    bodies: madeUp,
    rows: madeUp,
    outstanding: byOpen,
    timeout: 'always',
    deadline: byOpen,
    seed: 'always',
    workers: byOpen,
    compression: byOpen,
    reconnect: byOpen,
    connections: ['closed'],
    seconds: ['closed'],
    json: 'always',
    report: 'always',
    assert: 'always',
  });
});

describe('kedge bench plan: when an option does something', () => {
  const cases = {
    'a curve': { measures: false, plans: true },
    'a pod and a load': { measures: true, plans: true },
    'a pod': { measures: true, plans: false },
  };
  const measured = ['a pod and a load', 'a pod'] as const;
  const planned = ['a curve', 'a pod and a load'] as const;
  holdsFor(plan, PLAN_IDLE, cases, {
    // That there is one of each pair, and not both, is asked before.
    curve: 'always',
    measure: 'always',
    trace: 'always',
    load: 'always',
    metrics: measured,
    model: measured,
    body: measured,
    out: measured,
    seconds: measured,
    start: measured,
    outstanding: measured,
    hpa: planned,
    targets: planned,
    as: planned,
    p99: planned,
    'in-flight': planned,
    share: planned,
    headroom: planned,
    'pod-start': planned,
    drain: planned,
    least: planned,
    most: planned,
    queue: planned,
    'metric-window': planned,
    'metric-delay': planned,
    sync: planned,
    json: planned,
  });
});

describe('kedge bench compare: when an option does something', () => {
  const cases = { peers: { peers: 2 }, 'no peers': { peers: 0 } };
  holdsFor(compare, COMPARE_IDLE, cases, {
    peers: 'always',
    install: ['peers'],
    url: 'always',
    // That both are given, or neither, is asked beside.
    onnx: 'always',
    body: 'always',
    rounds: 'always',
    seconds: 'always',
    connections: 'always',
    rate: 'always',
    json: 'always',
  });
});

describe('kedge bench sync: when an option does something', () => {
  const cases = {
    made: { isThere: false, big: 4 },
    'made of small models': { isThere: false, big: 0 },
    yours: { isThere: true, big: 4 },
  };
  const made = ['made', 'made of small models'] as const;
  holdsFor(sync, SYNC_IDLE, cases, {
    bucket: 'always',
    install: 'always',
    rounds: 'always',
    many: made,
    big: made,
    size: ['made'],
    json: 'always',
  });
});

describe('kedge bench report: when an option does something', () => {
  holdsFor(report, [], { any: undefined }, { against: 'always', assert: 'always', out: 'always' });
});

describe('kedge bench hpa-vectors: when an option does something', () => {
  holdsFor(hpaVectors, [], { any: undefined }, {});
});

/** `bin/bench-load.test.ts` and `bin/bench-plan.test.ts` have those of the others. */
it.each([
  ['bench compare', compare, ['--peers', 'none', '--install'], /^--install makes the environments of peers/],
  ['bench sync', sync, ['--bucket', 's3://there', '--many', '3', '--size', '9'], /^--many, --size say what a bucket/],
  ['bench sync', sync, ['--big', '0', '--size', '9'], /^--size is that of large models/],
])('%s refuses them before it starts anything: %#', async (name, command, words, message) => {
  const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
  const io = { env: {}, out: sink, err: sink, signal: new AbortController().signal };
  await expect(runCommand(name, command, words, io)).rejects.toMatchObject({
    code: 'config-invalid',
    message: expect.stringMatching(message),
  });
});
