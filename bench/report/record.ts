import { z } from 'zod';

const count = z.number().min(0);
const seconds = z.number();
const counts = z.record(z.string(), count).readonly();

const machine = z.object({
  cpu: z.string(),
  cores: z.number(),
  memoryBytes: z.number(),
  os: z.string(),
  node: z.string(),
  kedge: z.string(),
  /** Of the working tree; with `-dirty` where it was changed; absent outside of a repository. */
  commit: z.string().optional(),
});

/** Microseconds. */
const latency = z.object({ p50: count, p90: count, p99: count, p999: count, max: count });

const requests = z.object({
  /** Requests whose time came. Each is one of: ok, wrong, failed, dropped. */
  scheduled: count,
  /** Status 200 and the answer that was wanted. */
  ok: count,
  /** Status 200 and another answer. */
  wrong: count,
  /** Any other status, or none. */
  failed: count,
  /** Not sent, as too many were under way. */
  dropped: count,
  /** Of answers with status 200; absent where there were none. */
  latency: latency.optional(),
  /** Requests by status; `none` where the connection broke or the time ran out. */
  statuses: counts,
  /** Answers by the version that gave them: `model/version`. */
  versions: counts,
});

const interval = requests.extend({
  /** When it began; requests belong to the interval that they were scheduled in. */
  at: seconds,
  /** Under way at its end. */
  inFlight: count,
});

const total = requests.extend({
  /**
   * How far behind its own schedule the driver sent, 99th percentile, microseconds: more than a little, and it measured itself. Absent where there was no schedule, as in a closed
   * loop, or nothing in it.
   */
  behindP99: count.optional(),
  /**
   * Seconds on the wall from the beginning until the last right answer was in: longer than the schedule where the servers had fallen behind it. Absent where there was no such
   * answer, in a closed loop, and in records of before it was measured.
   */
  answeredSeconds: count.optional(),
});

const load = z.object({
  /** In order of time, one for each second of the run's clock. */
  intervals: z.array(interval).readonly(),
  total,
  /** What went wrong, in words: the first few kinds of it. Absent where nobody looked. */
  problems: z.array(z.string()).readonly().optional(),
});

const tick = z.object({
  at: seconds,
  /** `spec.replicas` before the decision, and after it. */
  current: count,
  desired: count,
  /** What the metrics asked for, before rates, bounds and stabilization; absent where they could not be asked. */
  wanted: count.optional(),
  ready: count,
  metrics: z.array(z.object({ name: z.string(), value: z.number().optional(), target: z.number() })).readonly(),
  /** Reasons of the HPA's conditions, as Kubernetes words them; absent where a condition was not set. */
  ableToScale: z.string().optional(),
  scalingActive: z.string().optional(),
  scalingLimited: z.string().optional(),
  /** Where KEDA and not its HPA decided: the reason of its event. */
  keda: z.string().optional(),
  /** Requests that were held, as no pod was ready; absent where none ever are. */
  held: count.optional(),
});

/** From the first request that came while no pod was ready until one was. */
const waking = z.object({
  at: seconds,
  /** When KEDA saw it and asked for a pod; absent where it did not have to, or never did. */
  activated: seconds.optional(),
  /** When a pod was ready. */
  ready: seconds.optional(),
  /** When the first answer of a pod to one of these requests was out. */
  answered: seconds.optional(),
  /** Requests that were held. */
  held: count,
});

const zero = z.object({
  /** Requests held from each time on. */
  held: z.array(z.tuple([seconds, count]).readonly()).readonly(),
  /** At one time. */
  most: count,
  /** Answered with 503, as too many were held. */
  rejected: count,
  /** Answered with 504, as no pod was ready in time. */
  expired: count,
  /** Seconds until the process of a new pod starts, by declaration and not for real. */
  startDelay: count,
  /** In order of time. */
  wakings: z.array(waking).readonly(),
});

const pod = z.object({
  name: z.string(),
  /** In order of time. */
  states: z
    .array(
      z.object({
        at: seconds,
        state: z.enum(['starting', 'ready', 'unready', 'draining', 'gone']),
        why: z.string().optional(),
      }),
    )
    .readonly(),
  /** Requests under way in it, averaged between two looks: when, and how many. */
  inFlight: z.array(z.tuple([seconds, z.number()]).readonly()).readonly(),
});

const scaling = z.object({
  /** Where the decisions came from: `model` is our arithmetic, `cluster` the controller of a real one. */
  by: z.enum(['model', 'cluster']),
  policy: z.object({
    name: z.string(),
    minReplicas: count,
    maxReplicas: count,
    /** A line for each metric: its name and target. */
    metrics: z.array(z.string()).readonly(),
    /** Requests under way in each pod that one of the metrics aims at; absent where none counts them. */
    inFlightTarget: z.number().optional(),
  }),
  /** In order of time, one for each sync. */
  ticks: z.array(tick).readonly(),
  pods: z.array(pod).readonly(),
  /** Requests that came while no pod was ready; absent where none are held for it. */
  zero: zero.optional(),
});

const verdict = z.object({
  /** The assertion as it was written: `max_error_rate: 0`. */
  assertion: z.string(),
  holds: z.boolean(),
  /** What was measured, in words and numbers. */
  measured: z.string(),
  /** What to change, where it does not hold. */
  advice: z.string().optional(),
});

/**
 * What a run of the bench leaves behind, as JSON: all that its report draws and its verdicts judge, and nothing else. Two runs are compared by it.
 * Times are seconds since the run began, on the clock of the run: in compressed time, one of its seconds is shorter than one on the wall.
 * Latencies are microseconds from when a request was scheduled, and rates are per second, both on the wall: a server is no faster in compressed time. An interval with
 * n requests scheduled thus had a rate of n times the compression.
 */
export const runRecord = z.object({
  schemaVersion: z.literal(1),
  /** What was run: the command after `kedge bench`. */
  kind: z.string(),
  title: z.string(),
  /** RFC 3339, wall clock. */
  startedAt: z.string(),
  /** How long it took, on its own clock. */
  seconds: count,
  /** Seconds of its clock for one on the wall; 1 is real time. */
  compression: z.number().positive(),
  machine,
  /** What it was asked for, as options name it. */
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).readonly(),
  /** What was measured on real parts, and what was only declared (such as a capacity for each pod): a sentence each. */
  honesty: z.object({ real: z.array(z.string()).readonly(), declared: z.array(z.string()).readonly() }),
  load,
  /** Absent where nothing scaled. */
  scaling: scaling.optional(),
  /** Of what was asserted; empty where nothing was. */
  verdicts: z.array(verdict).readonly(),
});

export type RunRecord = z.infer<typeof runRecord>;
export type Machine = z.infer<typeof machine>;
export type LoadRecord = z.infer<typeof load>;
export type LoadInterval = z.infer<typeof interval>;
export type LoadTotal = z.infer<typeof total>;
export type Latency = z.infer<typeof latency>;
export type ScalingRecord = z.infer<typeof scaling>;
export type ScalingTick = z.infer<typeof tick>;
export type ZeroRecord = z.infer<typeof zero>;
export type Waking = z.infer<typeof waking>;
export type PodRecord = z.infer<typeof pod>;
export type Verdict = z.infer<typeof verdict>;
