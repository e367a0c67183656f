import { messageOf } from '../errors.ts';
import { parseJson } from '../json.ts';
import { MANIFEST_FILE } from '../layout.ts';
import { MANIFEST_SCHEMA_VERSION, type Manifest, manifestSchema } from '../manifest.ts';
import { isSafePath } from '../names.ts';
import type { Refusal } from '../refusal.ts';

export type ParsedManifest = { ok: true; manifest: Manifest } | { ok: false; refusals: Refusal[] };

/** How many faults of one document are named. */
const NAMED = 8;

/**
 * A manifest from the text of manifest.json; 64-bit integers stay exact. Never throws: what is wrong comes back as
 * `manifest-schema`, `path-unsafe` or `manifest-invalid`.
 */
export function parseManifest(text: string): ParsedManifest {
  let value: unknown;
  try {
    value = parseJson(text.replace(/^\ufeff/, ''));
  } catch (error) {
    return invalid(`is no JSON (${messageOf(error)})`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return invalid('is no JSON object');
  const { schemaVersion, files } = value as { schemaVersion?: unknown; files?: unknown };
  if (Number.isSafeInteger(schemaVersion) && schemaVersion !== MANIFEST_SCHEMA_VERSION) {
    return { ok: false, refusals: [unknownSchema(schemaVersion as number)] };
  }
  const unsafe = unsafePaths(files);
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return unsafe.length > 0 ? { ok: false, refusals: unsafe } : { ok: true, manifest: parsed.data };
  const issues = parsed.error.issues.filter(({ path }) => !(unsafe.length > 0 && isFilePath(path)));
  return { ok: false, refusals: [...unsafe, ...(issues.length > 0 ? invalid(sentence(issues)).refusals : [])] };
}

function invalid(what: string): { ok: false; refusals: Refusal[] } {
  const message = `${MANIFEST_FILE} ${what}: publish the version again with \`kedge publish\`.`;
  return { ok: false, refusals: [{ code: 'manifest-invalid', message }] };
}

function unknownSchema(found: number): Refusal {
  return {
    code: 'manifest-schema',
    message: `${MANIFEST_FILE} has schemaVersion ${found}, this Kedge reads ${MANIFEST_SCHEMA_VERSION}: update Kedge here, or publish with the release that runs here.`,
    expected: String(MANIFEST_SCHEMA_VERSION),
    found: String(found),
  };
}

function isFilePath(path: readonly PropertyKey[]): boolean {
  return path.length === 3 && path[0] === 'files' && path[2] === 'path';
}

function unsafePaths(files: unknown): Refusal[] {
  if (!Array.isArray(files)) return [];
  return files.flatMap((file: unknown): Refusal[] => {
    const path = (file as { path?: unknown } | null)?.path;
    if (typeof path !== 'string' || isSafePath(path)) return [];
    return [
      {
        code: 'path-unsafe',
        message: `${MANIFEST_FILE} names the file ${JSON.stringify(path)}, which would leave the folder of its version or cannot be stored everywhere: use relative paths with forward slashes.`,
        found: path,
      },
    ];
  });
}

function sentence(issues: readonly { path: readonly PropertyKey[]; message: string }[]): string {
  const faults = issues.slice(0, NAMED).map(({ path, message }) => `${path.map(String).join('.') || 'it'}: ${message}`);
  const more = issues.length > NAMED ? `; and ${issues.length - NAMED} more` : '';
  return `does not have its form (${faults.join('; ')}${more})`;
}
