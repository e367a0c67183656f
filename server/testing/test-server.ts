import { parseJson, stringifyJson } from '../../contract/json.ts';
import { silentLog } from '../../platform/log.ts';
import type { Environment } from '../../platform/settings.ts';
import { readServerConfig } from '../config.ts';
import { type RunningServer, type ServerParts, startServer } from '../main.ts';
import type { TestVolume } from './volume.ts';

export interface TestServer extends RunningServer {
  url: string;
  admin: string;
  /** Resolves once what the volume shows now is loaded, or failed to. */
  settle(): Promise<void>;
}

/** A server in this process, on free ports, over real sockets. */
export async function startTestServer(
  volume: Pick<TestVolume, 'dir'>,
  env: Environment = {},
  overrides: Partial<ServerParts> = {},
): Promise<TestServer> {
  const config = readServerConfig({
    KEDGE_VOLUME: volume.dir,
    KEDGE_HOST: '127.0.0.1',
    KEDGE_PORT: '0',
    KEDGE_ADMIN_PORT: '0',
    KEDGE_CATALOG_POLL_SECONDS: '0.1',
    KEDGE_DRAIN_SECONDS: '0',
    KEDGE_GRACE_SECONDS: '5',
    ...env,
  });
  const server = await startServer(config, { log: silentLog, random: () => 0, ...overrides });
  return Object.assign(server, {
    url: `http://127.0.0.1:${server.port}`,
    admin: `http://127.0.0.1:${server.adminPort}`,
    settle: async () => {
      await server.catalog.look();
      await server.manager.idle();
    },
  });
}

export interface Reply {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
  body: any;
}

export async function get(url: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : parseJson(text) };
}

/** @param body as it is if a string, else as JSON with exact integers and tokens */
export async function post(url: string, body: unknown, init: RequestInit = {}): Promise<Reply> {
  return get(url, { method: 'POST', body: typeof body === 'string' ? body : stringifyJson(body), ...init });
}
