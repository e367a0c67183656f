import type { AnswerName } from './answers.ts';
import { getOperation, type Paths } from './operations.ts';
import { labelParameter, type ModelFacts, versionParameter } from './predictions.ts';

/** What can be read of a model, and of each of its versions that can answer. */
export function readingsOf({ name, alike }: ModelFacts): Paths {
  const paths: Paths = {};
  const read = (path: string, id: string, about: string, answer: AnswerName, parameters: object[] = []): void => {
    paths[path] = { get: getOperation(name, id, about, answer, [404, 503], parameters) };
  };
  const numbers = alike.flatMap((group) => group.numbers).sort((a, b) => b - a);
  const labels = alike.flatMap((group) => group.labels);
  const both = (base: string, id: string, about: string, answer: AnswerName, rest = ''): void => {
    read(`${base}${rest}`, `${id}-${name}`, about, answer);
    const parameters = [versionParameter(numbers)];
    read(`${base}/versions/{version}${rest}`, `${id}-${name}:version`, `${about}, of one version`, answer, parameters);
  };
  const v2 = `/v2/models/${name}`;
  both(v2, 'describe', 'Inputs and outputs', 'Model');
  both(v2, 'ready', 'Whether it can answer', 'ModelReady', '/ready');
  both(v2, 'config', "The same as Triton's configuration", 'Config', '/config');
  both(v2, 'stats', 'What was asked, and where its time went', 'Statistics', '/stats');
  read(`${v2}/versions`, `versions-${name}`, 'Every version, what became of it and why', 'ModelVersions');
  const v1 = `/v1/models/${name}`;
  const status = 'The state of each version, as TensorFlow Serving has it';
  const metadata = 'The same as metadata of TensorFlow Serving';
  both(v1, 'status', status, 'ModelStatus');
  both(v1, 'metadata', metadata, 'SignatureDef', '/metadata');
  if (labels.length > 0) {
    const parameters = [labelParameter(labels)];
    read(`${v1}/labels/{label}`, `status-${name}:label`, `${status}, by a label`, 'ModelStatus', parameters);
    const path = `${v1}/labels/{label}/metadata`;
    read(path, `metadata-${name}:label`, `${metadata}, by a label`, 'SignatureDef', parameters);
  }
  // The statistics of all models have this path.
  delete paths['/v2/models/stats'];
  return paths;
}
