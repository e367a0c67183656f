import { fileURLToPath } from 'node:url';
import type { LoadJob, LoadResult } from './load.ts';
import type { OpenLoadJob, OpenLoadResult } from './open-load.ts';
import { linesOf, startNode } from './processes.ts';

/** A closed loop in a process of its own. @param core held to it, if given */
export function closedLoad(job: LoadJob, core?: number): Promise<LoadResult> {
  return drive<LoadResult>('load.ts', job, core);
}

/** An open loop in a process of its own. @param core held to it, if given */
export function openLoad(job: OpenLoadJob, core?: number): Promise<OpenLoadResult> {
  return drive<OpenLoadResult>('open-load.ts', job, core);
}

async function drive<Result>(program: string, job: object, core: number | undefined): Promise<Result> {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const driver = startNode([path, JSON.stringify(job)], { core });
  let complaint = '';
  driver.stderr!.on('data', (text) => {
    complaint += text;
  });
  const lines = linesOf(driver);
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the load ended without a result: ${complaint}`);
    if ((value as string).startsWith('{')) return JSON.parse(value as string) as Result;
  }
}
