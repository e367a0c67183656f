import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedModels } from '../../tests/shared.ts';
import { admit, type Candidate } from '../admission.ts';
import { manifestOf, signatureOf } from '../manifest-of.ts';
import { readHeadOfBytes } from '../onnx/head.ts';
import type { RefusalCode } from '../refusal.ts';
import { codes, runtime } from './testing/candidates.ts';

describe.skipIf(!sharedModels)('files that a careless person would drop (left out without ../shared)', () => {
  const EXPECTED: Record<string, RefusalCode[]> = {
    truncated: ['onnx-truncated'],
    'zero-bytes': ['onnx-empty'],
    'html-page': ['onnx-not-a-model'],
    'fresh-export': ['ir-version', 'opset'],
    'opset-99': ['opset'],
    'custom-domain': ['operator-domain'],
    'external-parent': ['external-data-path'],
    'external-missing': ['external-data-missing'],
    'external-short': ['bare-several-files', 'external-data-short'],
    'dims-overflow': ['tensor-too-large'],
    'two-files': ['model-file-missing'],
    'no-outputs': ['no-inputs-or-outputs'],
    // Not only the bytes would tell, but they do.
    'nested-ifs': ['onnx-malformed'],
    'proto-output': ['name-unusable'],
    'function-bomb': ['function-depth'],
    'function-chain': ['function-depth'],
  };

  function dropped(dir: string): Candidate {
    const path = join(sharedModels!.dir, dir);
    const files = readdirSync(path)
      .filter((name) => !name.endsWith('.sh'))
      .map((name) => ({ path: name, bytes: readFileSync(join(path, name)).length }));
    const model = join(path, 'model.onnx');
    return {
      model: 'm',
      version: 2,
      files,
      ...(existsSync(model) ? { head: readHeadOfBytes(readFileSync(model)) } : {}),
    };
  }

  it.each(sharedModels?.bad ?? [])('$name', ({ name, dir, expected }) => {
    const refusals = admit(dropped(dir), runtime);
    expect(codes(refusals)).toEqual(EXPECTED[name] ?? []);
    if (expected === 'refuse-before-load') expect(refusals).not.toEqual([]);
    for (const { message } of refusals) expect(message).toMatch(/^.{40,500}\.$/);
  });

  it.each(sharedModels?.good ?? [])('but $name is admitted', ({ dir, files }) => {
    const { head } = dropped(dir);
    if (!head?.ok) throw new Error('no head');
    const manifest = manifestOf({ model: 'm', version: 2, createdAt: '2026-11-23T02:40:00Z', files, head: head.head });
    const contract = { version: 1, signature: signatureOf(head.head) };
    expect(admit({ model: 'm', version: 2, head, manifest, files }, { ...runtime, contract })).toEqual([]);
  });
});
