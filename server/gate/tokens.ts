import { createHash, timingSafeEqual } from 'node:crypto';
import { isModelName } from '../../contract/names.ts';

/** What a request needs: a prediction of that model, or a change to this server. */
export type Need = { scope: 'predict'; model: string } | { scope: 'admin' };

/** A token that is known by its hash alone. */
export interface TokenEntry {
  sha256: Buffer;
  /** `predict`, `predict:<model>`, `admin`. */
  scopes: ReadonlySet<string>;
}

const LINE = /^sha256:([0-9a-f]{64})\s+(\S+)$/;

/**
 * Tokens as a file or the environment writes them: one on a line (or between semicolons), `sha256:… scope,scope`; what follows a # is a note.
 * @throws Error that names every line that is none, and never shows it: it might be a token
 */
export function parseTokens(text: string): TokenEntry[] {
  const entries: TokenEntry[] = [];
  const problems: string[] = [];
  for (const [index, raw] of text.split(/[\n;]/).entries()) {
    const line = raw.replace(/#.*/, '').trim();
    if (line === '') continue;
    const [, hex, list] = LINE.exec(line) ?? [];
    const scopes = list?.split(',') ?? [];
    if (hex !== undefined && scopes.every(isScope)) {
      entries.push({ sha256: Buffer.from(hex, 'hex'), scopes: new Set(scopes) });
    } else
      problems.push(`line ${index + 1} is not 'sha256:… SCOPE,SCOPE' with the scopes predict, predict:MODEL, admin`);
  }
  if (problems.length > 0) throw new Error(problems.join('; '));
  return entries;
}

export function isScope(scope: string): boolean {
  return scope === 'predict' || scope === 'admin' || (scope.startsWith('predict:') && isModelName(scope.slice(8)));
}

export function sha256Of(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** The entry of a token. Hashes of one length are compared whole, and with every entry, so time tells nothing of them. */
export function findToken(entries: readonly TokenEntry[], token: string): TokenEntry | undefined {
  const sha256 = sha256Of(token);
  let found: TokenEntry | undefined;
  for (const entry of entries) if (timingSafeEqual(entry.sha256, sha256)) found = entry;
  return found;
}

/** `admin` is for the server itself; it does not let anybody predict. */
export function allows({ scopes }: TokenEntry, need: Need): boolean {
  if (need.scope === 'admin') return scopes.has('admin');
  return scopes.has('predict') || scopes.has(`predict:${need.model}`);
}
