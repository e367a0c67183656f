import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MODEL_FILE } from '../contract/layout.ts';
import type { RefusalCode } from '../contract/refusal.ts';
import { silentLog } from '../platform/log.ts';
import { type SharedBad, type SharedGood, sharedModels } from '../tests/shared.ts';
import type { LoadRequest } from './engine.ts';
import { type ProbeResult, probe } from './probe.ts';
import { sharedVersion } from './testing/versions.ts';

const title = sharedModels ? '' : ' (left out: ../shared/models is not here)';
const limits = { loadMs: 5_000, runMs: 20_000, memoryBytes: 2 ** 30 };

/** What the probe makes of each bad model whose bytes alone do not refuse it; undefined where it may serve. */
const EXPECTED: Record<string, RefusalCode | undefined> = {
  'type-mismatch': 'load-failed',
  'missing-node-input': 'load-failed',
  'nested-ifs': 'load-failed',
  'needs-locale': 'load-failed',
  'proto-output': 'load-failed',
  'huge-alloc': 'memory-limit',
  'endless-loop': 'run-timeout',
  'slow-load': 'load-timeout',
  'function-bomb': 'load-timeout',
  'function-chain': 'process-crashed',
  'int-division': 'process-crashed',
  'proto-input': undefined,
  'traced-batch': undefined,
};

/** Also of models that the head's reader refuses, so that the probe is held to them. */
async function badVersion(bad: SharedBad): Promise<LoadRequest> {
  return sharedVersion(sharedModels!, bad).catch(async () => {
    const dir = join(sharedModels!.dir, bad.dir);
    const bytes = await readFile(join(dir, MODEL_FILE));
    expect(await readdir(dir)).toContain(MODEL_FILE);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return {
      name: `${bad.name}/1`,
      dir,
      files: [{ path: MODEL_FILE, bytes: bytes.length, sha256 }],
      signature: {
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }],
        outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 3] }],
      },
    };
  });
}

function codesOf(result: ProbeResult): (RefusalCode | undefined)[] {
  return result.ok ? [undefined] : result.refusals.map(({ code }) => code);
}

describe.skipIf(!sharedModels)(`the probe of a bare drop of the shared models${title}`, () => {
  const bad = sharedModels?.bad.filter(({ expected }) => expected !== 'refuse-before-load') ?? [];

  it('knows them all', () => expect(bad.map(({ name }) => name).sort()).toEqual(Object.keys(EXPECTED).sort()));

  it.each(bad)('$name', async (entry: SharedBad) => {
    const version = await badVersion(entry);
    const runMs = EXPECTED[entry.name] === 'run-timeout' ? 1_000 : limits.runMs;
    const result = await probe(version, { bare: true, limits: { ...limits, runMs }, log: silentLog });
    expect(codesOf(result)).toEqual([EXPECTED[entry.name]]);
    expect(JSON.stringify(result)).not.toContain(version.dir);
  });

  it.each(sharedModels?.good ?? [])('$name', async (entry: SharedGood) => {
    const result = await probe(await sharedVersion(sharedModels!, entry), { bare: true, limits, log: silentLog });
    expect(codesOf(result)).toEqual([undefined]);
    // Rows that may be merged are rows that an output has.
    if (!result.ok || !entry.batchable) return;
    const tensors = entry.signature.outputs.filter(({ datatype }) => !datatype.startsWith('seq'));
    expect(result.report.rowOutputs).toEqual(tensors.map(({ name }) => name));
  });
});
