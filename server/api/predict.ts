import { KedgeError, messageOf } from '../../contract/errors.ts';
import type { Estimator } from '../../contract/estimator.ts';
import { stringifyJson } from '../../contract/json.ts';
import type { Ticket } from '../gate/ticket.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import { run } from './answer.ts';
import type { ApiContext } from './context.ts';
import { checkRows } from './domain-rows.ts';
import { invalid, parseObject } from './parse.ts';
import { rowsOfTensors, tensorsOfRows } from './rows.ts';

/**
 * Predictions in the row form of TensorFlow Serving: `{"instances": [...]}` -> `{"predictions": [...]}`, in order. With an
 * estimator the instances are domain rows; without one each is the row of the only input, or an object with a row for each input.
 */
export async function predict(
  context: ApiContext,
  version: ServedVersion,
  body: Buffer,
  ticket: Ticket,
): Promise<string> {
  const request = parseObject(body);
  const { instances } = request;
  if (request['inputs'] !== undefined) throw invalid('The column form (inputs) is not supported: send instances.');
  if (!Array.isArray(instances)) throw invalid('instances must be an array of rows.');
  const name = version.entry.manifest.code?.estimator;
  const estimator = name === undefined ? undefined : context.estimators.get(name)?.estimator;
  const predictions = estimator
    ? await predictDomain(context, version, ticket, estimator, instances)
    : await predictRows(context, version, ticket, instances);
  return stringifyJson({ predictions });
}

async function predictDomain(
  context: ApiContext,
  version: ServedVersion,
  ticket: Ticket,
  estimator: Estimator,
  instances: readonly unknown[],
): Promise<unknown[]> {
  const rows = checkRows(estimator.row, instances);
  if (rows.length === 0) return [];
  const inputs = attempt('estimator-failed', () => estimator.encode(rows));
  const outputs = await run(context, version, ticket, inputs);
  const predictions = attempt('estimator-defect', () => estimator.decode(outputs, rows));
  if (predictions.length === rows.length) return predictions;
  throw new KedgeError(
    'estimator-defect',
    `${estimator.name} made ${predictions.length} predictions of ${rows.length} rows.`,
  );
}

async function predictRows(
  context: ApiContext,
  version: ServedVersion,
  ticket: Ticket,
  instances: readonly unknown[],
): Promise<unknown[]> {
  const inputs = tensorsOfRows(version.signature, instances);
  const outputs = await run(context, version, ticket, inputs);
  return rowsOfTensors(outputs, instances.length);
}

function attempt<T>(code: 'estimator-failed' | 'estimator-defect', work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new KedgeError(code, messageOf(error), { cause: error });
  }
}
