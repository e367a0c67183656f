/** Tells the compressed sizes of an image in the OCI layout, and fails where it grew over what it may have. Usage: node image-size.ts FOLDER */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Of what the image adds to a base that has Node, in bytes; and the whole of it with the smallest base that is common. */
const OWN_LIMIT = 60e6;
const WHOLE_LIMIT = 100e6;
/** gcr.io/distroless/nodejs24: Node, glibc, libstdc++, certificates; by the parts, as gzip packs them. */
const SLIM_BASE = 44.7e6 + 2.3e6 + 5e6;

const folder = process.argv[2]!;
const blob = (digest: string): string => join(folder, 'blobs', digest.replace(':', '/'));
const read = (path: string): Record<string, { digest: string }[]> => JSON.parse(readFileSync(path, 'utf8'));
const [manifest] = read(join(folder, 'index.json'))['manifests']!;
const layers = read(blob(manifest!.digest))['layers']!;
const sizes = layers.map((layer) => statSync(blob(layer.digest)).size);
// The first is the base; where a builder puts more on it, they are ours.
const own = sizes.slice(1).reduce((sum, size) => sum + size, 0);
const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
console.log(
  `Compressed, without the base: ${mb(own)}; with a slim base, by the sum of its parts, ${mb(own + SLIM_BASE)}.`,
);
if (own === 0 || own > OWN_LIMIT || own + SLIM_BASE > WHOLE_LIMIT) {
  console.error(`It may take ${mb(OWN_LIMIT)} without the base, and ${mb(WHOLE_LIMIT)} with one.`);
  process.exitCode = 1;
}
