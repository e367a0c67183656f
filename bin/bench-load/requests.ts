import { readFileSync } from 'node:fs';
import { readBodies, readWanted } from '../../bench/load/body-files.ts';
import { parseHeader, parseTarget, readByModel } from '../../bench/load/command-options.ts';
import type { LoadRequest } from '../../bench/load/load-options.ts';
import { requestsFor, type TargetOptions, targetsFor } from '../../bench/load/targets.ts';
import { KedgeError } from '../../contract/errors.ts';
import type { Context } from '../command.ts';
import { BODY_IDLE } from '../idle/load.ts';
import { refuseByRules } from '../idle-options.ts';
import { listIn, textIn } from './options.ts';

/**
 * What a load sends: what is given, and for what is not, what the server tells of its models.
 * @param numbers as the command reads them
 * @throws KedgeError `config-invalid` where nothing can be sent as the options say, or one of them does nothing
 */
export async function requestsOf(
  values: Context['values'],
  url: string,
  { bodies: count, rows, seed, timeout }: { bodies: number; rows: number; seed: number; timeout: number },
): Promise<LoadRequest[]> {
  const path = textIn(values, 'path');
  const bodies = readByModel('body', listIn(values, 'body'), readFileSync, readBodies);
  const wanted = readByModel('wanted', listIn(values, 'wanted'), readFileSync, readWanted);
  if (path !== undefined && bodies.size === 0) throw new KedgeError('config-invalid', '--path needs a --body.');
  const options: TargetOptions = {
    url,
    targets: listIn(values, 'model').map(parseTarget),
    bodies,
    wanted,
    path,
    headers: Object.fromEntries(listIn(values, 'header').map(parseHeader)),
    binary: values['binary'] === true,
    check: values['status-only'] === true ? 'status' : 'same',
    count,
    rows,
    seed,
    timeoutMs: timeout * 1_000,
  };
  const targets = await targetsFor(options);
  const without = (given: ReadonlyMap<string, unknown>): boolean =>
    targets.some(({ model }) => !given.has(model) && !given.has(''));
  refuseByRules(values, BODY_IDLE, { madeUp: without(bodies), unwanted: without(wanted) });
  return requestsFor({ ...options, targets });
}
