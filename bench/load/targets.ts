import { KedgeError, messageOf } from '../../contract/errors.ts';
import { Random } from '../../platform/random.ts';
import type { AnswerCheck, LoadRequest } from './load-options.ts';
import { type BodyForm, type InputSpec, type LoadBody, makeUpBody } from './made-up.ts';
import { pathOf } from './request-bytes.ts';

/** A model that is sent requests. */
export interface Target {
  model: string;
  /** Absent: whichever is active. */
  version?: string;
  weight: number;
}

export interface TargetOptions extends BodyForm {
  url: string;
  /** All ready ones of the server if there are none. */
  targets: readonly Target[];
  /** By model, `''` for all others. What has none gets bodies made up. */
  bodies: ReadonlyMap<string, readonly LoadBody[]>;
  /** What is wanted of them, in their order. */
  wanted: ReadonlyMap<string, readonly AnswerCheck[]>;
  /** In the place of the path of an inference. */
  path?: string | undefined;
  headers: Readonly<Record<string, string>>;
  /** How many bodies are made up for a model. */
  count: number;
  seed: number;
  check: 'same' | 'status';
  timeoutMs: number;
}

/**
 * The requests of a load: those that are given, and others made up of what the server tells of its models. Each is sent once, so that nobody waits half an hour to be told that
 * a body does not fit.
 * @throws KedgeError `config-invalid` that says what to do
 */
export async function requestsFor(options: TargetOptions): Promise<LoadRequest[]> {
  const targets = await targetsFor(options);
  const requests = (await Promise.all(targets.map((target) => requestsOf(target, options)))).flat();
  for (const request of requests) await tryOut(request, options);
  return requests;
}

/** The models that a load goes to: those that are named, else all that are ready. @throws KedgeError `config-invalid` where something is given for none of them */
export async function targetsFor(options: TargetOptions): Promise<readonly Target[]> {
  const targets = options.targets.length > 0 ? options.targets : await readyModels(options);
  checkNames(targets, options);
  return targets;
}

/** What is given for a model that is sent nothing has a typing error in it. */
function checkNames(targets: readonly Target[], { bodies, wanted, path }: TargetOptions): void {
  const fixed = targets.find(({ version }) => version !== undefined);
  if (path !== undefined && fixed) {
    throw invalid(
      `--model ${fixed.model}/${fixed.version} names a version, and --path is where its requests go: say it there.`,
    );
  }
  const names = targets.map(({ model }) => model);
  for (const [option, given] of Object.entries({ body: bodies, wanted })) {
    const unknown = [...given.keys()].filter((model) => model !== '' && !names.includes(model));
    if (unknown.length > 0) {
      throw invalid(`--${option} names ${unknown.join(', ')}, which is sent nothing; models are: ${names.join(', ')}.`);
    }
    if (given.has('') && names.every((name) => given.has(name))) {
      throw invalid(`--${option} FILE without a model is for those that have none of their own, and all have one.`);
    }
  }
}

async function requestsOf(target: Target, options: TargetOptions): Promise<LoadRequest[]> {
  const { model, version, weight } = target;
  const given = options.bodies.get(model) ?? options.bodies.get('');
  const bodies = given ?? (await madeUp(target, options));
  const wanted = options.wanted.get(model) ?? options.wanted.get('');
  if (wanted && wanted.length !== bodies.length) {
    throw invalid(`${model} has ${bodies.length} bodies and ${wanted.length} wanted answers; give one for each.`);
  }
  const path = options.path ?? (version === undefined ? undefined : `${modelPath(target)}/infer`);
  return bodies.map((body, index) => ({
    model,
    weight: weight / bodies.length,
    ...body,
    ...(path !== undefined && { path }),
    headers: { ...body.headers, ...options.headers },
    check: wanted?.[index] ?? options.check,
  }));
}

async function madeUp(target: Target, options: TargetOptions): Promise<LoadBody[]> {
  const { inputs } = (await ask(options, modelPath(target))) as { inputs?: InputSpec[] };
  const random = new Random(options.seed);
  try {
    return Array.from({ length: options.count }, () => makeUpBody(inputs ?? [], options, random));
  } catch (error) {
    throw invalid(`A body cannot be made up for ${target.model}: ${messageOf(error)}. Give one by --body.`);
  }
}

function modelPath({ model, version }: Target): string {
  return `/v2/models/${encodeURIComponent(model)}${version === undefined ? '' : `/versions/${version}`}`;
}

async function readyModels(options: TargetOptions): Promise<Target[]> {
  if (options.path !== undefined) return [{ model: 'requests', weight: 1 }];
  const index = await ask(options, '/v2/repository/index', '{"ready":true}');
  if (!Array.isArray(index)) throw noServer(options, '/v2/repository/index', JSON.stringify(index));
  const names = [...new Set((index as { name: string }[]).map(({ name }) => name))];
  if (names.length === 0) throw invalid(`No model is ready at ${options.url}; publish one, or name one by --model.`);
  return names.map((model) => ({ model, weight: 1 }));
}

/** @returns an object or an array of JSON */
async function ask(options: TargetOptions, path: string, body?: string): Promise<object> {
  const response = await send(options, path, {
    ...(body !== undefined && { method: 'POST', body }),
    headers: { 'content-type': 'application/json', ...options.headers },
  });
  const text = await response.text();
  if (response.ok) {
    const parsed = objectOf(text);
    if (parsed) return parsed;
    throw noServer(options, path, text);
  }
  throw invalid(
    `${options.url}${path} answered ${response.status}: ${text.slice(0, 300)} Name models by --model and give bodies by --body.`,
  );
}

function objectOf(text: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function noServer({ url }: TargetOptions, path: string, text: string): KedgeError {
  const shown = text.slice(0, 80).replace(/\s+/g, ' ');
  return invalid(
    `${url} is no Kedge server: ${path} answered '${shown}'. Look at the address; another server takes --path and --body.`,
  );
}

async function tryOut(request: LoadRequest, options: TargetOptions): Promise<void> {
  const { body, headers } = request;
  const sent = typeof body === 'string' ? body : Buffer.from(body);
  const response = await send(options, pathOf(request), {
    method: 'POST',
    body: sent,
    headers: { 'content-type': 'application/json', ...headers },
  });
  const text = await response.text();
  // Whatever else a server says under load may pass.
  if (response.status >= 300 && response.status < 500) {
    throw invalid(
      `${request.model} does not take its body (status ${response.status}: ${text.slice(0, 300)}). Give one by --body, or what is missing by --header.`,
    );
  }
}

async function send({ url, timeoutMs }: TargetOptions, path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url.replace(/\/$/, '') + path, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    throw invalid(`${url} cannot be reached: ${messageOf(cause ?? error)}. Is a server running there?`);
  }
}

function invalid(message: string): KedgeError {
  return new KedgeError('config-invalid', message);
}
