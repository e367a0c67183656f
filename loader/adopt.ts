import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseManifest } from '../contract/admission/manifest.ts';
import { MANIFEST_FILE } from '../contract/layout.ts';
import { RUNTIME } from '../contract/runtime.ts';
import { judge, type Unjudged } from './prepare.ts';
import { probeIt } from './probe-job.ts';
import type { Services } from './services.ts';
import { findDamage } from './verify.ts';
import type { Outcome } from './version-job.ts';
import { onVolume } from './volume-error.ts';

/**
 * Judges and probes a version that lies on the volume and is in no catalog: a loader was killed right after it placed it, or
 * the catalog was lost. The contract of the model is not asked, because it was when the version was placed, and the bucket may
 * not answer now.
 * @returns undefined where it is damaged or no version at all
 */
export async function adoptVersion(
  services: Services,
  model: string,
  version: number,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const dir = services.volume.dirOf(model, version);
  const unjudged = await onVolume('reading a version', () => readPlaced(dir, model, version));
  if (!unjudged) return undefined;
  const judgement = await judge(unjudged, { runtime: RUNTIME });
  if (!judgement.ok) return undefined;
  return probeIt(services, unjudged, judgement.judged, signal);
}

async function readPlaced(dir: string, model: string, version: number): Promise<Unjudged | undefined> {
  const bytes = await readFile(join(dir, MANIFEST_FILE)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'EISDIR') return undefined;
    throw error;
  });
  const parsed = bytes && parseManifest(bytes.toString('utf8'));
  if (!bytes || !parsed?.ok || (await findDamage(dir, parsed.manifest.files))) return undefined;
  const { manifest } = parsed;
  // Whether it was copied in by hand is asked of the bucket later; the hostile inputs that a bare one is probed with were tried before.
  return {
    model,
    version,
    bare: false,
    dir,
    files: manifest.files,
    manifest: { value: manifest, bytes },
    storedAt: manifest.createdAt,
  };
}
