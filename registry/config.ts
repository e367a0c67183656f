import { hostname, userInfo } from 'node:os';
import { KedgeError } from '../contract/errors.ts';
import { type Environment, optional, type Setting, text } from '../platform/settings.ts';

/** What every program that touches the bucket reads. The AWS SDK reads its own variables too (credentials, region, profile). */
export const bucketSettings = {
  bucket: text('KEDGE_BUCKET', 'where the models are: s3://bucket/prefix, or file:///dir'),
  s3Endpoint: optional({
    ...text('AWS_ENDPOINT_URL_S3', 'address of an S3 store other than Amazon, as http://minio:9000'),
    parse: checkEndpoint,
  }),
};

export const publisherSetting: Setting<string | undefined> = optional(
  text(
    'KEDGE_PUBLISHER',
    'who publishes; with the same name a later run resumes what an earlier one left unfinished (default: new each run)',
  ),
);

export const publisherSettings = { publisher: publisherSetting };

export interface S3Environment {
  /** Set for a store other than Amazon; buckets are then a part of the path and not of the host name. */
  endpoint: string | undefined;
  /** What the AWS CLI takes for the region and the SDK does not read. */
  fallbackRegion: string | undefined;
}

/** The value is not told, since it may hold a password. */
function checkEndpoint(value: string): string {
  if (/^https?:\/\/./i.test(value) && URL.canParse(value)) return value;
  throw new Error('must be the URL of an S3 store, such as http://minio:9000');
}

/**
 * The variables of the AWS SDK that decide how buckets are addressed.
 * @throws KedgeError `config-invalid` for an endpoint that is no URL
 */
export function s3Environment(env: Environment = process.env): S3Environment {
  const name = env['AWS_ENDPOINT_URL_S3'] ? 'AWS_ENDPOINT_URL_S3' : 'AWS_ENDPOINT_URL';
  const endpoint = env[name] || undefined;
  try {
    if (endpoint) checkEndpoint(endpoint);
  } catch (error) {
    throw new KedgeError('config-invalid', `${name} ${(error as Error).message}`);
  }
  return { endpoint, fallbackRegion: env['AWS_DEFAULT_REGION'] || (endpoint && 'us-east-1') };
}

/**
 * A name for a publisher that gave none: where it runs, and a random part, so that two publishers at once are never taken
 * for one that resumes. `random` is in [0, 1).
 */
export function defaultPublisher(random: () => number): string {
  const unique = Math.floor(random() * 2 ** 48)
    .toString(36)
    .padStart(10, '0');
  return `${userName()}@${hostname()}/${unique}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a user id that has no name.
    return `uid${process.getuid?.() ?? ''}`;
  }
}
