import type { LoadRequest } from './load-options.ts';

/** Where a request goes, from the root of the server. */
export function pathOf({ model, path }: Pick<LoadRequest, 'model' | 'path'>): string {
  return path ?? `/v2/models/${encodeURIComponent(model)}/infer`;
}

/** A POST as it goes over the wire. @param headers in any case; they go before those that are given without them */
export function requestBytes(
  host: string,
  path: string,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Buffer {
  const bytes = Buffer.from(body as Uint8Array);
  const all: Record<string, string> = { host, 'content-type': 'application/json' };
  for (const [name, value] of Object.entries(headers)) all[name.toLowerCase()] = value;
  all['content-length'] = String(bytes.length);
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), bytes]);
}
