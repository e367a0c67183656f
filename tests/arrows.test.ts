import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/** What each room may import, besides itself and packages. Arrows point one way; ARCHITECTURE.md draws them. */
const ARROWS: Record<string, string[]> = {
  contract: [],
  platform: ['contract'],
  engine: ['contract', 'platform'],
  registry: ['contract', 'platform'],
  loader: ['contract', 'platform', 'engine', 'registry'],
  server: ['contract', 'platform', 'engine'],
  trainer: ['contract', 'platform', 'engine', 'registry'],
  bench: ['contract', 'platform', 'engine', 'registry', 'loader', 'server', 'trainer'],
  examples: ['contract', 'platform', 'trainer'],
  bin: ['contract', 'platform', 'engine', 'registry', 'loader', 'server', 'trainer', 'bench', 'examples'],
};

/** Packages that do I/O or belong to one room alone. */
const PACKAGES: Record<string, RegExp> = {
  contract: /^(zod|semver|node:crypto)$/,
  engine: /^(onnxruntime-node|node:.*)$/,
  server: /^(?!@aws-sdk|@smithy|bullmq|ioredis|proper-lockfile|onnxruntime-node)/,
};

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g;

interface Import {
  file: string;
  room: string;
  target: string;
}

function sources(room: string): string[] {
  return readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.includes('.test.') && !path.includes('testing/'))
    .map((path) => join(ROOT, room, path));
}

function imports(room: string): Import[] {
  return sources(room).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(IMPORT)].map((match) => {
      const name = (match[1] ?? match[2] ?? match[3])!;
      const target = name.startsWith('.') ? relative(ROOT, join(dirname(file), name)) : name;
      return { file: relative(ROOT, file), room, target };
    }),
  );
}

const isLocal = ({ target }: Import): boolean => target.endsWith('.ts') || target.endsWith('.json');

it.each(Object.keys(ARROWS))('%s imports only the rooms below it', (room) => {
  const allowed = [room, ...ARROWS[room]!];
  const wrong = imports(room).filter((entry) => isLocal(entry) && !allowed.includes(entry.target.split('/')[0]!));
  expect(wrong).toEqual([]);
});

it.each(Object.keys(PACKAGES))('%s imports only packages that belong there', (room) => {
  const wrong = imports(room).filter((entry) => !isLocal(entry) && !PACKAGES[room]!.test(entry.target));
  expect(wrong).toEqual([]);
});

it.each(Object.keys(ARROWS))('no two folders of %s import each other', (room) => {
  const folderOf = (path: string): string | undefined => (path.split('/').length > 2 ? path.split('/')[1] : undefined);
  const arrows = new Set<string>();
  for (const { file, target } of imports(room).filter(isLocal)) {
    const [from, to] = [folderOf(file), folderOf(target)];
    if (target.startsWith(`${room}/`) && from && to && from !== to) arrows.add(`${from} ${to}`);
  }
  expect([...arrows].filter((arrow) => arrows.has(arrow.split(' ').reverse().join(' ')))).toEqual([]);
});

it('what a server imports of an estimator reaches nothing but contract', () => {
  const all = new Map(imports('examples').map((entry) => [entry.file, [] as string[]]));
  for (const { file, target } of imports('examples')) all.get(file)!.push(target);
  const reached = new Set([...all.keys()].filter((file) => file.endsWith('/estimator.ts')));
  for (const file of reached) for (const target of all.get(file) ?? []) reached.add(target);
  expect(reached.size).toBeGreaterThan(1);
  expect([...reached].filter((target) => !/^(contract\/|examples\/[^/]+\/[^/]+\.ts$)/.test(target))).toEqual([]);
});

it('every room is listed here', () => {
  const rooms = readdirSync(ROOT, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !/^(\.|node_modules|dist|coverage|tests|docs|manifests)/.test(entry.name),
  );
  expect(rooms.map((entry) => entry.name).filter((name) => !(name in ARROWS))).toEqual([]);
});

