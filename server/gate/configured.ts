import { createSecureContext } from 'node:tls';
import { KedgeError, messageOf } from '../../contract/errors.ts';
import type { Listener, TlsPair } from '../../platform/listen.ts';
import type { ServerConfig } from '../config.ts';
import { Access } from './guard.ts';
import { parseTokens, type TokenEntry } from './tokens.ts';
import { type WatchedFilesOptions, watchFiles } from './watched-file.ts';

/**
 * Tokens of the environment and of the file, which is read again when it changes.
 * @throws KedgeError `config-invalid`
 */
export async function openAccess(config: ServerConfig, options: WatchedFilesOptions): Promise<Access> {
  const { tokens: text, tokensFile } = config;
  if (text === undefined && tokensFile === undefined) return new Access();
  const fixed = asConfig('KEDGE_TOKENS', () => parseTokens(text ?? ''));
  const access = new Access(fixed);
  if (tokensFile === undefined) return access;
  const take = ([file]: Buffer[]): void => {
    access.tokens = [...fixed, ...parseFile(tokensFile, file!)];
  };
  await watchFiles([tokensFile], take, options).catch((error: unknown) => {
    throw new KedgeError('config-invalid', `KEDGE_TOKENS_FILE cannot be used: ${messageOf(error)}`);
  });
  return access;
}

function parseFile(path: string, file: Buffer): TokenEntry[] {
  try {
    return parseTokens(file.toString('utf8'));
  } catch (error) {
    throw new Error(`${path}: ${messageOf(error)}`);
  }
}

function asConfig<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new KedgeError('config-invalid', `${name}: ${messageOf(error)}`);
  }
}

/** The certificate in use. */
export interface Tls {
  pair: TlsPair;
  /** Told of each later one. */
  listeners: Pick<Listener, 'useTls'>[];
}

/** Certificate and key, read again when they change; undefined where there are none. @throws KedgeError `config-invalid` */
export async function openTls(
  { tlsCert, tlsKey }: ServerConfig,
  options: WatchedFilesOptions,
): Promise<Tls | undefined> {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  const listeners: Tls['listeners'] = [];
  let pair: TlsPair | undefined;
  const take = ([cert, key]: Buffer[]): void => {
    const next = { cert: cert!, key: key! };
    // What does not go together, as while only one of the two is replaced, is refused before anything uses it.
    createSecureContext(next);
    for (const listener of listeners) listener.useTls(next);
    pair = next;
  };
  await watchFiles([tlsCert, tlsKey], take, options).catch((error: unknown) => {
    throw new KedgeError('config-invalid', `KEDGE_TLS_CERT and KEDGE_TLS_KEY cannot be used: ${messageOf(error)}`);
  });
  return { pair: pair!, listeners };
}
