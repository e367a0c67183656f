/**
 * Bundles the command and the host program into dist/. Node strips no types under node_modules, so the package ships
 * JavaScript; and one file less to open is one file less to wait for at a cold start. onnxruntime-node stays outside: it
 * brings a native library. @electric-sql/pglite does, too: it looks for its WebAssembly beside its own code, and only a history in a
 * folder needs it.
 */
import { cp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

await rm('dist', { recursive: true, force: true });
await build({
  entryPoints: {
    kedge: 'bin/kedge.ts',
    'host-main': 'engine/host-main.ts',
    'fit-main': 'trainer/run/fit-main.ts',
    'examples/scooter-demand/estimator': 'examples/scooter-demand/estimator.ts',
    'examples/scooter-demand/training': 'examples/scooter-demand/training.ts',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  external: ['onnxruntime-node', '@electric-sql/pglite'],
  // Some dependencies are CommonJS and call require for Node's own modules.
  banner: {
    js: "import { createRequire as kedgeRequire } from 'node:module'; const require = kedgeRequire(import.meta.url);",
  },
  legalComments: 'linked',
  logLevel: 'warning',
});

// The page at /docs is served from files, and with the licences that they come under.
const swagger = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
for (const file of [
  'swagger-ui-bundle.js',
  'swagger-ui.css',
  'swagger-ui-bundle.js.LICENSE.txt',
  'LICENSE',
  'NOTICE',
]) {
  await cp(join(swagger, file), join('dist/swagger-ui', file));
}
