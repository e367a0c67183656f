import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { hasCode } from '../../contract/errors.ts';
import { linearModel } from '../../contract/onnx/testing/models.ts';
import { listen } from '../../platform/listen.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { RawConnection } from '../testing/raw-http.ts';
import { get, startTestServer, type TestServer } from '../testing/test-server.ts';
import { TestVolume } from '../testing/volume.ts';
import { sha256Of } from './tokens.ts';
import { REREAD_MS } from './watched-file.ts';

const BODY = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] });
const line = (token: string, scopes: string): string => `sha256:${sha256Of(token).toString('hex')} ${scopes}`;

let volume: TestVolume;
let dir: string;
let server: TestServer | undefined;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kedge-access-'));
  volume = new TestVolume();
  volume.add('m', 1, linearModel());
  volume.add('other', 1, linearModel());
  await volume.write();
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
});
afterAll(() => {
  volume.remove();
  rmSync(dir, { recursive: true });
});

const ask = async (path: string, token?: string): Promise<number> => {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return (await get(server!.admin + path, { method: 'POST', body: BODY, headers })).status;
};

describe('tokens', () => {
  it('guard predictions and changes by their scopes, and nothing that only reads', async () => {
    server = await startTestServer(volume, {
      KEDGE_TOKENS: `${line('m', 'predict:m')};${line('all', 'predict')};${line('boss', 'admin')}`,
    });
    await server.settle();
    const INFER = '/v2/models/m/infer';
    expect([await ask(INFER), await ask(INFER, 'x'), await ask(INFER, 'boss')]).toEqual([401, 401, 403]);
    expect([await ask(INFER, 'm'), await ask('/v2/models/other/infer', 'm')]).toEqual([200, 403]);
    // Other spellings of a path come to the same handler, and so to the same question.
    for (const path of [
      '/v2/models/%6fther/infer',
      '/v2/models/other/infer/',
      '/v2/models/other/versions/1/infer',
      '/v1/models/other:predict',
    ]) {
      expect([path, await ask(path, 'm'), await ask(path)]).toEqual([path, 403, 401]);
      expect([path, await ask(path, 'all')]).not.toEqual([path, 401]);
    }
    const UNLOAD = '/v2/repository/models/m/unload';
    expect([await ask(UNLOAD), await ask(UNLOAD, 'all'), await ask(UNLOAD, 'boss')]).toEqual([401, 403, 200]);
    for (const path of ['/v2', '/v2/health/ready', '/v2/models/other', '/metrics']) {
      expect([path, (await fetch(server.admin + path)).status]).toEqual([path, 200]);
    }
    const { headers, body } = await get(server.url + INFER, { method: 'POST', body: BODY });
    expect([headers.get('www-authenticate'), body.code, typeof body.error]).toEqual([
      'Bearer',
      'unauthenticated',
      'string',
    ]);
  });

  it('are asked for before a body is read', async () => {
    server = await startTestServer(volume, { KEDGE_TOKENS: line('all', 'predict') });
    const connection = new RawConnection(server.port);
    connection.write('POST /v2/models/m/infer HTTP/1.1\r\nhost: kedge\r\ncontent-length: 1000000\r\n\r\n');
    expect((await connection.answer())?.status).toBe(401);
    connection.end();
  });

  it('are read again when their file changes, and stay when it is broken', async () => {
    const file = join(dir, 'tokens');
    const clock = new ManualClock();
    writeFileSync(file, line('old', 'predict'));
    server = await startTestServer(volume, { KEDGE_TOKENS_FILE: file }, { clock });
    const stopping = server;
    await vi.waitFor(() => expect(server!.manager.model('m')?.active).toBeDefined());
    const both = async (): Promise<number[]> => [
      await ask('/v2/models/m/infer', 'old'),
      await ask('/v2/models/m/infer', 'new'),
    ];
    expect(await both()).toEqual([200, 401]);
    writeFileSync(file, line('new', 'predict'));
    await vi.waitFor(async () => {
      await clock.advance(REREAD_MS);
      expect(await both()).toEqual([401, 200]);
    });
    writeFileSync(file, 'oops');
    await clock.advance(REREAD_MS);
    rmSync(file);
    await clock.advance(REREAD_MS);
    expect(await both()).toEqual([401, 200]);
    server = undefined;
    let stopped = false;
    void stopping.stop().then(() => {
      stopped = true;
    });
    await vi.waitFor(async () => {
      await clock.advance(1_000);
      expect(stopped).toBe(true);
    });
  });

  it.each<[string, object]>([
    ['KEDGE_TOKENS', { KEDGE_TOKENS: 'oops' }],
    ['KEDGE_TOKENS_FILE', { KEDGE_TOKENS_FILE: '/nowhere' }],
    ['KEDGE_TLS_CERT', { KEDGE_TLS_CERT: '/nowhere', KEDGE_TLS_KEY: '/nowhere' }],
  ])('that cannot be used end the start: %s', async (name, env) => {
    const error: unknown = await startTestServer(volume, env as Record<string, string>).catch(
      (thrown: unknown) => thrown,
    );
    expect([hasCode(error, 'config-invalid'), String(error)]).toEqual([true, expect.stringContaining(name)]);
  });
});

