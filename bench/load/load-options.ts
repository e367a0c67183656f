import type { Schedule } from './schedule.ts';

/** A request that is sent again and again. A model that is sent several bodies has several of these. */
export interface LoadRequest {
  /** Name of the model: answers are counted under it. */
  model: string;
  /** Its share of all requests is this to the sum of all weights; over 0. */
  weight: number;
  /** Appended to the URL of the load; `/v2/models/MODEL/infer` if absent. */
  path?: string;
  body: string | Uint8Array;
  /** `content-type: application/json` if it names none. */
  headers?: Readonly<Record<string, string>>;
  /** What is looked at in an answer with status 200; `same` if absent. */
  check?: AnswerCheck;
}

/**
 * `status`: nothing more. `same`: all answers of a version are the same as its first one. Or outputs by name that every version must give. Numbers are compared with a tolerance,
 * as a runtime rounds otherwise in a batch of another size; answers that are none of the Open Inference Protocol, byte for byte.
 */
export type AnswerCheck = 'status' | 'same' | { outputs: readonly WantedOutput[]; tolerance?: Tolerance };

export interface WantedOutput {
  name: string;
  datatype: string;
  shape: readonly number[];
  /** Flat, row-major. */
  data: readonly (number | bigint | string | boolean)[];
}

/** Floats may differ by `abs + rel * |wanted|`. */
export interface Tolerance {
  abs: number;
  rel: number;
}

export interface LoadOptions {
  /** `http://HOST:PORT` or `https://HOST:PORT`; a path in it stands before that of each request. */
  url: string;
  requests: readonly LoadRequest[];
  /** Its rates are per second of the wall, whatever the compression. */
  schedule: Schedule;
  /** Which random arrivals, and which request at each: the same for the same seed, however many threads send. 1 if absent. */
  seed?: number;
  /** Most requests under way; what comes then is dropped and counted. 256 if absent. */
  maxOutstanding?: number;
  /** Milliseconds of the wall from when a request was scheduled; then it failed, or is dropped where the driver itself was so late. 10,000 if absent. */
  timeoutMs?: number;
  /** Threads that send; by the machine if absent. */
  workers?: number;
  /** Milliseconds that the server is told it has: header `kedge-timeout-ms`. None if absent. */
  deadlineMs?: number;
  /** Seconds of the schedule for one on the wall; 1 if absent. */
  compression?: number;
  /**
   * A connection is closed after so many requests; never if absent. What balances connections rather than requests, such as a Service of Kubernetes, sends nothing to a
   * new pod otherwise.
   */
  requestsPerConnection?: number;
  /** Waits by timers alone: leaves the core to others, and sends up to a millisecond late. */
  coarse?: boolean;
}
