import { z } from 'zod';
import { durationSeconds } from './duration.ts';

/** How the interceptor of KEDA's HTTP add-on (0.14 to 1.0) holds requests of a route while no pod is ready, and what it scales by. */
export interface Interceptor {
  /** Name of the InterceptorRoute; undefined: none says anything, so the defaults of the add-on hold. */
  route: string | undefined;
  /** Requests under way and held, for each pod. */
  targetConcurrency: number;
  /** Most requests held, further ones are answered with 503; undefined: no bound. */
  maxPending: number | undefined;
  /** Seconds until a held request is answered with 504; undefined: no bound, but for how long a client waits. */
  readinessSeconds: number | undefined;
}

/** KEDA_HTTP_COLD_START_MAX_PENDING_REQUESTS is 0 and KEDA_HTTP_READINESS_TIMEOUT 0s if not set: both then bound nothing. */
export const DEFAULT_INTERCEPTOR: Interceptor = {
  route: undefined,
  targetConcurrency: 100,
  maxPending: undefined,
  readinessSeconds: undefined,
};

const duration = z.string().transform((text, context) => {
  const seconds = durationSeconds(text);
  if (seconds !== undefined) return seconds;
  context.addIssue({ code: 'custom', message: `'${text}' is no duration such as 120s` });
  return z.NEVER;
});

const unread = (why: string) => z.undefined(why).optional();

/** Strict where what is left unread would change what a run shows. */
export const interceptorRouteSchema = z.strictObject({
  apiVersion: z.literal('http.keda.sh/v1beta1', 'only http.keda.sh/v1beta1 is read'),
  kind: z.literal('InterceptorRoute'),
  metadata: z.looseObject({ name: z.string().min(1) }),
  spec: z.looseObject({
    scalingMetric: z.strictObject({
      concurrency: z.strictObject({ targetValue: z.int().min(1).default(100) }, 'the only metric that is read'),
      requestRate: unread('requests a second are not counted here: scale by concurrency'),
    }),
    coldStart: z
      .strictObject({
        maxPendingRequests: z.int().min(0).default(0),
        overflow: z.literal('Reject', 'only Reject is read').optional(),
        placeholder: unread('a placeholder is no answer of a model: leave it out, requests are held then'),
        fallback: unread('there is no other service here: leave it out'),
      })
      .default({ maxPendingRequests: 0 }),
    timeouts: z
      .strictObject({
        readiness: duration.default(0),
        request: unread('how long a request may take in all is said by the load: leave it out'),
        responseHeader: unread('how long a request may take in all is said by the load: leave it out'),
      })
      .default({ readiness: 0 }),
  }),
  status: z.unknown().optional(),
});

/** 0 bounds nothing. */
export function interceptorOf({ metadata, spec }: z.infer<typeof interceptorRouteSchema>): Interceptor {
  const { scalingMetric, coldStart, timeouts } = spec;
  return {
    route: metadata.name,
    targetConcurrency: scalingMetric.concurrency.targetValue,
    maxPending: coldStart.maxPendingRequests || undefined,
    readinessSeconds: timeouts.readiness || undefined,
  };
}
