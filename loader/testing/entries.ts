import type { CatalogAvailable, CatalogUnavailable } from '../../contract/catalog.ts';
import type { Manifest } from '../../contract/manifest.ts';
import type { RefusalCode } from '../../contract/refusal.ts';
import { isoTime } from '../../platform/clock.ts';

/** Short ways to write catalog entries in tests. */

export function manifest(version: number, features?: string, requires?: Manifest['requires']): Manifest {
  const tensor = { datatype: 'FP32' as const, shape: [-1, 3] };
  return {
    schemaVersion: 1,
    model: 'm',
    version,
    createdAt: isoTime(0),
    files: [{ path: 'model.onnx', bytes: 1, sha256: '0'.repeat(64) }],
    onnx: { irVersion: 8, opsets: { '': 15 } },
    signature: { inputs: [{ name: 'x', ...tensor }], outputs: [{ name: 'y', ...tensor }] },
    ...(features && { code: { estimator: 'e', version: '1.0.0', features } }),
    ...(requires && { requires }),
  };
}

export const digest = (version: number): string => `sha256:${String(version).padStart(64, '0')}`;

export function available(
  version: number,
  parts: Partial<CatalogAvailable> & { features?: string; requires?: Manifest['requires'] } = {},
) {
  const { features, requires, ...rest } = parts;
  return {
    version,
    since: isoTime(0),
    bare: false,
    fingerprint: `f${version}`,
    state: 'available',
    digest: digest(version),
    path: `models/m/${version}`,
    manifest: manifest(version, features, requires),
    probe: { loadMs: 1, runMs: 1, memoryBytes: 1, rowOutputs: [] },
    unproved: [],
    ...rest,
  } satisfies CatalogAvailable;
}

export function unavailable(
  version: number,
  state: CatalogUnavailable['state'],
  codes: RefusalCode[] = [],
  parts: Partial<CatalogUnavailable> = {},
): CatalogUnavailable {
  return {
    version,
    since: isoTime(0),
    bare: false,
    fingerprint: `f${version}`,
    state,
    reasons: codes.map((code) => ({ code, message: 'It is so.' })),
    attempts: state === 'incomplete' ? 0 : 1,
    judgedBy: 'now',
    ...parts,
  };
}
