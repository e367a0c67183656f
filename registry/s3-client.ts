import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { NodeHttpHandler, type NodeHttpHandlerOptions } from '@smithy/node-http-handler';
import type { ProgressOptions } from './progress-watch.ts';

/** Milliseconds; each ends a stall that the others do not see. */
interface S3Timeouts {
  /** Until a connection stands. */
  connectMs: number;
  /** From sending the request to the head of the answer. */
  answerMs: number;
  /** Silence in a body. */
  idleMs: number;
}

export interface S3Options {
  /** A store other than Amazon. */
  endpoint?: string | undefined;
  /** Taken where the SDK finds no region. */
  fallbackRegion?: string | undefined;
  /** For tests; else the SDK's own chain: variables, profile, role. */
  credentials?: S3ClientConfig['credentials'];
  timeouts?: Partial<S3Timeouts>;
  /** A body slower than this is given up. */
  progress?: ProgressOptions;
  /** Files above this go up in parts of this size, several at once. At least 5 MiB, at most 5 GiB. */
  partBytes?: number;
}

const TIMEOUTS: S3Timeouts = { connectMs: 3_000, answerMs: 10_000, idleMs: 10_000 };
/** `answerMs` counts the time that a body takes to go up, so an upload gets much more of it. */
const UPLOAD_PATIENCE = 30;
const MAX_SOCKETS = 64;

export const DEFAULT_PROGRESS: ProgressOptions = { windowMs: 10_000, bytesPerSecond: 1024 };

/** Two clients of one store: an impatient one for all that is small, and one that bears a slow upload. */
export function createClients(options: S3Options): { quick: S3Client; patient: S3Client } {
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  const region = memoize(() => findRegion(options.fallbackRegion));
  const create = (patience: number, maxAttempts: number): S3Client =>
    new S3Client({
      region,
      maxAttempts,
      ...(options.endpoint && { endpoint: options.endpoint, forcePathStyle: true }),
      ...(options.credentials && { credentials: options.credentials }),
      // The manifest's sha256 checks what comes. The SDK's check would miss ranges and multipart objects, at several times the cost.
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: new NodeHttpHandler(handlerOptions(timeouts, patience)),
    });
  return { quick: create(1, 3), patient: create(UPLOAD_PATIENCE, 5) };
}

function handlerOptions({ connectMs, answerMs, idleMs }: S3Timeouts, patience: number): NodeHttpHandlerOptions {
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
  return {
    connectionTimeout: connectMs,
    requestTimeout: answerMs * patience,
    throwOnRequestTimeout: true,
    socketTimeout: idleMs * patience,
    httpAgent: agent,
    httpsAgent: agent,
  };
}

/** The region that the SDK finds (variable, profile), else the fallback. */
async function findRegion(fallback: string | undefined): Promise<string> {
  const probe = new S3Client({});
  try {
    return await probe.config.region();
  } catch (error) {
    if (fallback) return fallback;
    throw error;
  } finally {
    probe.destroy();
  }
}

function memoize<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
