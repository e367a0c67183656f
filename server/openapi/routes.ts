import { setImmediate } from 'node:timers/promises';
import { KedgeError } from '../../contract/errors.ts';
import type { ApiContext } from '../api/context.ts';
import { show } from '../api/errors.ts';
import { param, type Routes } from '../api/routes.ts';
import { ASSETS, readAsset } from './assets.ts';
import { writeDocument } from './document.ts';

/** Nothing but what this server sends, and no page may hold it in a frame. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Kedge</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#page',
  deepLinking: true,
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
});
`;

/** The document, and a page on which a prediction can be tried. Neither needs anything from outside. */
export function docsRoutes({ table, estimators, access }: ApiContext, admin: boolean): Routes {
  const file = async (name: string): Promise<Response> => {
    if (name === 'start.js') return page(START, 'text/javascript; charset=utf-8');
    const type = Object.hasOwn(ASSETS, name) ? ASSETS[name] : undefined;
    if (type !== undefined) return page(await readAsset(name), type);
    throw new KedgeError('route-unknown', `There is no ${show(name)} at /docs.`);
  };
  return {
    '/openapi.json': {
      GET: async () =>
        new Response(
          await writeDocument(
            {
              models: table.models(),
              estimator: (name) => estimators.get(name)?.estimator,
              guarded: access.tokens !== undefined,
              admin,
            },
            () => setImmediate(),
          ),
          { headers: { 'content-type': 'application/json' } },
        ),
    },
    '/docs': { GET: () => page(PAGE, 'text/html; charset=utf-8') },
    '/docs/:file': { GET: (c) => file(param(c, 'file')) },
  };
}

function page(body: string | Buffer, type: string): Response {
  const headers = { 'content-type': type, 'content-security-policy': POLICY, 'x-content-type-options': 'nosniff' };
  return new Response(body as string, { headers });
}
