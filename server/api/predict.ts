import { KedgeError, messageOf } from '../../contract/errors.ts';
import type { Estimator } from '../../contract/estimator.ts';
import { stringifyJson } from '../../contract/json.ts';
import type { Ticket } from '../gate/ticket.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import { run } from './answer.ts';
import { TextMarks } from './byte-strings.ts';
import { columnsOfTensors, tensorsOfColumns } from './columns.ts';
import type { ApiContext } from './context.ts';
import { checkRows } from './domain-rows.ts';
import { show } from './errors.ts';
import { invalid, parseObject } from './parse.ts';
import { rowsOfTensors, tensorsOfRows } from './rows.ts';

/**
 * Predictions as TensorFlow Serving has them. The row form, `{"instances": [...]}` -> `{"predictions": [...]}`, in order: with an estimator the
 * instances are domain rows; without one each is the row of the only input, or an object with a row for each input. The column form,
 * `{"inputs": ...}` -> `{"outputs": ...}`: whole tensors.
 */
export async function predict(
  context: ApiContext,
  version: ServedVersion,
  body: Buffer,
  ticket: Ticket,
): Promise<string> {
  const request = parseObject(body, context.maxJsonBytes);
  checkSignatureName(request['signature_name']);
  const instances = request['instances'] ?? undefined;
  const inputs = request['inputs'] ?? undefined;
  if (instances !== undefined && inputs !== undefined) {
    throw invalid('Send instances, which are rows, or inputs, which are columns, and not both.');
  }
  const name = version.entry.manifest.code?.estimator;
  const estimator = name === undefined ? undefined : context.estimators.get(name)?.estimator;
  if (inputs !== undefined) {
    if (estimator) throw invalid('The model takes domain rows, which have no columns: send instances.');
    return stringifyJson({ outputs: await predictColumns(context, version, ticket, inputs) });
  }
  if (!Array.isArray(instances)) throw invalid('instances must be an array of rows.');
  const predictions = estimator
    ? await predictDomain(context, version, ticket, estimator, instances)
    : await predictRows(context, version, ticket, instances);
  return stringifyJson({ predictions });
}

/** An ONNX model has one signature, by the name that TensorFlow gives the usual one. */
function checkSignatureName(name: unknown): void {
  if (name === undefined || name === null || name === '' || name === 'serving_default') return;
  throw invalid(`There is no signature ${show(name)}: leave signature_name out, or send "serving_default".`);
}

async function predictColumns(
  context: ApiContext,
  version: ServedVersion,
  ticket: Ticket,
  columns: unknown,
): Promise<unknown> {
  const marks = new TextMarks();
  const inputs = tensorsOfColumns(version.signature, columns, marks);
  marks.check();
  return columnsOfTensors(await run(context, version, ticket, inputs), marks.standIns);
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
  const marks = new TextMarks();
  const inputs = tensorsOfRows(version.signature, instances, marks);
  marks.check();
  const outputs = await run(context, version, ticket, inputs);
  return rowsOfTensors(outputs, instances.length, marks.standIns);
}

function attempt<T>(code: 'estimator-failed' | 'estimator-defect', work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new KedgeError(code, messageOf(error), { cause: error });
  }
}
