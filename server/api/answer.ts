import type { ServedVersion } from '../lifecycle/served-version.ts';
import { readBody } from './body.ts';
import type { ApiContext, HttpContext } from './context.ts';
import { errorResponse, statusOf } from './errors.ts';
import { pickVersion } from './pick.ts';

/** Who is asked: a model, and a version of it if the path names one. */
export interface Target {
  model: string;
  version: string | undefined;
}

/**
 * Answers one request for a prediction: reads the body, holds the version that answers from before its body is understood
 * until its answer is written, so that answer and version always agree, and counts what came of it.
 * @param respond the JSON of the answer
 */
export async function answer(
  context: ApiContext,
  { env }: HttpContext,
  target: Target,
  respond: (version: ServedVersion, body: Buffer) => Promise<string>,
): Promise<Response> {
  const { stats, table } = context;
  const began = stats.now();
  stats.inflight.begin();
  let version: ServedVersion | undefined;
  let status = 200;
  try {
    // Who asks for nothing that is here shall not send its body first.
    pickVersion(table, target.model, target.version);
    const body = await readBody(env.incoming, context.maxBodyBytes);
    const chosen = pickVersion(table, target.model, target.version);
    chosen.enter();
    version = chosen;
    const text = await respond(chosen, body);
    return new Response(text, { headers: chosen.headers });
  } catch (error) {
    status = statusOf(error);
    return errorResponse(error, context.log, { headers: version?.headers });
  } finally {
    version?.leave();
    stats.inflight.end();
    const name = version?.model ?? (table.model(target.model) ? target.model : '');
    stats.of(name, version ? String(version.version) : '').count(status, stats.now() - began);
  }
}

/** One inference, timed. */
export async function run(
  context: ApiContext,
  version: ServedVersion,
  ...[inputs, outputs]: Parameters<ServedVersion['run']>
): ReturnType<ServedVersion['run']> {
  const began = context.stats.now();
  try {
    return await version.run(inputs, outputs);
  } finally {
    context.stats.of(version.model, String(version.version)).inference.observe(context.stats.now() - began);
  }
}
