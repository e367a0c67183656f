/**
 * What a run of the bench leaves behind, as JSON: all that its report draws and its verdicts judge, and nothing else. Two runs are compared by it.
 * Times are seconds since the run began, on the clock of the run: in compressed time, one of its seconds is shorter than one on the wall.
 * Latencies are microseconds from when a request was scheduled, and rates are per second, both on the wall: a server is no faster in compressed time. An interval with
 * n requests scheduled thus had a rate of n times the compression.
 */
export interface RunRecord {
  schemaVersion: 1;
  /** What was run: the command after `kedge bench`. */
  kind: string;
  title: string;
  /** RFC 3339, wall clock. */
  startedAt: string;
  /** How long it took, on its own clock. */
  seconds: number;
  /** Seconds of its clock for one on the wall; 1 is real time. */
  compression: number;
  machine: Machine;
  /** What it was asked for, as options name it. */
  settings: Readonly<Record<string, string | number | boolean>>;
  /** What was measured on real parts, and what was only declared (such as a capacity for each pod): a sentence each. */
  honesty: { real: readonly string[]; declared: readonly string[] };
  load: LoadRecord;
  /** Absent where nothing scaled. */
  scaling?: ScalingRecord;
  /** Of what was asserted; empty where nothing was. */
  verdicts: readonly Verdict[];
}

export interface Machine {
  cpu: string;
  cores: number;
  memoryBytes: number;
  os: string;
  node: string;
  kedge: string;
  /** Of the working tree; with `-dirty` where it was changed; absent outside of a repository. */
  commit?: string;
}

export interface LoadRecord {
  /** In order of time, one for each second of the run's clock. */
  intervals: readonly LoadInterval[];
  total: LoadTotal;
  /** What went wrong, in words: the first few kinds of it. Absent where nobody looked. */
  problems?: readonly string[];
}

interface Counts {
  /** Requests whose time came. Each is one of: ok, wrong, failed, dropped. */
  scheduled: number;
  /** Status 200 and the answer that was wanted. */
  ok: number;
  /** Status 200 and another answer. */
  wrong: number;
  /** Any other status, or none. */
  failed: number;
  /** Not sent, as too many were under way. */
  dropped: number;
  /** Of answers with status 200; absent where there were none. */
  latency?: Latency;
  /** Requests by status; `none` where the connection broke or the time ran out. */
  statuses: Readonly<Record<string, number>>;
  /** Answers by the version that gave them: `model/version`. */
  versions: Readonly<Record<string, number>>;
}

export interface LoadInterval extends Counts {
  /** When it began; requests belong to the interval that they were scheduled in. */
  at: number;
  /** Under way at its end. */
  inFlight: number;
}

export interface LoadTotal extends Counts {
  /** How far behind its own schedule the driver sent, 99th percentile, microseconds: more than a little, and it measured itself. */
  behindP99: number;
}

/** Microseconds. */
export interface Latency {
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
}

export interface ScalingRecord {
  /** Where the decisions came from: `model` is our arithmetic, `cluster` the controller of a real one. */
  by: 'model' | 'cluster';
  policy: {
    name: string;
    minReplicas: number;
    maxReplicas: number;
    /** A line for each metric: its name and target. */
    metrics: readonly string[];
  };
  /** In order of time, one for each sync. */
  ticks: readonly ScalingTick[];
  pods: readonly PodRecord[];
}

export interface ScalingTick {
  at: number;
  /** `spec.replicas` before the decision, and after it. */
  current: number;
  desired: number;
  /** What the metrics asked for, before rates, bounds and stabilization; absent where they could not be asked. */
  wanted?: number;
  ready: number;
  metrics: readonly { name: string; value?: number; target: number }[];
  /** Reasons of the HPA's conditions, as Kubernetes words them; absent where a condition was not set. */
  ableToScale?: string;
  scalingActive?: string;
  scalingLimited?: string;
}

export interface PodRecord {
  name: string;
  /** In order of time. */
  states: readonly { at: number; state: 'starting' | 'ready' | 'unready' | 'draining' | 'gone'; why?: string }[];
  /** Requests under way in it, averaged between two looks. */
  inFlight: readonly (readonly [at: number, average: number])[];
}

export interface Verdict {
  /** The assertion as it was written: `max_error_rate: 0`. */
  assertion: string;
  holds: boolean;
  /** What was measured, in words and numbers. */
  measured: string;
  /** What to change, where it does not hold. */
  advice?: string;
}
