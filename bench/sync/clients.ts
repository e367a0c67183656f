import { accessSync, constants } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonEnv } from '../compare/python-env.ts';

/** What is fetched from, and with what. */
export interface Source {
  /** `s3://BUCKET/PREFIX`. */
  url: string;
  /** Variables of the AWS SDK. */
  env: Readonly<Record<string, string>>;
}

/** A program that copies all of a bucket into a folder. */
export interface Client {
  name: string;
  command(source: Source, dir: string): string[];
  /** Variables beside those of the AWS SDK. */
  env?(source: Source): Record<string, string>;
}

/** What Kedge brings. @param dist the bundle @param node the program that runs it */
export function ourClients(dist: string, node: string): Client[] {
  return [
    { name: 'kedge, fetch alone', command: ({ url }, dir) => [node, join(dist, 'sync-fetch.js'), url, dir] },
    {
      name: 'kedge load --once',
      command: ({ url }, dir) => [node, join(dist, 'kedge.js'), 'load', '--once', '--bucket', url, '--volume', dir],
      env: () => ({ KEDGE_LOADER_PORT: '0' }),
    },
  ];
}

const endpointOf = ({ env }: Source): string | undefined => env['AWS_ENDPOINT_URL_S3'];

const OTHERS: Readonly<Record<string, Client>> = {
  aws: {
    name: 'aws s3 sync',
    command: ({ url }, dir) => ['aws', 's3', 'sync', url, dir, '--only-show-errors'],
  },
  s5cmd: {
    name: 's5cmd cp (checks nothing)',
    command: ({ url }, dir) => ['s5cmd', '--log', 'error', 'cp', `${url}/*`, `${dir}/`],
    env: (source) => ({ S3_ENDPOINT_URL: endpointOf(source) ?? '' }),
  },
  rclone: {
    name: 'rclone copy (checks MD5)',
    command: ({ url }, dir) => ['rclone', 'copy', '--config', '/dev/null', url.replace('s3://', ':s3:'), dir],
    env: (source) => ({
      RCLONE_S3_ENV_AUTH: 'true',
      RCLONE_S3_PROVIDER: endpointOf(source) === undefined ? 'AWS' : 'Other',
      RCLONE_S3_ENDPOINT: endpointOf(source) ?? '',
      RCLONE_S3_REGION: source.env['AWS_REGION'] ?? '',
    }),
  },
};

/** The other clients that are here: from an environment of Python that holds them, or from PATH. What is missing is told of. */
export function otherClients(path: string, install: boolean): { clients: Client[]; missing: string[] } {
  const env = pythonEnv('bench-sync', new URL('./requirements.txt', import.meta.url), install);
  const folders = [...('python' in env ? [dirname(env.python)] : []), ...path.split(delimiter)];
  const clients: Client[] = [];
  const missing: string[] = [];
  for (const [program, client] of Object.entries(OTHERS)) {
    const found = folders.map((folder) => join(folder, program)).find(isProgram);
    if (found === undefined) missing.push(program);
    else clients.push({ ...client, command: (source, dir) => [found, ...client.command(source, dir).slice(1)] });
  }
  return { clients, missing };
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The bundle that this is part of. */
export const THIS_BUNDLE = fileURLToPath(new URL('.', import.meta.url));