describe('without tokens', () => {
  it('changes are for this machine, and not for pages in its browser', async () => {
    server = await startTestServer(volume);
    await server.settle();
    expect(await ask('/v2/repository/models/m/load')).toBe(200);
    const headers = { origin: 'http://evil.example' };
    expect((await get(`${server.admin}/v2/repository/models/m/unload`, { method: 'POST', headers })).status).toBe(403);
    expect(await ask('/v2/models/m/infer')).toBe(200);
  });
});

describe('limits', () => {
  it('more rows than allowed are refused, and the next request answers', async () => {
    server = await startTestServer(volume, { KEDGE_MAX_ROWS: '2' });
    await server.settle();
    const rows = (count: number) => ({
      method: 'POST',
      body: JSON.stringify({
        inputs: [{ name: 'x', datatype: 'FP32', shape: [count, 2], data: new Array(count * 2).fill(1) }],
      }),
    });
    const { status, body } = await get(`${server.url}/v2/models/m/infer`, rows(3));
    expect([status, body.error]).toEqual([400, expect.stringContaining('KEDGE_MAX_ROWS')]);
    expect((await get(`${server.url}/v2/models/m/infer`, rows(2))).status).toBe(200);
  });

  it('more connections than allowed are closed', async () => {
    server = await startTestServer(volume, { KEDGE_MAX_CONNECTIONS: '2' });
    const open = [new RawConnection(server.port), new RawConnection(server.port)];
    for (const connection of open) connection.write('GET /livez HTTP/1.1\r\nhost: kedge\r\n\r\n');
    for (const connection of open) expect((await connection.answer())?.status).toBe(200);
    const third = new RawConnection(server.port);
    expect(await third.answer()).toBeUndefined();
    for (const connection of open) connection.end();
  });

  it('headers beyond 16 KiB are refused', async () => {
    server = await startTestServer(volume);
    const connection = new RawConnection(server.port);
    connection.write(`GET /livez HTTP/1.1\r\nhost: kedge\r\nx-long: ${'x'.repeat(17_000)}\r\n\r\n`);
    const { status, body } = (await connection.answer())!;
    expect([status, JSON.parse(body).code]).toEqual([431, 'headers-too-large']);
    connection.end();
  });
});

const openssl = ((): boolean => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!openssl)('TLS (left out without the openssl command)', () => {
  const certify = (name: string): void => {
    const args = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name}`.split(
      ' ',
    );
    execFileSync('openssl', [...args, '-keyout', join(dir, `${name}.key`), '-out', join(dir, `${name}.crt`)], {
      stdio: 'ignore',
    });
  };
  const use = (name: string): void => {
    for (const kind of ['crt', 'key']) copyFileSync(join(dir, `${name}.${kind}`), join(dir, `use.${kind}`));
  };
  /** Status of the answer, and whom the certificate names. */
  const askTls = (port: number): Promise<[number | undefined, string]> =>
    new Promise((resolve, reject) => {
      const agent = new Agent({ rejectUnauthorized: false, maxCachedSessions: 0 });
      request({ port, host: '127.0.0.1', path: '/livez', agent }, (response) => {
        const { CN } = (response.socket as TLSSocket).getPeerCertificate().subject;
        response.resume().on('end', () => resolve([response.statusCode, String(CN)]));
        agent.destroy();
      })
        .on('error', reject)
        .end();
    });

  it('has no more time for its handshake than a head has', async () => {
    certify('silent');
    const [cert, key] = ['crt', 'key'].map((kind) => readFileSync(join(dir, `silent.${kind}`)));
    const listener = await listen(
      { fetch: () => new Response('ok') },
      { port: 0, tls: { cert: cert!, key: key! }, timeouts: { headers: 50, request: 100, check: 20 } },
    );
    const connection = new RawConnection(listener.port);
    await vi.waitFor(() => expect(connection.closed).toBe(true), 10_000);
    await listener.close(0);
  });

  it('is spoken by both ports, with a certificate that can be replaced', async () => {
    certify('one');
    certify('two');
    use('one');
    const clock = new ManualClock();
    const tls = { KEDGE_TLS_CERT: join(dir, 'use.crt'), KEDGE_TLS_KEY: join(dir, 'use.key') };
    const running = await startTestServer(volume, tls, { clock });
    expect(await askTls(running.port)).toEqual([200, 'one']);
    expect(await askTls(running.adminPort)).toEqual([200, 'one']);
    // Half of a replacement is none.
    copyFileSync(join(dir, 'two.crt'), join(dir, 'use.crt'));
    await clock.advance(REREAD_MS);
    await clock.advance(REREAD_MS);
    expect(await askTls(running.port)).toEqual([200, 'one']);
    use('two');
    await vi.waitFor(async () => {
      await clock.advance(REREAD_MS);
      expect(await askTls(running.port)).toEqual([200, 'two']);
    });
    let stopped = false;
    void running.stop().then(() => {
      stopped = true;
    });
    await vi.waitFor(async () => {
      await clock.advance(1_000);
      expect(stopped).toBe(true);
    });
  });
});
