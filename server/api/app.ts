import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { KedgeError } from '../../contract/errors.ts';
import { KEDGE_VERSION } from '../../contract/version.ts';
import type { ApiContext, HttpContext } from './context.ts';
import { describeModel, describeVersions } from './describe.ts';
import type { Infer } from './direct.ts';
import { errorResponse, json, show, statusOf } from './errors.ts';
import { describeConfig } from './model-config.ts';
import { pickModel, pickVersion } from './pick.ts';
import { responseOf } from './reply.ts';
import { indexRoutes } from './repository.ts';
import { type Handler, param, type Routes, targetOf } from './routes.ts';
import { sharedMemoryRoutes } from './shared-memory.ts';
import { statisticsRoutes } from './statistics.ts';
import { namesOf, v1Routes } from './v1.ts';

/** Protocol extensions that are implemented; clients take it at its word. */
const EXTENSIONS: readonly string[] = [
  'classification',
  'model_repository',
  'schedule_policy',
  'model_configuration',
  'binary_tensor_data',
  'parameters',
  'statistics',
];

/**
 * What both ports answer: health, metadata and predictions. Routes have one handler each and no middleware: on the way of a
 * prediction each layer costs. A trailing slash makes no difference.
 * @param infer what takes inferences past it, too
 * @param more further routes, of one port alone
 */
export function createApp(context: ApiContext, infer: Infer, more: Routes = {}): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>({ strict: false });
  const routes: Routes = {
    ...healthRoutes(context),
    ...statisticsRoutes(context),
    ...modelRoutes(context),
    ...inferRoutes(infer),
    ...v1Routes(context),
    ...indexRoutes(context),
    ...sharedMemoryRoutes,
    ...more,
  };
  for (const [path, methods] of Object.entries(routes)) {
    for (const [method, handler] of Object.entries(methods))
      app.on(method, path, context.access.guard(method, path, handler, askedModel));
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
  app.onError((error, { env }) => errorResponse(error, context.accessLog.logOf(env, statusOf(error))));
  return app;
}

/** The model that the path of a prediction names, with or without a verb behind it. */
function askedModel(c: HttpContext): string {
  const name = param(c, 'model');
  const colon = name.lastIndexOf(':');
  return colon < 0 ? name : name.slice(0, colon);
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

function modelRoutes({ table, keepReady, batch }: ApiContext): Routes {
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
  const config: Handler = (c) => {
    const { model, version } = targetOf(c);
    const chosen = pickVersion(table, model, version);
    const { policy } = pickModel(table, model).rollout ?? {};
    return new Response(JSON.stringify(describeConfig(chosen, { policy, keepReady, batch })), {
      headers: chosen.headers,
    });
  };
  return {
    '/v2/models': { GET: () => json({ models: namesOf(table) }) },
    '/v2/models/:model': { GET: metadata },
    '/v2/models/:model/config': { GET: config },
    '/v2/models/:model/ready': { GET: ready },
    '/v2/models/:model/versions': { GET: (c) => json(describeVersions(pickModel(table, param(c, 'model')), table)) },
    '/v2/models/:model/versions/:version': { GET: metadata },
    '/v2/models/:model/versions/:version/config': { GET: config },
    '/v2/models/:model/versions/:version/ready': { GET: ready },
  };
}

function inferRoutes(infer: Infer): Routes {
  const handler: Handler = (c) => infer(c.env, targetOf(c)).then(responseOf);
  return {
    '/v2/models/:model/infer': { POST: handler },
    '/v2/models/:model/versions/:version/infer': { POST: handler },
  };
}

/** Which methods the routes that match a path take, as an Allow header says it. In v1 a verb behind a colon is posted, and nothing else is. */
function allowedMethods(routes: Routes): (path: string) => string | undefined {
  const patterns = Object.entries(routes).flatMap(([path, methods]) => {
    const names = Object.keys(methods).flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    const parts = path.replaceAll(/:\w+/g, '[^/]+').replace('*', '.*');
    if (!path.startsWith('/v1/models/') || !methods.POST)
      return [{ pattern: new RegExp(`^${parts}/?$`), allow: names.join(', ') }];
    return [
      { pattern: new RegExp(`^${parts}:[^/]+/?$`), allow: 'POST' },
      { pattern: new RegExp(`^${parts}/?$`), allow: 'GET, HEAD' },
    ];
  });
  return (path) => patterns.find(({ pattern }) => pattern.test(path))?.allow;
}
