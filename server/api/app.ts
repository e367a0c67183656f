import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { KedgeError } from '../../contract/errors.ts';
import { KEDGE_VERSION } from '../../contract/version.ts';
import { applyParameters } from '../gate/parameters.ts';
import { answer, run, type Target } from './answer.ts';
import type { ApiContext, HttpContext } from './context.ts';
import { describeModel, describeVersions } from './describe.ts';
import { errorResponse, json, show } from './errors.ts';
import { parseInferRequest } from './infer-request.ts';
import { inferResponse } from './infer-response.ts';
import { pickModel, pickVersion } from './pick.ts';
import { predict } from './predict.ts';
import { LENGTH_HEADER } from './request-body.ts';

/** Protocol extensions that are implemented; clients take it at its word. */
const EXTENSIONS: readonly string[] = [];

type Handler = (c: HttpContext) => Response | Promise<Response>;
export type Routes = Readonly<Record<string, Partial<Record<'GET' | 'POST', Handler>>>>;

/**
 * What both ports answer: health, metadata and predictions. Routes have one handler each and no middleware: on the way of a
 * prediction each layer costs. A trailing slash makes no difference.
 * @param more further routes, of one port alone
 */
export function createApp(context: ApiContext, more: Routes = {}): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>({ strict: false });
  const routes: Routes = { ...healthRoutes(context), ...modelRoutes(context), ...predictionRoutes(context), ...more };
  for (const [path, methods] of Object.entries(routes)) {
    for (const [method, handler] of Object.entries(methods)) app.on(method, path, handler);
  }
  const allowed = allowedMethods(routes);
  app.notFound((c) => {
    const methods = allowed(c.req.path);
    if (!methods) {
      const message = `There is nothing at ${show(c.req.path)}; predictions are at POST /v2/models/{model}/infer.`;
      return errorResponse(new KedgeError('route-unknown', message), context.log);
    }
    const message = `${c.req.path} takes ${methods}, not ${c.req.raw.method}.`;
    return errorResponse(new KedgeError('method-not-allowed', message), context.log, { headers: { allow: methods } });
  });
  app.onError((error) => errorResponse(error, context.log));
  return app;
}

function healthRoutes({ notReady, log }: ApiContext): Routes {
  const live: Handler = () => json({ live: true });
  const ready: Handler = () => {
    const reason = notReady();
    if (!reason) return json({ live: true, ready: true });
    return errorResponse(new KedgeError(reason.code, reason.message), log, { more: { live: true, ready: false } });
  };
  return {
    '/': { GET: () => json({ status: 'alive' }) },
    '/livez': { GET: live },
    '/readyz': { GET: ready },
    '/v2/health/live': { GET: live },
    '/v2/health/ready': { GET: ready },
    '/v2': { GET: () => json({ name: 'kedge', version: KEDGE_VERSION, extensions: EXTENSIONS }) },
  };
}

function modelRoutes({ table }: ApiContext): Routes {
  const metadata: Handler = (c) => {
    const { model, version } = targetOf(c);
    const chosen = pickVersion(table, model, version);
    return new Response(JSON.stringify(describeModel(pickModel(table, model), chosen)), { headers: chosen.headers });
  };
  const ready: Handler = (c) => {
    const { model, version } = targetOf(c);
    const chosen = pickVersion(table, model, version);
    return new Response(JSON.stringify({ name: chosen.model, ready: true }), { headers: chosen.headers });
  };
  const list: Handler = () => {
    const known = [...table.models()].filter((model) => model.rollout?.retired !== true);
    return json({ models: known.map(({ name }) => name).sort() });
  };
  return {
    '/v2/models': { GET: list },
    '/v2/models/:model': { GET: metadata },
    '/v2/models/:model/ready': { GET: ready },
    '/v2/models/:model/versions': { GET: (c) => json(describeVersions(pickModel(table, param(c, 'model')))) },
    '/v2/models/:model/versions/:version': { GET: metadata },
    '/v2/models/:model/versions/:version/ready': { GET: ready },
  };
}

function predictionRoutes(context: ApiContext): Routes {
  const infer: Handler = (c) =>
    answer(context, c, targetOf(c), async (version, body, ticket) => {
      const request = parseInferRequest(body, headerOf(c, LENGTH_HEADER), version.signature);
      applyParameters(ticket, request.parameters);
      const names = request.outputs?.map(({ name }) => name);
      return inferResponse(version, request, await run(context, version, ticket, request.inputs, names));
    });
  const predictCall = (c: HttpContext, model: string, version: string | undefined): Promise<Response> =>
    answer(context, c, { model, version }, (served, body, ticket) => predict(context, served, body, ticket));
  return {
    '/v2/models/:model/infer': { POST: infer },
    '/v2/models/:model/versions/:version/infer': { POST: infer },
    '/v1/models/:call': { POST: (c) => predictCall(c, callOf(c), undefined) },
    '/v1/models/:model/versions/:call': { POST: (c) => predictCall(c, param(c, 'model'), callOf(c)) },
  };
}

function targetOf(c: HttpContext): Target {
  return { model: param(c, 'model'), version: c.req.param('version') };
}

function param(c: HttpContext, name: string): string {
  return c.req.param(name) ?? '';
}

/** Straight from Node: Hono would make an object of all headers first. */
function headerOf(c: HttpContext, name: string): string | undefined {
  const value = c.env.incoming.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** What stands before `:predict`. @throws KedgeError `route-unknown` for other verbs */
function callOf(c: HttpContext): string {
  const call = param(c, 'call');
  const colon = call.lastIndexOf(':');
  if (call.slice(colon) === ':predict') return call.slice(0, colon);
  throw new KedgeError(
    'route-unknown',
    `There is nothing at ${show(c.req.path)}; the form is /v1/models/{model}:predict.`,
  );
}

/** Which methods the routes that match a path take, as an Allow header says it. */
function allowedMethods(routes: Routes): (path: string) => string | undefined {
  const patterns = Object.entries(routes).map(([path, methods]) => {
    const names = Object.keys(methods).flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    return { pattern: new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}/?$`), allow: names.join(', ') };
  });
  return (path) => patterns.find(({ pattern }) => pattern.test(path))?.allow;
}
