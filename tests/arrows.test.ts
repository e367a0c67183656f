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
  bench: ['contract', 'platform', 'engine', 'server', 'trainer', 'tests'],
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
    (entry) => entry.isDirectory() && !/^(\.|node_modules|dist|coverage|tests|docs)/.test(entry.name),
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
