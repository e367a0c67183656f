import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Variables beside PATH. */
export type Environment = Readonly<Record<string, string>>;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Ended {
  code: number | null;
  /** Standard output; standard error is shown. */
  out: string;
  ms: number;
}

/** Runs a program of Node to its end. */
export async function run(words: readonly string[], env: Environment, show = true): Promise<Ended> {
  const began = performance.now();
  const child = spawn(process.execPath, words, {
    env: { PATH: '/usr/bin:/bin', ...env },
    stdio: ['ignore', 'pipe', show ? 'inherit' : 'ignore'],
  });
  let out = '';
  child.stdout!.setEncoding('utf8').on('data', (part: string) => {
    out += part;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, ms: performance.now() - began };
}

/** The `kedge` that is shipped, made anew. */
export function buildKedge(): string {
  execFileSync(process.execPath, ['build.ts'], { cwd: ROOT, stdio: 'inherit' });
  return join(ROOT, 'dist/kedge.js');
}

/** The worker of this bench with what it starts and reads, bundled as `npm run build` makes those of Kedge: an image has no TypeScript. */
export async function bundleWorker(): Promise<{ folder: string; worker: string; module: string }> {
  // Beneath the checkout, so that it finds what stays outside of bundles.
  const folder = mkdtempSync(join(ROOT, 'node_modules/.bench-'));
  await build({
    absWorkingDir: ROOT,
    entryPoints: {
      worker: 'bench/train/worker.ts',
      'fit-main': 'trainer/run/fit-main.ts',
      'examples/scooter-demand/training': 'examples/scooter-demand/training.ts',
    },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: ['onnxruntime-node', '@electric-sql/pglite'],
    banner: {
      js: "import { createRequire as kedgeRequire } from 'node:module'; const require = kedgeRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  return { folder, worker: join(folder, 'worker.js'), module: join(folder, 'examples/scooter-demand/training.js') };
}
