import { describe, expect, it } from 'vitest';
import { bucketIndexSchema, EMPTY_INDEX } from './bucket-index.ts';
import { type Catalog, catalogSchema, isAvailable } from './catalog.ts';
import { claimSchema } from './claim.ts';
import { ERRORS, hasCode, KedgeError, messageOf } from './errors.ts';
import { REFUSALS, type RefusalCode, refusalSchema, stateOf } from './refusal.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const time = '2026-11-23T02:40:00Z';

describe('index.json', () => {
  const index = {
    ...EMPTY_INDEX,
    generation: 4,
    models: [{ name: 'demand', versions: [{ version: 1, digest }], rollout: digest }],
  };

  it('is taken, with keys that are not known', () => {
    expect(bucketIndexSchema.parse(EMPTY_INDEX)).toEqual(EMPTY_INDEX);
    expect(bucketIndexSchema.parse({ ...index, later: 1 })).toEqual({ ...index, later: 1 });
  });

  it.each([
    { schemaVersion: 2 },
    { generation: -1 },
    { models: [{ name: 'No', versions: [] }] },
    { models: [{ name: 'a', versions: [{ version: 0, digest }] }] },
    { models: [{ name: 'a', versions: [{ version: 1, digest: 'sha256:abc' }] }] },
    { models: [{ name: 'a', versions: [], rollout: 'yes' }] },
  ])('is not taken with %j', (change) =>
    expect(bucketIndexSchema.safeParse({ ...index, ...change }).success).toBe(false),
  );
});

describe('claim.json', () => {
  const claim = { schemaVersion: 1, publisher: 'ci@host', createdAt: time };
  it('is taken', () => expect(claimSchema.parse(claim)).toEqual(claim));
  it.each([{ publisher: '' }, { createdAt: 'today' }, { schemaVersion: 0 }])('is not taken with %j', (change) =>
    expect(claimSchema.safeParse({ ...claim, ...change }).success).toBe(false),
  );
});

describe('catalog.json', () => {
  const common = { version: 2, since: time, bare: false, fingerprint: 'etag' };
  const manifest = {
    schemaVersion: 1,
    model: 'demand',
    version: 2,
    createdAt: time,
    files: [{ path: 'model.onnx', bytes: 1, sha256: 'a'.repeat(64) }],
    onnx: { irVersion: 8, opsets: { '': 15 } },
    signature: { inputs: [], outputs: [] },
  };
  const probe = { loadMs: 1, runMs: 0.1, memoryBytes: 4096, rowOutputs: ['y'] };
  const available = { ...common, state: 'available', digest, path: 'models/demand/2', manifest, probe, unproved: [] };
  const refused = {
    ...common,
    version: 3,
    state: 'refused',
    reasons: [{ code: 'opset', message: 'Too new.' }],
    attempts: 1,
  };
  const catalog = {
    schemaVersion: 1,
    generation: 1,
    writtenAt: time,
    models: [{ name: 'demand', versions: [refused, available] }],
  };

  it('is taken, and tells what may be served', () => {
    const parsed: Catalog = catalogSchema.parse(catalog);
    expect(parsed).toEqual(catalog);
    expect(parsed.models[0]!.versions.map(isAvailable)).toEqual([false, true]);
  });

  it.each([
    ['another schema', { ...catalog, schemaVersion: 2 }],
    ['no generation', { ...catalog, generation: 0 }],
    ['a name that is none', { ...catalog, models: [{ name: '..', versions: [] }] }],
    [
      'an available version without a digest',
      { ...catalog, models: [{ name: 'a', versions: [{ ...available, digest: undefined }] }] },
    ],
    [
      'a refusal of an unknown code',
      { ...catalog, models: [{ name: 'a', versions: [{ ...refused, reasons: [{ code: 'mood', message: '' }] }] }] },
    ],
    ['a state that is none', { ...catalog, models: [{ name: 'a', versions: [{ ...refused, state: 'sleeping' }] }] }],
  ])('is not taken with %s', (_, value) => expect(catalogSchema.safeParse(value).success).toBe(false));
});

describe('refusals', () => {
  const reasons = (...codes: RefusalCode[]) => codes.map((code) => ({ code, message: '.' }));

  it('are final as soon as one of them is', () => {
    expect(stateOf(reasons('run-timeout'))).toBe('failed');
    expect(stateOf(reasons('fetch-failed', 'memory-limit'))).toBe('failed');
    expect(stateOf(reasons('run-timeout', 'opset'))).toBe('refused');
  });

  it('are all known to the catalog', () => {
    for (const code of Object.keys(REFUSALS)) expect(refusalSchema.parse({ code, message: '.' }).code).toBe(code);
  });

  it('and errors have codes that are fit for labels', () => {
    for (const code of [...Object.keys(REFUSALS), ...Object.keys(ERRORS)]) expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
  });
});

describe('errors', () => {
  const error = new KedgeError('model-unknown', 'There is no such model.', { details: { model: 'x' } });

  it('carry status and exit code of their code', () => {
    expect(error).toMatchObject({ status: 404, exit: 4, details: { model: 'x' } });
    expect(hasCode(error, 'model-unknown')).toBe(true);
    expect(hasCode(error, 'conflict')).toBe(false);
    expect(hasCode(new Error('model-unknown'), 'model-unknown')).toBe(false);
  });

  it('give their sentence, whatever was thrown', () => {
    expect(messageOf(error)).toBe('There is no such model.');
    expect(messageOf('text')).toBe('text');
    expect(messageOf(undefined)).toBe('undefined');
  });
});
