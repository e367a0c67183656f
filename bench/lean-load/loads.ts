import { fileURLToPath } from 'node:url';
import { linesOf, startNode } from '../processes.ts';
import type { LoadJob, LoadResult } from './closed-load.ts';
import type { OpenLoadJob, OpenLoadResult } from './open-load.ts';

type Program = 'closed-load' | 'open-load';

/** TypeScript beside this file in a clone, bundles of their own beside the main one in the package. */
const isClone = import.meta.url.endsWith('.ts');
const PROGRAMS: Readonly<Record<Program, string>> = {
  'closed-load': fileURLToPath(new URL(isClone ? 'closed-load.ts' : 'closed-load.js', import.meta.url)),
  'open-load': fileURLToPath(new URL(isClone ? 'open-load.ts' : 'open-load.js', import.meta.url)),
};

/** Told when the warm-up is over, and when the load is. */
export interface LoadMarks {
  onBegin?(): void;
  onEnd?(): void;
}

/** A closed loop in a process of its own. @param core held to it, if given */
export function closedLoad(job: LoadJob, core?: number, marks: LoadMarks = {}): Promise<LoadResult> {
  return drive<LoadResult>('closed-load', job, core, marks);
}

/** An open loop in a process of its own. @param core held to it, if given */
export function openLoad(job: OpenLoadJob, core?: number): Promise<OpenLoadResult> {
  return drive<OpenLoadResult>('open-load', job, core, {});
}

async function drive<Result>(
  program: Program,
  job: object,
  core: number | undefined,
  { onBegin, onEnd }: LoadMarks,
): Promise<Result> {
  const driver = startNode([PROGRAMS[program], JSON.stringify(job)], { core });
  let complaint = '';
  driver.stderr!.on('data', (text) => {
    complaint += text;
  });
  const lines = linesOf(driver);
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the load ended without a result: ${complaint}`);
    if (value === 'begin') onBegin?.();
    else if (value === 'end') onEnd?.();
    else if ((value as string).startsWith('{')) return JSON.parse(value as string) as Result;
  }
}
