import { describe, expect, it } from 'vitest';
import { judgeAccess, needOfRoute } from './access.ts';
import { findToken, type Need, parseTokens, sha256Of } from './tokens.ts';

const line = (token: string, scopes: string): string => `sha256:${sha256Of(token).toString('hex')} ${scopes}`;
const TOKENS = parseTokens(
  `# all of ours\n${line('all', 'predict')}\n\n${line('one', 'predict:m')}; ${line('boss', 'admin')} # on call\r\n${line('both', 'admin,predict:m')}`,
);
const PREDICT: Need = { scope: 'predict', model: 'm' };
const OTHER: Need = { scope: 'predict', model: 'other' };
const ADMIN: Need = { scope: 'admin' };

describe('with tokens', () => {
  it.each<[string | undefined, Need, string | undefined]>([
    ['Bearer all', PREDICT, undefined],
    ['bearer  all ', OTHER, undefined],
    ['Bearer all', ADMIN, 'forbidden'],
    ['Bearer one', PREDICT, undefined],
    ['Bearer one', OTHER, 'forbidden'],
    ['Bearer boss', ADMIN, undefined],
    ['Bearer boss', PREDICT, 'forbidden'],
    ['Bearer both', PREDICT, undefined],
    ['Bearer both', ADMIN, undefined],
    ['Bearer none', PREDICT, 'unauthenticated'],
    ['Bearer ', PREDICT, 'unauthenticated'],
    ['Basic all', PREDICT, 'unauthenticated'],
    ['all', PREDICT, 'unauthenticated'],
    [undefined, PREDICT, 'unauthenticated'],
  ])('%s for %j: %s', (authorization, need, code) => {
    const sender = {
      headers: authorization === undefined ? {} : { authorization },
      socket: { remoteAddress: '127.0.0.1' },
    };
    expect(judgeAccess(sender, need, TOKENS)?.code).toBe(code);
  });

  it('lets nobody in by an empty list', () =>
    expect(judgeAccess({ headers: {}, socket: {} }, PREDICT, [])?.code).toBe('unauthenticated'));

  it('takes no hash for a token', () => expect(findToken(TOKENS, TOKENS[0]!.sha256.toString('hex'))).toBeUndefined());
});

describe('without tokens', () => {
  it.each<[string | undefined, Record<string, string>, string | undefined]>([
    ['127.0.0.1', {}, undefined],
    ['127.8.9.1', {}, undefined],
    ['::1', {}, undefined],
    ['::ffff:127.0.0.1', {}, undefined],
    ['10.0.0.7', {}, 'forbidden'],
    ['::ffff:10.127.0.1', {}, 'forbidden'],
    ['1127.0.0.1', {}, 'forbidden'],
    [undefined, {}, 'forbidden'],
    ['127.0.0.1', { 'x-forwarded-for': '10.0.0.7' }, 'forbidden'],
    ['127.0.0.1', { origin: 'http://localhost:8081' }, 'forbidden'],
  ])('a change from %s with %j: %s', (remoteAddress, headers, code) =>
    expect(judgeAccess({ headers, socket: { remoteAddress } }, ADMIN, undefined)?.code).toBe(code),
  );

  it('predictions are open', () =>
    expect(judgeAccess({ headers: {}, socket: { remoteAddress: '10.0.0.7' } }, PREDICT, undefined)).toBeUndefined());
});

it.each([
  ['POST', '/v2/models/:model/infer', 'predict'],
  ['POST', '/v2/models/:model/versions/:version/infer', 'predict'],
  ['POST', '/v1/models/:model', 'predict'],
  ['POST', '/v2/repository/index', undefined],
  ['POST', '/v2/repository/models/:model/load', 'admin'],
  ['POST', '/v2/repository/models/:model/unload', 'admin'],
  ['POST', '/something/new', 'admin'],
  ['DELETE', '/v3', 'admin'],
  ['GET', '/v2/models/:model', undefined],
  ['GET', '/metrics', undefined],
])('%s %s needs %s', (method, pattern, scope) => expect(needOfRoute(method, pattern)).toBe(scope));

it.each(['sha256:12 predict', 'kedge_secret predict', line('x', 'everything'), line('x', 'predict:'), line('x', '')])(
  'refuses the line %j without showing it',
  (text) => {
    const problem = (): unknown => parseTokens(`\n${text}`);
    expect(problem).toThrow(/line 2/);
    expect(problem).not.toThrow(/secret|sha256:[0-9a-f]/);
  },
);
