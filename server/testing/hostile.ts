import { deflateSync, gzipSync } from 'node:zlib';
import { stringifyJson } from '../../contract/json.ts';
import type { Random } from '../../platform/random.ts';

export interface HostileRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer;
}

const NAMES = ['x', 'y', 'z', '', '__proto__', 'constructor', 'toString', 'x\u0000', 'ä', '\ud800', 'x'.repeat(200)];
const DATATYPES = ['FP32', 'FP64', 'FP16', 'INT64', 'UINT64', 'UINT8', 'INT8', 'BOOL', 'BYTES', 'BF16', 'fp32', ''];
const NUMBERS = [0, 1, -1, 2, 1.5, -0, 255, 256, 2 ** 31, 2 ** 32, 2 ** 53, 1e308, NaN, Infinity, -Infinity];
const PARAMETERS = [
  'binary_data',
  'binary_data_output',
  'binary_data_size',
  'classification',
  'shared_memory_region',
  'priority',
  'timeout',
  'sequence_id',
  'triton_x',
  'content_type',
  '__proto__',
];
const SEGMENTS = [
  '..',
  '%2e%2e',
  '%00',
  '%',
  '%ff',
  '%20',
  'm',
  'text',
  'i64',
  'nobody',
  '__proto__',
  'constructor',
  '1',
  '01',
  '9',
];

/** Anything that JSON can hold, and what our JSON can beyond it. */
function anyValue(random: Random, depth = 0): unknown {
  const kind = random.below(depth > 3 ? 5 : 7);
  if (kind === 0) return random.pick(NUMBERS);
  if (kind === 1) return random.pick(NAMES);
  if (kind === 2) return random.pick([true, false, null]);
  if (kind === 3) return random.pick([2n ** 63n, -(2n ** 63n) - 1n, 2n ** 64n, 10n ** 40n]);
  if (kind === 4) return '\u{10ff80}\u0000'.repeat(random.below(4));
  if (kind === 5) return Array.from({ length: random.below(4) }, () => anyValue(random, depth + 1));
  const entries = Array.from({ length: random.below(3) }, () => [
    random.pick([...NAMES, ...PARAMETERS]),
    anyValue(random, depth + 1),
  ]);
  return Object.fromEntries(entries);
}

/** A field as it should be, or now and then anything. */
function field(random: Random, right: unknown, wrongness: number): unknown {
  return random.chance(wrongness) ? anyValue(random) : right;
}

function parameters(random: Random): Record<string, unknown> {
  const names = Array.from({ length: random.below(3) }, () => random.pick(PARAMETERS));
  return Object.fromEntries(names.map((name) => [name, random.chance(0.5) ? true : anyValue(random)]));
}

function tensor(random: Random, wrongness: number): object {
  const count = random.below(4);
  const values = random.pick([NUMBERS, NAMES, [true, false], [1, 2]] as readonly unknown[][]);
  const data = Array.from({ length: random.chance(0.7) ? count * 2 : count }, () => random.pick(values));
  const shape = random.pick([[count, 2], [count], [count * 2], [], [0], [2 ** 20, 2 ** 20]]);
  const part: Record<string, unknown> = {
    name: field(random, 'x', wrongness),
    datatype: field(random, random.pick(DATATYPES), wrongness),
    shape: field(random, shape, wrongness),
  };
  if (random.chance(0.7)) part['data'] = field(random, data, wrongness);
  if (random.chance(0.4)) {
    const size = random.pick([0, 1, 4, 8, 16, count * 4, count * 8, -1, 2 ** 31, 2 ** 40]);
    part['parameters'] = { ...parameters(random), binary_data_size: field(random, size, wrongness) };
  }
  return part;
}

function v2Body(random: Random): unknown {
  const wrongness = random.pick([0, 0.05, 0.3]);
  const body: Record<string, unknown> = {};
  body['inputs'] = field(
    random,
    Array.from({ length: random.below(3) }, () => tensor(random, wrongness)),
    wrongness,
  );
  if (random.chance(0.3)) body['id'] = field(random, 'id', 0.5);
  if (random.chance(0.4)) body['parameters'] = field(random, parameters(random), wrongness);
  if (random.chance(0.4)) {
    const outputs = Array.from({ length: random.below(3) }, () => ({
      name: field(random, 'y', 0.3),
      parameters: field(random, parameters(random), wrongness),
    }));
    body['outputs'] = field(random, outputs, wrongness);
  }
  return body;
}

