import type { Candidate, PresentFile } from '../admission.ts';
import { CLAIM_FILE, MANIFEST_FILE, MODEL_FILE } from '../layout.ts';
import type { Manifest } from '../manifest.ts';
import { isSafePath } from '../names.ts';
import type { Refusal } from '../refusal.ts';

/** What lies there of the version itself: the documents about it are left out. */
export function ownFiles(files: readonly PresentFile[]): PresentFile[] {
  return files.filter(({ path }) => path !== MANIFEST_FILE && path !== CLAIM_FILE);
}

/** Paths for a sentence. */
function list(paths: readonly string[]): string {
  if (paths.length === 0) return 'nothing';
  const shown = paths.slice(0, 5).map((path) => `'${path}'`);
  return paths.length > 5 ? `${shown.join(', ')} and ${paths.length - 5} more` : shown.join(', ');
}

/** Place, names, sizes and digests: the manifest against its place and against the files that are really there. */
export function judgeFiles({ model, version, manifest, files }: Candidate): Refusal[] {
  const present = files && ownFiles(files);
  return [
    ...(manifest ? judgePlace(manifest, model, version) : []),
    ...(manifest ? judgeNames(manifest) : []),
    ...judgeModelFile(manifest, present),
    ...(present ? unsafePaths(present) : []),
    ...(manifest && present ? judgeAgainst(manifest, present) : []),
    ...(!manifest && present ? judgeBare(present) : []),
  ];
}

function judgePlace(manifest: Manifest, model: string, version: number): Refusal[] {
  if (manifest.model === model && manifest.version === version) return [];
  const expected = `${model}/${version}`;
  const found = `${manifest.model}/${manifest.version}`;
  const message = `The manifest is that of ${found} but lies in ${expected}: publish it there with \`kedge publish\` instead of copying it.`;
  return [{ code: 'manifest-misplaced', message, expected, found }];
}

function judgeNames({ files }: Manifest): Refusal[] {
  const paths = files.map(({ path }) => path);
  const twice = paths.filter((path, index) => paths.indexOf(path) !== index);
  const reserved = paths.filter((path) => path === MANIFEST_FILE || path === CLAIM_FILE);
  const wrong = [...new Set([...twice, ...reserved])];
  if (wrong.length === 0) return [];
  const message = `The manifest names ${list(wrong)} twice or as a file of the version, though Kedge keeps that name: publish it again.`;
  return [{ code: 'manifest-invalid', message }];
}

function judgeModelFile(manifest: Manifest | undefined, present: readonly PresentFile[] | undefined): Refusal[] {
  const paths = (manifest?.files ?? present)?.map(({ path }) => path);
  if (!paths || paths.includes(MODEL_FILE)) return [];
  const where = manifest ? 'The manifest names' : 'The version holds';
  const message = `${where} no ${MODEL_FILE} but ${list(paths)}: the model has to be a file of exactly that name.`;
  return [{ code: 'model-file-missing', message, expected: MODEL_FILE, found: list(paths) }];
}

function unsafePaths(present: readonly PresentFile[]): Refusal[] {
  const unsafe = present.filter(({ path }) => !isSafePath(path));
  return unsafe.map(({ path }) => ({
    code: 'path-unsafe',
    message: `The file ${JSON.stringify(path)} would leave the folder of its version or cannot be stored everywhere: rename it.`,
    found: path,
  }));
}

function judgeBare(present: readonly PresentFile[]): Refusal[] {
  const paths = present.map(({ path }) => path);
  if (paths.length < 2 || !paths.includes(MODEL_FILE)) return [];
  const message = `The version was copied by hand and holds ${list(paths)}: nothing says when several files are complete, so publish the folder with \`kedge publish\`.`;
  return [{ code: 'bare-several-files', message, expected: `${MODEL_FILE} alone`, found: list(paths) }];
}

function judgeAgainst(manifest: Manifest, present: readonly PresentFile[]): Refusal[] {
  const there = new Map(present.map((file) => [file.path, file]));
  const declared = new Set(manifest.files.map(({ path }) => path));
  const undeclared = present.filter(({ path }) => !declared.has(path));
  return [
    ...manifest.files.flatMap((wanted) => judgeFile(wanted, there.get(wanted.path))),
    ...undeclared.map(
      ({ path }): Refusal => ({
        code: 'file-undeclared',
        message: `'${path}' lies in the version but the manifest does not name it: delete it, or publish a new version with it.`,
        found: path,
      }),
    ),
  ];
}

const AGAIN = 'a published version never changes, so publish it again as a new one';

function judgeFile(wanted: PresentFile, there: PresentFile | undefined): Refusal[] {
  const { path } = wanted;
  if (!there) {
    const message = `The manifest names '${path}' (${wanted.bytes} bytes), which is not there: ${AGAIN}.`;
    return [{ code: 'file-missing', message, expected: path }];
  }
  if (there.bytes !== wanted.bytes) {
    const message = `'${path}' has ${there.bytes} bytes, the manifest names ${wanted.bytes}: ${AGAIN}.`;
    return [{ code: 'size-mismatch', message, expected: String(wanted.bytes), found: String(there.bytes) }];
  }
  if (there.sha256 === undefined || there.sha256 === wanted.sha256) return [];
  const message = `'${path}' has the sha256 ${there.sha256}, the manifest names ${wanted.sha256}: ${AGAIN}.`;
  return [{ code: 'digest-mismatch', message, expected: wanted.sha256, found: there.sha256 }];
}
