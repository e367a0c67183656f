import { S3ServiceException } from '@aws-sdk/client-s3';
import { KedgeError, messageOf } from '../contract/errors.ts';

/** Where a call went, for sentences. */
export interface S3Place {
  url: string;
  bucket: string;
  endpoint: string | undefined;
}

/** HTTP status of an answer of the store; undefined where none came. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

/** How many times the SDK sent the request. */
export function attemptsOf(error: unknown): number {
  return (error as { $metadata?: { attempts?: number } } | undefined)?.$metadata?.attempts ?? 1;
}

const ADVICE: Record<string, string> = {
  NoSuchBucket: 'there is no such bucket. Check KEDGE_BUCKET (and AWS_ENDPOINT_URL_S3), or create the bucket.',
  InvalidAccessKeyId: 'the access key is not known there. Check AWS_ACCESS_KEY_ID (or AWS_PROFILE).',
  XAdminUserNotFound: 'the access key is not known there. Check AWS_ACCESS_KEY_ID (or AWS_PROFILE).',
  SignatureDoesNotMatch: 'the secret key does not fit the access key. Check AWS_SECRET_ACCESS_KEY.',
  ExpiredToken: 'the credentials have expired. Get new ones.',
  ExpiredTokenException: 'the credentials have expired. Get new ones.',
  InvalidToken: 'the session token is not valid. Check AWS_SESSION_TOKEN.',
  RequestTimeTooSkewed: 'the clock of this machine is wrong. Set it by NTP.',
  AuthorizationHeaderMalformed: 'the bucket is in another region. Set AWS_REGION to that of the bucket.',
  PermanentRedirect: 'the bucket is in another region. Set AWS_REGION to that of the bucket.',
  CredentialsProviderError:
    'no credentials were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give this machine or pod a role.',
  RegionMissing: 'no region is set. Set AWS_REGION.',
};

const ADVICE_BY_STATUS: Record<number, string> = {
  301: ADVICE['PermanentRedirect']!,
  403: 'these credentials may not do that. Give them s3:ListBucket on the bucket (without it a missing object answers 403 too) and s3:GetObject, to publish also s3:PutObject and s3:DeleteObject, on its objects.',
  404: ADVICE['NoSuchBucket']!,
  429: 'it asks for fewer requests. Try again later.',
  503: 'it asks for fewer requests or is down. Try again later.',
};

const UNREACHABLE =
  /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EPROTO|CERT_|DEPTH_|SELF_SIGNED|UNABLE_)/;

/** A text whose URLs have lost user and password, so that it can be shown and logged. */
export function withoutPasswords(sentence: string): string {
  return sentence.replace(/(:\/\/)[^\s/?#]*@/g, '$1');
}

/**
 * Any error of the SDK as a KedgeError `bucket-unreachable` whose sentence says what to do. `doing` is what was tried:
 * `reading demand/8/model.onnx`.
 */
export function bucketError(error: unknown, place: S3Place, doing: string): KedgeError {
  if (error instanceof KedgeError) return error;
  const name = error instanceof Error ? error.name : '';
  const code = String((error as { code?: unknown }).code ?? '');
  const status = statusOf(error);
  const sentence = withoutPasswords(`${place.url}: ${doing} failed: ${reason(error, place, { name, code, status })}`);
  return new KedgeError('bucket-unreachable', sentence, {
    cause: error,
    details: { ...(status && { status }), reason: code || name, attempts: attemptsOf(error) },
  });
}

function reason(
  error: unknown,
  place: S3Place,
  { name, code, status }: { name: string; code: string; status: number | undefined },
): string {
  const message = messageOf(error);
  if (ADVICE[name]) return ADVICE[name];
  if (message === 'Region is missing') return ADVICE['RegionMissing']!;
  if (status !== undefined) {
    const answer = `the store answered ${status}${name && name !== 'Unknown' ? ` ${name}` : ''}`;
    const advice = ADVICE_BY_STATUS[status] ?? (status >= 500 ? 'The fault is on its side. Try again later.' : message);
    return `${answer}: ${advice}`;
  }
  const where = place.endpoint ?? 'Amazon S3';
  if (UNREACHABLE.test(code))
    return `${where} cannot be reached (${code}). Check AWS_ENDPOINT_URL_S3, AWS_REGION and the network.`;
  if (name === 'TimeoutError' || code === 'ETIMEDOUT')
    return `${where} did not answer in time. Check the network, or try again.`;
  if (code === 'ECONNRESET' || message === 'aborted' || code === 'EPIPE')
    return `${where} closed the connection before the end. Try again.`;
  return `${message}.`;
}