it('only config.ts of a room and the command read the environment', () => {
  const readers = Object.keys(ARROWS)
    .flatMap(sources)
    .filter((file) => /process\.env\b/.test(readFileSync(file, 'utf8')))
    .map((file) => relative(ROOT, file));
  expect(readers.filter((file) => !/(^|\/)config\.ts$/.test(file) && file !== 'bin/kedge.ts')).toEqual([]);
});

/** Globals of time, chance and I/O, which need no import. */
const IMPURE =
  /\b(?:Date\.now|new Date(?=\(\))|performance|set(?:Timeout|Interval|Immediate)|Math\.random|crypto\.\w+|random(?:UUID|Bytes|Int|FillSync|Fill)|process|fetch|WebSocket|console|globalThis|require)\b(?!\s*:)/g;
/** What of `node:fs` leaves everything as it is. */
const READS = new Set([
  'createReadStream',
  'existsSync',
  'lstat',
  'readdir',
  'readFile',
  'readFileSync',
  'stat',
  'watch',
]);
/** Writes to what is no file of the volume: the own entry in /proc, and the pipe to the parent. */
const OTHER_WRITES: Record<string, string[]> = {
  'engine/host-server.ts': ['writeFileSync'],
  'engine/host-watch.ts': ['writeSync'],
};
const FS_IMPORT = /import\s+(type\s+)?([^;]*?)\s+from\s+['"](?:node:)?(?:fs(?:\/promises)?|graceful-fs|fs-extra)['"]/g;

/** Without comments and strings, in which anything may be spoken of. */
function codeOf(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, ' ');
}

function impureIn(source: string): string[] {
  return [...codeOf(source).matchAll(IMPURE)].map(([found]) => found);
}

/** What a file takes from the file system that could change it. */
function writersIn(source: string, allowed: readonly string[] = []): string[] {
  return [...source.matchAll(FS_IMPORT)].flatMap(([, type, clause]) => {
    const [, names] = /^\{([^}]*)\}$/.exec(clause!) ?? [];
    if (type) return [];
    if (names === undefined) return [clause!];
    const imported = names.split(',').map((name) => name.trim().split(/\s+as\s+/)[0]!);
    return imported.filter((name) => name && !name.startsWith('type ') && !READS.has(name) && !allowed.includes(name));
  });
}

it('contract reads no clock, draws no chance and does no I/O', () => {
  const found = sources('contract').map((file) => [relative(ROOT, file), impureIn(readFileSync(file, 'utf8'))]);
  expect(found.filter(([, names]) => names!.length > 0)).toEqual([]);
});

it.each(['contract', 'engine', 'server'])('%s writes no file: only the loader writes the volume', (room) => {
  const found = sources(room).map((file) => {
    const path = relative(ROOT, file);
    return [path, writersIn(readFileSync(file, 'utf8'), OTHER_WRITES[path])];
  });
  expect(found.filter(([, names]) => names!.length > 0)).toEqual([]);
  expect(imports(room).filter(({ target }) => target === 'platform/atomic.ts')).toEqual([]);
});

it.each([
  ['const now = Date.now();', ['Date.now']],
  ['const today = new Date();', ['new Date']],
  ['await fetch(url); setTimeout(done, 5); // fetch', ['fetch', 'setTimeout']],
  [
    'const id = randomUUID() + Math.random(); console.log(process.pid);',
    ['randomUUID', 'Math.random', 'console', 'process'],
  ],
  ["/** The process of a fetch. */ throw new Error('process crashed'); new Date(0);", []],
])('impure in %j: %j', (source, found) => expect(impureIn(source)).toEqual(found));

it.each([
  ["import { readFile, rename as move } from 'node:fs/promises';", ['rename']],
  ["import { type Stats, stat, open } from 'node:fs';", ['open']],
  ["import * as fs from 'fs';", ['* as fs']],
  ["import fs from 'node:fs/promises';", ['fs']],
  ["import type { FileHandle } from 'node:fs/promises';\nimport { join } from 'node:path';", []],
])('writes in %j: %j', (source, found) => expect(writersIn(source)).toEqual(found));
