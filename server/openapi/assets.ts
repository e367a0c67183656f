import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the page takes from swagger-ui-dist; build.ts copies these beside the bundle. */
export const ASSETS: Readonly<Record<string, string>> = {
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
};

/** @throws Error where the package is not there */
export function readAsset(name: string): Promise<Buffer> {
  return readFile(join(folder(), name));
}

/** Beside the bundle, or where npm put the package. */
function folder(): string {
  const bundled = fileURLToPath(new URL('./swagger-ui/', import.meta.url));
  return existsSync(bundled)
    ? bundled
    : dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
}
