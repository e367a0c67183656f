import { momentText, numberText, secondsText } from '../format.ts';
import type { ScalingRecord } from '../record.ts';
import { desiredOf, type Lag, lagsOf, lengthOf } from '../timeline.ts';
import { type Kind, onScaling, seconds, unmeasured } from './kind.ts';

const SENTENCES = {
  up: 'from each rise of the load until as many replicas were ready as the metrics then asked for, or no longer asked for',
  down: 'from each fall of the load until no more replicas were ready than the metrics then asked for, or more were asked for again',
};

export function lagKind(direction: 'up' | 'down'): Kind<number> {
  return onScaling<number>({
    about: SENTENCES[direction],
    ...seconds,
    judge(scaling, limit, record) {
      const lags = lagsOf(record, direction);
      if (lags.length === 0) {
        return unmeasured(
          `the load never asked for ${direction === 'up' ? 'more' : 'fewer'} replicas than were ready`,
          direction === 'up'
            ? 'Raise the load until it needs more than the first replicas.'
            : 'Let the load come down before the run ends.',
        );
      }
      // What the end of the run cut off did not come to pass, however short it was.
      const open = lags.filter(({ end }) => end === 'open');
      const worst = (open.length > 0 ? open : lags).reduce((most, one) =>
        lengthOf(one) > lengthOf(most) ? one : most,
      );
      const took = lengthOf(worst);
      const parts = partsOf(scaling, worst, direction);
      return {
        holds: worst.end !== 'open' && took <= limit,
        measured: measuredText(scaling, worst, parts, direction),
        advice: () =>
          worst.end === 'open' && took < limit
            ? 'The run ended before the time was over: let it go on for longer.'
            : adviceOf(scaling, direction, longestOf(parts)),
      };
    },
  });
}

/** Where the time of a lag went: until the metrics told, until as many were desired, until as many were ready. Seconds. */
interface Parts {
  metrics: number;
  policy: number;
  pods: number;
}

function partsOf(scaling: ScalingRecord, lag: Lag, direction: 'up' | 'down'): Parts {
  const reached = (value: number): boolean => (direction === 'up' ? value >= lag.replicas : value <= lag.replicas);
  const desired = desiredOf(scaling).find(([at, value]) => at >= lag.asked && reached(value))?.[0] ?? lag.until;
  const decided = Math.min(desired, lag.until);
  return { metrics: lag.asked - lag.from, policy: decided - lag.asked, pods: lag.until - decided };
}

function longestOf(parts: Parts): keyof Parts {
  const names = ['metrics', 'policy', 'pods'] as const;
  return names.reduce((most, name) => (parts[name] > parts[most] ? name : most));
}

function measuredText(
  scaling: ScalingRecord,
  lag: Lag,
  { metrics, policy, pods }: Parts,
  direction: 'up' | 'down',
): string {
  const ends = {
    met: `to ${numberText(lag.replicas)}`,
    withdrawn: `to ${numberText(lag.replicas)}, then no longer asked for`,
    open: `to ${numberText(lag.replicas)}, not reached by the end of the run`,
  };
  const last = direction === 'up' ? 'pods becoming ready' : 'pods leaving';
  const decided = isAskedKnown(scaling)
    ? `${secondsText(metrics)} until the metrics asked, ${secondsText(policy)} for the policy`
    : `${secondsText(metrics)} until it was decided`;
  return `${secondsText(lengthOf(lag))} ${ends[lag.end]}, from ${momentText(lag.from)} on: ${decided}, ${secondsText(pods)} for ${last}`;
}

/** A cluster tells what it decided alone: how long metrics and policy took of that is not known. */
function isAskedKnown({ ticks }: ScalingRecord): boolean {
  return ticks.some(({ wanted }) => wanted !== undefined);
}

function adviceOf(scaling: ScalingRecord, direction: 'up' | 'down', part: keyof Parts): string {
  return part === 'pods' || isAskedKnown(scaling) ? ADVICE[direction][part] : UNDECIDED[direction];
}

const UNDECIDED = {
  up: 'Most of it went by before more were decided on. Shorten the window that the metric is averaged over and how often it is scraped; let behavior.scaleUp add more at once, set its stabilizationWindowSeconds to 0, and see that maxReplicas is high enough.',
  down: 'Most of it went by before fewer were decided on. Shorten behavior.scaleDown.stabilizationWindowSeconds (300 s if not said), let its policies take more at once, or shorten the window that the metric is averaged over.',
};

const ADVICE = {
  up: {
    metrics:
      'Most of it went by before the metrics asked. Shorten the window that the metric is averaged over and how often it is scraped; a shorter sync period of the controller (15 s if not said) or of KEDA (pollingInterval) helps too.',
    policy:
      'Most of it went by while the policy held back. Let behavior.scaleUp add more at once (Percent, Pods, a shorter periodSeconds), set its stabilizationWindowSeconds to 0, and see that maxReplicas is high enough.',
    pods: 'Most of it went by until pods were ready. See what a start takes (kedge bench coldstart): images on the node, models on a volume that is filled already, shorter periods of startup and readiness probes. Or begin with more (minReplicas), or a lower target that scales before it is needed.',
  },
  down: {
    metrics: 'Most of it went by before the metrics asked. Shorten the window that the metric is averaged over.',
    policy:
      'Most of it went by while the policy held back. Shorten behavior.scaleDown.stabilizationWindowSeconds (300 s if not said), or let its policies take more at once; to zero it is the cooldownPeriod of KEDA (300 s too).',
    pods: 'Most of it went by until pods had left. Shorten what they wait for while they drain: preStop, terminationGracePeriodSeconds.',
  },
};
