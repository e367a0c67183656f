import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../server/testing/manual-clock.ts';
import { LocalPod, type PodTimes } from './pod.ts';
import type { PodProcess } from './pod-process.ts';
import { startRunClock } from './run-clock.ts';

const TIMES: PodTimes = { startDelay: 0, preStop: 5, probePeriod: 2, graceMs: 45_000 };

let clock: ManualClock;
let ready: boolean;
let held: boolean;
let signals: string[];
let started: number;
let listen: () => void;
let exit: (code: number | null, signal?: NodeJS.Signals) => void;

beforeEach(() => {
  clock = new ManualClock(0);
  [ready, held, signals, started] = [true, false, [], 0];
});

/** A process that does what a test says: faults that a real one does not show on demand. */
function process(): PodProcess {
  started += 1;
  const listening = Promise.withResolvers<{ port: number; adminPort: number }>();
  const exited = Promise.withResolvers<{ code: number | null; signal: NodeJS.Signals | null }>();
  listening.promise.catch(() => undefined);
  listen = () => listening.resolve({ port: 1, adminPort: 2 });
  exit = (code, signal) => {
    listening.reject(new Error('ended'));
    exited.resolve({ code, signal: signal ?? null });
  };
  return {
    pid: 1,
    listening: listening.promise,
    exited: exited.promise,
    complaints: [],
    kill: (signal) => void signals.push(signal),
  };
}

function start(times: Partial<PodTimes> = {}): LocalPod {
  return new LocalPod({
    name: 'p',
    clock: startRunClock(1, clock),
    times: { ...TIMES, ...times },
    start: process,
    probe: async () => ready,
    isHeldBack: async () => held,
    onChange: () => undefined,
  });
}

async function startReady(): Promise<LocalPod> {
  const pod = start();
  listen();
  await clock.advance(0);
  expect(pod.state).toBe('ready');
  return pod;
}

const statesOf = ({ states }: LocalPod): string => states.map(({ at, state }) => `${state}@${at}`).join(' ');

describe('a pod', () => {
  it('starts after its delay, and is ready when it says so', async () => {
    ready = false;
    const pod = start({ startDelay: 3 });
    expect([started, pod.startedAt]).toEqual([0, undefined]);
    await clock.advance(3_000);
    expect([started, pod.startedAt]).toEqual([1, 3]);
    listen();
    for (let looks = 0; looks < 3; looks += 1) await clock.advance(2_000);
    expect(statesOf(pod)).toBe('starting@0');
    ready = true;
    await clock.advance(2_000);
    expect(statesOf(pod)).toBe('starting@0 ready@11');
  });

  it('is unready after two probes that failed, and ready again after a good one', async () => {
    const pod = await startReady();
    ready = false;
    await clock.advance(2_000);
    ready = true;
    await clock.advance(2_000);
    ready = false;
    await clock.advance(2_000);
    await clock.advance(2_000);
    ready = true;
    await clock.advance(2_000);
    expect(statesOf(pod)).toBe('starting@0 ready@0 unready@8 ready@10');
  });

  it('drains: sent nothing more, then SIGTERM once nothing is held back for it, then gone', async () => {
    const pod = await startReady();
    held = true;
    const drained = pod.drain('scaled down');
    expect(pod.state).toBe('draining');
    await clock.advance(5_000);
    await clock.advance(1_000);
    expect(signals).toEqual([]);
    held = false;
    await clock.advance(1_000);
    expect(signals).toEqual(['SIGTERM']);
    exit(0);
    await drained;
    expect(pod.states.at(-1)).toMatchObject({ state: 'gone', why: 'exit code 0' });
    expect(pod.exit).toEqual({ code: 0, signal: null });
  });

  it('that does not end within the grace is killed', async () => {
    const pod = await startReady();
    void pod.drain('scaled down');
    await clock.advance(5_000);
    await clock.advance(39_999);
    expect(signals).toEqual(['SIGTERM']);
    await clock.advance(1);
    expect(signals).toEqual(['SIGTERM', 'SIGKILL']);
  });

  it('whose process has not started is gone at once', async () => {
    const pod = start({ startDelay: 10 });
    await pod.drain('scaled down');
    await clock.advance(20_000);
    expect([statesOf(pod), started]).toEqual(['starting@0 draining@0 gone@0', 0]);
  });

  it.each(['before it listens', 'while it is ready', 'while it drains'])('that dies %s is gone', async (when) => {
    const pod = when === 'before it listens' ? start() : await startReady();
    if (when === 'while it drains') void pod.drain('scaled down');
    exit(null, 'SIGKILL');
    await pod.gone;
    await clock.advance(60_000);
    expect(pod.states.at(-1)).toMatchObject({ state: 'gone', why: 'ended by SIGKILL' });
    // Nothing is done to it any more.
    expect(signals).toEqual([]);
  });
});
