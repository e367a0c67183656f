import { readdirSync, readFileSync } from 'node:fs';
import { parseTrace, type Trace } from './trace.ts';

const FOLDER = new URL('../traces/', import.meta.url);

/** What the real controller of Kubernetes 1.37.2 did, in the order of names; record.sh makes these files. */
export function readTraces(): Trace[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.jsonl'));
  return files.sort().map((file) => parseTrace(readFileSync(new URL(file, FOLDER), 'utf8')));
}
