import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { valid } from 'semver';
import type { ServerCode } from '../contract/admission.ts';
import { KedgeError, messageOf } from '../contract/errors.ts';
import { type Estimator, featureDigest } from '../contract/estimator.ts';

interface LoadedEstimator {
  estimator: Estimator;
  /** Of its feature schema. */
  digest: string;
  /** Where it came from. */
  file: string;
}

/** By the name that manifests ask for. */
export type Estimators = ReadonlyMap<string, LoadedEstimator>;

/** JavaScript first: where a build put it beside its source, it is what shall run. */
const EXTENSIONS = ['.mjs', '.js', '.ts'];

/**
 * Imports every estimator of a folder: `X.ts`, `X.js`, `X.mjs`, and folders that hold a file `estimator` of these kinds. Tests,
 * type declarations, hidden entries and folders without one are passed over.
 * @throws KedgeError `estimator-invalid` that names the file and everything that is wrong with it
 */
export async function loadEstimators(folder: string | undefined): Promise<Estimators> {
  const estimators = new Map<string, LoadedEstimator>();
  if (folder === undefined) return estimators;
  for (const file of await findFiles(resolve(folder))) {
    const estimator = await importEstimator(file);
    const other = estimators.get(estimator.name);
    if (other) throw invalid(file, [`has the name '${estimator.name}', which ${other.file} has too`]);
    estimators.set(estimator.name, { estimator, digest: featureDigest(estimator.features), file });
  }
  return estimators;
}

/** What admission holds versions against. */
export function serverCode(server: string, estimators: Estimators): ServerCode {
  return {
    server,
    estimators: [...estimators.values()].map(({ estimator: { name, version }, digest }) => ({
      name,
      version,
      features: digest,
    })),
  };
}

async function findFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new KedgeError('estimator-invalid', `The folder of estimators cannot be read: ${messageOf(error)}.`);
  });
  const files = new Map<string, string>();
  for (const extension of EXTENSIONS) {
    for (const { name } of entries) {
      if (name.startsWith('.')) continue;
      const inside = join(folder, name, `estimator${extension}`);
      const isFile = name.endsWith(extension) && !/\.(test|spec|d)\.[a-z]+$/.test(name);
      if (isFile) setOnce(files, name.slice(0, -extension.length), join(folder, name));
      else if (existsSync(inside)) setOnce(files, name, inside);
    }
  }
  return [...files.values()].sort();
}

function setOnce(files: Map<string, string>, key: string, file: string): void {
  if (!files.has(key)) files.set(key, file);
}

async function importEstimator(file: string): Promise<Estimator> {
  let module: { default?: unknown };
  try {
    module = await import(pathToFileURL(file).href);
  } catch (error) {
    throw invalid(file, [`cannot be imported: ${messageOf(error)}`], error);
  }
  const problems = problemsOf(module.default);
  if (problems.length > 0) throw invalid(file, problems);
  return module.default as Estimator;
}

/** Everything that keeps a value from being an {@link Estimator}, each to be read after the name of its file. */
export function problemsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return ['has no default export that is an estimator object'];
  const { name, version, features, row, encode, decode } = value as Record<string, unknown>;
  const problems: string[] = [];
  if (typeof name !== 'string' || name === '') problems.push('lacks a name');
  if (typeof version !== 'string' || valid(version) === null) problems.push('lacks a semantic version such as 1.0.0');
  problems.push(...entriesOf('features', features, checkFeature), ...entriesOf('row', row, checkField));
  if (typeof encode !== 'function') problems.push('lacks the function encode');
  if (typeof decode !== 'function') problems.push('lacks the function decode');
  return problems;
}

type Entry = Record<string, unknown>;

function entriesOf(what: string, value: unknown, check: (entry: Entry) => string | undefined): string[] {
  if (!Array.isArray(value) || value.length === 0) return [`lacks the list ${what}`];
  const names = value.map((entry: Entry | null) => entry?.['name']);
  return value.flatMap((entry: Entry | null, index) => {
    const name = names[index];
    if (typeof name !== 'string' || name === '') return [`lacks a name in ${what}[${index}]`];
    if (names.indexOf(name) !== index) return [`has '${name}' twice in ${what}`];
    const problem = check(entry!);
    return problem === undefined ? [] : [`has ${what}[${index}] '${name}' ${problem}`];
  });
}

const FEATURE_TYPES = ['number', 'integer', 'boolean', 'category'];
const FIELD_TYPES = ['number', 'integer', 'boolean', 'string'];

function checkFeature({ type, encoding, categories }: Entry): string | undefined {
  if (!FEATURE_TYPES.includes(type as string)) return `with a type that is none of ${FEATURE_TYPES.join(', ')}`;
  if (typeof encoding !== 'string' || encoding === '') return 'without an encoding';
  const listed =
    Array.isArray(categories) && categories.length > 0 && categories.every((one) => typeof one === 'string');
  return type === 'category' && !listed ? 'without a list of its categories' : undefined;
}

function checkField({ type, description, required }: Entry): string | undefined {
  if (!FIELD_TYPES.includes(type as string)) return `with a type that is none of ${FIELD_TYPES.join(', ')}`;
  if (typeof description !== 'string') return 'without a description';
  return typeof required === 'boolean' ? undefined : 'without saying whether it is required';
}

function invalid(file: string, problems: string[], cause?: unknown): KedgeError {
  return new KedgeError('estimator-invalid', `${file} ${problems.join(', ')}.`, { cause });
}
