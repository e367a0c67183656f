/**
 * Bundles the command and the host program into dist/. Node strips no types under node_modules, so the package ships
 * JavaScript; and one file less to open is one file less to wait for at a cold start. onnxruntime-node stays outside: it
 * brings a native library. @electric-sql/pglite does, too: it looks for its WebAssembly beside its own code, and only a history in a
 * folder needs it.
 *
 *   node build.ts [FOLDER]
 */
import { cp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';

/** Everything in it goes first. */
const outdir = process.argv[2] ?? 'dist';

/** Files that several bundles share as they are: an error is an instance of one class, wherever it was thrown. */
const SHARED: Readonly<Record<string, string>> = {
  [resolve('contract/errors.ts')]: './errors.js',
  [resolve('bin/commands/serve.ts')]: './serve.js',
};

const shared: Plugin = {
  name: 'shared',
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/(errors|serve)\.ts$/ }, ({ path, resolveDir, kind }) => {
      const file = kind === 'entry-point' ? undefined : SHARED[resolve(resolveDir, path)];
      return file === undefined ? undefined : { path: file, external: true };
    });
  },
};

/**
 * An import statement of node:http evaluates every getter of it, and those for WebSocket load all of Node's fetch (some 15 ms). Taken as an object
 * it does not.
 */
const plainHttp: Plugin = {
  name: 'plain-http',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^node:https?$/ }, ({ path }) => ({ path, namespace: 'plain' }));
    onLoad({ filter: /.*/, namespace: 'plain' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('${path}');`,
    }));
  },
};

const common: BuildOptions = {
  outdir,
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
};

await rm(outdir, { recursive: true, force: true });
await build({
  ...common,
  plugins: [shared],
  entryPoints: {
    kedge: 'bin/kedge.ts',
    errors: 'contract/errors.ts',
    'host-main': 'engine/host-main.ts',
    'fit-main': 'trainer/run/fit-main.ts',
    'load-main': 'bench/load/load-main.ts',
    'proxy-main': 'bench/cluster/proxy/main.ts',
    'closed-load': 'bench/lean-load/closed-load.ts',
    'open-load': 'bench/lean-load/open-load.ts',
    'loop-watch': 'bench/serving/loop-watch.ts',
    'first-answer': 'bench/serving/servers/first-answer.ts',
    'sync-fetch': 'bench/sync/fetch-main.ts',
    'examples/scooter-demand/estimator': 'examples/scooter-demand/estimator.ts',
    'examples/scooter-demand/training': 'examples/scooter-demand/training.ts',
  },
});
// By itself, so that what it shares with other commands lies in one file with it: each file costs a start about a millisecond.
await build({ ...common, plugins: [shared, plainHttp], entryPoints: { serve: 'bin/commands/serve.ts' } });

// The page at /docs is served from files, and with the licences that they come under.
const swagger = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
for (const file of [
  'swagger-ui-bundle.js',
  'swagger-ui.css',
  'swagger-ui-bundle.js.LICENSE.txt',
  'LICENSE',
  'NOTICE',
]) {
  await cp(join(swagger, file), join(outdir, 'swagger-ui', file));
}
