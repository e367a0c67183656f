/** Removes the native libraries of other processors and what is not run. Usage: node keep-platform.mjs NODE_MODULES */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const modules = process.argv[2];
const platforms = join(modules, 'onnxruntime-node/bin/napi-v6/linux');
if (!readdirSync(platforms).includes(process.arch))
  throw new Error(`onnxruntime-node has no library for ${process.arch}`);
for (const other of readdirSync(platforms).filter((name) => name !== process.arch))
  rmSync(join(platforms, other), { recursive: true });
// Its JavaScript for browsers' module systems; Node takes what lies in dist/cjs.
rmSync(join(modules, 'onnxruntime-common/dist/esm'), { recursive: true, force: true });