function v1Body(random: Random): unknown {
  const values = Array.from({ length: random.below(4) }, () =>
    random.pick([[1, 2], [1], { x: [1, 2] }, { x: 'a' }, { b64: 'YQ==' }, { b64: '_' }, 7, 'a', anyValue(random)]),
  );
  return { [random.pick(['instances', 'inputs', 'outputs', 'signature_name'])]: field(random, values, 0.2) };
}

/** What a wire does to bytes: cut, doubled, a byte changed, something put between. */
function damage(random: Random, body: Buffer): Buffer {
  const at = random.below(body.length + 1);
  const [before, after] = [body.subarray(0, at), body.subarray(at)];
  const kind = random.below(5);
  if (kind === 0) return before;
  if (kind === 1) return Buffer.concat([body, body]);
  if (kind === 2) return Buffer.concat([before, random.bytes(1 + random.below(8)), after]);
  if (kind === 3) return Buffer.concat([before, Buffer.from('['.repeat(random.pick([1, 101, 5000]))), after]);
  const changed = Buffer.from(body);
  if (changed.length > 0) changed[random.below(changed.length)] = random.below(256);
  return changed;
}

function anyPath(random: Random): string {
  const model = random.chance(0.85) ? random.pick(['m', 'text', 'i64', 'grid']) : random.pick(SEGMENTS);
  const version = random.chance(0.2) ? `/versions/${random.pick(SEGMENTS)}` : '';
  const form = random.below(10);
  if (form < 6) return `/v2/models/${model}${version}/infer`;
  if (form < 8) return `/v1/models/${model}${version}:${random.pick(['predict', 'predict', 'classify', ''])}`;
  if (form === 8) return '/v2/repository/index';
  const length = 1 + random.below(5);
  return `/${Array.from({ length }, () => random.pick(['v2', 'v1', 'models', 'infer', 'stats', ...SEGMENTS])).join('/')}`;
}

/** One request as a careless or hostile client may send it: some are right by chance, most are wrong in one place, some in all. */
export function hostileRequest(random: Random): HostileRequest {
  const path = anyPath(random);
  const json = path.startsWith('/v1') ? v1Body(random) : v2Body(random);
  const text = Buffer.from(random.chance(0.95) ? stringifyJson(json) : stringifyJson(anyValue(random)));
  const headers: Record<string, string> = {};
  let body: Buffer = text;
  if (random.chance(0.4)) {
    body = Buffer.concat([text, random.bytes(random.pick([0, 4, 8, 16, 24]))]);
    const lengths = [
      text.length,
      text.length,
      text.length,
      0,
      -1,
      text.length - 1,
      body.length + 1,
      99_999_999_999,
      'abc',
    ];
    headers['inference-header-content-length'] = String(random.pick(lengths));
  }
  if (random.chance(0.15)) body = damage(random, body);
  if (random.chance(0.1)) {
    const encoding = random.pick(['gzip', 'deflate', 'br', 'gzip, gzip', 'identity']);
    headers['content-encoding'] = encoding;
    body = random.pick([gzipSync, deflateSync, (bytes: Buffer) => bytes])(body);
    if (random.chance(0.3)) body = damage(random, body);
  }
  if (random.chance(0.2)) headers['accept-encoding'] = random.pick(['gzip', 'deflate;q=0.5', '*', ';;,', 'gzip;q=-1']);
  if (random.chance(0.1)) headers['kedge-timeout-ms'] = random.pick(['5000', '0', '-1', 'abc', '1e9']);
  if (random.chance(0.1))
    headers['content-type'] = random.pick(['application/json', 'text/html', 'multipart/form-data']);
  return {
    method: random.chance(0.95) ? 'POST' : random.pick(['GET', 'PUT', 'DELETE', 'OPTIONS']),
    path,
    headers,
    body,
  };
}
