import { KedgeError, messageOf } from '../../contract/errors.ts';

const FULL = /OOM|maxmemory/;
const GONE =
  /ECONN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN|Connection is closed|max retries per request|LOADING|NOAUTH|WRONGPASS|stream isn't writeable/i;

/** What Redis or its client says, by our codes. */
export function redisError(error: unknown, place: string): KedgeError {
  if (error instanceof KedgeError) return error;
  const message = messageOf(error);
  if (FULL.test(message)) {
    return new KedgeError(
      'queue-full',
      `Redis at ${place} has no memory left (${message}). Give it more (maxmemory), or remove what else lies in it.`,
      { cause: error },
    );
  }
  if (GONE.test(message)) return unreachable(place, message, error);
  return new KedgeError('queue-failed', `Redis at ${place} refused what was asked of it: ${message}.`, {
    cause: error,
  });
}

export function unreachable(place: string, why: string, cause?: unknown): KedgeError {
  return new KedgeError(
    'queue-unreachable',
    `Redis at ${place} does not answer (${why}). See that it runs and that REDIS_URL is right.`,
    { cause },
  );
}
