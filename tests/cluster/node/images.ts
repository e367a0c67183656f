import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { S3_PROGRAM } from '../../s3-server.ts';
import { POSTGRES_PROGRAMS } from '../machine.ts';

export interface Mount {
  source: string;
  target: string;
  mode: 'ro' | 'rw';
}

/** What stands in for an image: files of this machine at the places where the image has them. */
export interface Image {
  mounts: readonly Mount[];
  entrypoint: readonly string[];
  env: Readonly<Record<string, string>>;
  workdir: string;
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const readOnly = (source: string, target: string): Mount => ({ source, target, mode: 'ro' });

/** The image of Kedge as its Containerfile says it, over a bundle that is made in this folder. */
function kedge(folder: string): Image {
  const text = readFileSync(join(ROOT, 'Containerfile'), 'utf8');
  const last = text.slice(text.lastIndexOf('FROM '));
  const env = /^ENV (.*)$/m
    .exec(last)![1]!
    .split(' ')
    .map((pair) => pair.split('=') as [string, string]);
  const app = join(folder, 'app');
  execFileSync(process.execPath, ['build.ts', join(app, 'dist')], { cwd: ROOT });
  cpSync(join(ROOT, 'package.json'), join(app, 'package.json'));
  const runtime = ['onnxruntime-common', 'onnxruntime-node'].map((name) => `node_modules/${name}`);
  for (const path of runtime) mkdirSync(join(app, path), { recursive: true });
  return {
    mounts: [
      readOnly(process.execPath, '/nodejs/bin/node'),
      readOnly(app, '/app'),
      ...runtime.map((path) => readOnly(join(ROOT, path), `/app/${path}`)),
    ],
    entrypoint: JSON.parse(/^ENTRYPOINT (.*)$/m.exec(last)![1]!),
    env: Object.fromEntries(env),
    workdir: /^WORKDIR (.*)$/m.exec(last)![1]!,
  };
}

const PATH = '/opt/bin:/usr/bin:/bin';

/** As the image of Docker does it: a database and its user on an empty folder, then the server. */
const POSTGRES = `set -e
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  printf %s "$POSTGRES_PASSWORD" >/tmp/password
  initdb -U "$POSTGRES_USER" --pwfile=/tmp/password -A scram-sha-256 --locale=C -E UTF8 --no-sync
  printf 'create database %s;\\n' "$POSTGRES_DB" | postgres --single -D "$PGDATA" postgres
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql`;

/** Docker's image is compiled without the mode in which Redis serves its own machine alone; the package of this one is not. */
const REDIS = '#!/bin/sh\nexec /usr/bin/redis-server "$@" --protected-mode no\n';

/** The images that our manifests name, by their names without registry and tag. @param folder for what is made for them */
export function makeImages(folder: string): Map<string, Image> {
  const plain = { mounts: [], entrypoint: [], env: { PATH }, workdir: '/' };
  const redis = join(folder, 'redis-server');
  writeFileSync(redis, REDIS, { mode: 0o755 });
  return new Map<string, Image>([
    ['kedge', kedge(folder)],
    ['versitygw', { ...plain, mounts: [readOnly(S3_PROGRAM, '/opt/bin/versitygw')], entrypoint: ['versitygw'] }],
    ['redis', { ...plain, mounts: [readOnly(redis, '/opt/bin/redis-server')] }],
    ['postgres', { ...plain, env: { PATH: `${POSTGRES_PROGRAMS}:${PATH}` }, entrypoint: ['bash', '-c', POSTGRES] }],
  ]);
}

/** `ghcr.io/versity/versitygw:v1.8.0` is `versitygw`. */
export function nameOf(image: string): string {
  return image.split('/').pop()!.split(/[:@]/)[0]!;
}
