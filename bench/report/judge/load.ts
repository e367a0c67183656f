import { z } from 'zod';
import { isDriverLate } from '../driver.ts';
import { countText, latencyText, momentText, numberText, secondsText, shareText } from '../format.ts';
import type { Latency, LoadTotal, RunRecord } from '../record.ts';
import { ratesOf } from '../timeline.ts';
import { amount, type Finding, type Kind, ms, share, unmeasured, whole } from './kind.ts';

type Judge<T> = Kind<T>['judge'];

/** A kind that can only be judged where requests were sent. */
function onLoad<T>(judge: Judge<T>): Judge<T> {
  return (record, value) =>
    record.load.total.scheduled > 0
      ? judge(record, value)
      : unmeasured('no request was scheduled', 'Give the run a load: a rate over 0 for at least a second.');
}

/** A kind that can only be judged where requests were sent by a schedule. */
function onSchedule<T>(judge: (record: RunRecord, value: T, behindP99: number) => Finding): Judge<T> {
  return onLoad((record, value) => {
    const { behindP99 } = record.load.total;
    return behindP99 === undefined
      ? unmeasured('requests followed no schedule', 'Judge an open loop by it (no --tool), or leave it out.')
      : judge(record, value, behindP99);
  });
}

const badOf = ({ scheduled, ok }: LoadTotal): number => scheduled - ok;

function partsOf({ wrong, failed, dropped }: LoadTotal): string {
  return `${numberText(failed)} failed, ${numberText(wrong)} wrong, ${numberText(dropped)} dropped`;
}

/** `503 (812), none (3)`: what came instead of 200. */
function statusesOf({ statuses }: LoadTotal): string {
  const others = Object.entries(statuses).filter(([status]) => status !== '200');
  others.sort((a, b) => b[1] - a[1]);
  return others.map(([status, count]) => `${status} (${numberText(count)})`).join(', ');
}

function errorAdvice({ load: { total }, scaling }: RunRecord): string {
  const { wrong, failed, dropped } = total;
  if (dropped >= failed && dropped >= wrong) {
    return 'Most were never sent, as too many were under way: the servers did not keep up. Give them more replicas (minReplicas, a lower target), or allow more under way.';
  }
  if (wrong > failed) {
    return 'Most were answered with something else than was wanted: look which version answered (versions over time), and whether the expected answers are of that version.';
  }
  const statuses = statusesOf(total);
  const { rejected = 0, expired = 0 } = scaling?.zero ?? {};
  if ((rejected + expired) * 2 >= failed && rejected + expired > 0) {
    return `Most came while no pod was ready, and were not held until one was (${statuses}): hold more, and for longer (coldStart.maxPendingRequests, timeouts.readiness), or keep one pod (minReplicaCount 1).`;
  }
  const refused = (total.statuses['503'] ?? 0) + (total.statuses['429'] ?? 0);
  if (refused * 2 >= failed) {
    return `Most were refused (${statuses}): the replicas were full. Scale earlier (a lower target), faster (scaleUp policies), or begin with more (minReplicas).`;
  }
  if ((total.statuses['none'] ?? 0) * 2 >= failed) {
    return `Most had no answer (${statuses}): connections broke or time ran out. Look whether they fall together with pods that drain (preStop, terminationGracePeriodSeconds) or die.`;
  }
  return `Look at what was answered: ${statuses}. The servers' logs tell why.`;
}

const max_error_rate: Kind<number> = {
  about: 'at most this share of scheduled requests not answered rightly: failed, wrong or dropped',
  ...share,
  judge: onLoad((record, limit) => {
    const { total } = record.load;
    const rate = badOf(total) / total.scheduled;
    return {
      holds: rate <= limit,
      measured: `${shareText(rate)}: ${numberText(badOf(total))} of ${numberText(total.scheduled)} (${partsOf(total)})`,
      advice: () => errorAdvice(record),
    };
  }),
};

const max_wrong: Kind<number> = {
  about: 'at most so many answers with status 200 that are not the wanted one',
  ...whole,
  judge: onLoad(({ load: { total } }, limit) => ({
    holds: total.wrong <= limit,
    measured: countText(total.wrong, 'wrong answer'),
    advice: () =>
      'A wrong answer is worse than none. See which version gave it (versions over time), and compare kedge inspect of the versions.',
  })),
};

const max_dropped_rate: Kind<number> = {
  about: 'at most this share of scheduled requests not sent, as too many were under way',
  ...share,
  judge: onSchedule(({ load: { total } }, limit) => ({
    holds: total.dropped / total.scheduled <= limit,
    measured: `${shareText(total.dropped / total.scheduled)}: ${numberText(total.dropped)} of ${numberText(total.scheduled)}`,
    advice: () =>
      'The servers did not keep up, or the limit of requests under way is low for their latency: raise either.',
  })),
};

function latency(key: keyof Latency, words: string): Kind<number> {
  return {
    about: `${words} of answers with status 200, from when each was scheduled`,
    ...ms,
    judge: onLoad((record, limit) => {
      const { total } = record.load;
      if (!total.latency) return noAnswers(record);
      const value = total.latency[key];
      const from = total.behindP99 === undefined ? ', from sending: there was no schedule' : '';
      return {
        holds: value <= limit * 1_000,
        measured: `${latencyText(value)}${from}`,
        advice: () => latencyAdvice(total),
      };
    }),
  };
}

function noAnswers(record: RunRecord): Finding {
  return unmeasured('nothing was answered with status 200', errorAdvice(record));
}

function latencyAdvice(total: LoadTotal): string {
  if (isDriverLate(total)) {
    return `The driver itself was ${latencyText(total.behindP99)} behind its schedule (p99): what was measured is in part the driver. Take less load, or a machine that is not shared with the servers.`;
  }
  return 'Look in the plots where it happens. While load rises: scale earlier (a lower target) or begin with more replicas. At steady load: fewer requests in flight for each pod (a lower target), or more cores. Around pods that come or go: readiness and drain.';
}

/** A number of milliseconds, or one that counts only after a while. */
const settled = z.union([
  ms.value.transform((at_most) => ({ at_most, after_s: 0 })),
  z.strictObject({ at_most: ms.value, after_s: z.number().min(0) }),
]);

const worst_second_p99_ms: Kind<z.infer<typeof settled>> = {
  about: 'the 99th percentile in each single second, or in each after a while',
  value: settled,
  form: 'milliseconds over 0, or { at_most: milliseconds, after_s: seconds }',
  judge: onLoad((record, { at_most, after_s }) => {
    const { intervals, total } = record.load;
    const seen = intervals.flatMap(({ at, latency }) => (at >= after_s && latency ? [{ at, p99: latency.p99 }] : []));
    if (seen.length === 0 && total.latency) {
      return unmeasured(
        `nothing was answered after ${secondsText(after_s)}`,
        'Let the run last longer, or lower after_s.',
      );
    }
    if (seen.length === 0) return noAnswers(record);
    const worst = seen.reduce((most, one) => (one.p99 > most.p99 ? one : most));
    const over = seen.filter(({ p99 }) => p99 > at_most * 1_000).length;
    return {
      holds: over === 0,
      measured: `${latencyText(worst.p99)} at ${momentText(worst.at)}${over > 0 ? `; above in ${numberText(over)} of ${countText(seen.length, 'second')}` : ''}`,
      advice: () => latencyAdvice(total),
    };
  }),
};

const min_throughput: Kind<number> = {
  about:
    'at least so many right answers a second, on the wall, over the seconds in which requests were scheduled and until the last was in',
  ...amount,
  judge: onLoad((record, limit) => {
    const { scheduled, ok: rate, late } = ratesOf(record);
    const after = late > 0 ? `, and the last was in ${secondsText(late)} after these` : '';
    return {
      holds: rate >= limit,
      measured: `${numberText(rate)} a second; ${numberText(scheduled)} were scheduled${after}`,
      advice: () =>
        scheduled < limit
          ? 'The load did not ask for as much: raise its rate.'
          : 'The servers did not keep up: more replicas (maxReplicas, a lower target) or more capacity for each.',
    };
  }),
};

const min_requests: Kind<number> = {
  about: 'at least so many requests scheduled: less would prove little',
  value: z.int().positive(),
  form: 'a whole number over 0',
  judge: ({ load: { total } }, limit) => ({
    holds: total.scheduled >= limit,
    measured: countText(total.scheduled, 'request'),
    advice: () => 'Let the run last longer, or raise the rate.',
  }),
};

/** The longest time from a second in which requests got no right answer to another, with no right answer between. */
function outageOf({ load: { intervals } }: RunRecord): { at: number; length: number } {
  let worst = { at: 0, length: 0 };
  let start: number | undefined;
  for (const { at, scheduled, ok } of intervals) {
    if (ok > 0) start = undefined;
    else if (scheduled > 0) {
      start ??= at;
      if (at + 1 - start > worst.length) worst = { at: start, length: at + 1 - start };
    }
  }
  return worst;
}

const max_outage_s: Kind<number> = {
  about: 'at most so many seconds on end, from one with requests to another, without a right answer',
  value: z.number().min(0),
  form: 'seconds, 0 or more',
  judge: onLoad((record, limit) => {
    const { at, length } = outageOf(record);
    return {
      holds: length <= limit,
      measured: length === 0 ? 'a right answer in every second' : `${secondsText(length)}, from ${momentText(at)} on`,
      advice: () => errorAdvice(record),
    };
  }),
};

const max_behind_ms: Kind<number> = {
  about: 'the driver kept its schedule: how far behind it sent, 99th percentile',
  ...ms,
  judge: onSchedule((_record, limit, behindP99) => ({
    holds: behindP99 <= limit * 1_000,
    measured: latencyText(behindP99),
    advice: () =>
      'The driver had no time to send: what was measured is in part the driver. Take less load, more threads for the driver, or a machine that is not shared with the servers.',
  })),
};

const answered_by: Kind<string[]> = {
  about: 'these versions answered, each at least once, and no other',
  value: z.array(z.string().min(1)).min(1),
  form: 'a list of model/version',
  judge: onLoad(({ load: { total } }, wanted) => {
    const seen = Object.keys(total.versions);
    const missing = wanted.filter((version) => !seen.includes(version));
    const others = seen.filter((version) => !wanted.includes(version));
    return {
      holds: missing.length === 0 && others.length === 0,
      measured: seen.length === 0 ? 'no answer named its version' : seen.join(', '),
      advice: () =>
        [
          missing.length > 0
            ? `No answer came from ${missing.join(', ')}: look whether it was admitted (GET /v2/models/M/versions).`
            : '',
          others.length > 0 ? `Not awaited: ${others.join(', ')}.` : '',
        ]
          .filter(Boolean)
          .join(' '),
    };
  }),
};

export const LOAD_KINDS = {
  min_requests,
  max_error_rate,
  max_wrong,
  max_dropped_rate,
  max_outage_s,
  min_throughput,
  p50_ms: latency('p50', 'the median'),
  p90_ms: latency('p90', 'the 90th percentile'),
  p99_ms: latency('p99', 'the 99th percentile'),
  p999_ms: latency('p999', 'the 99.9th percentile'),
  max_ms: latency('max', 'the longest'),
  worst_second_p99_ms,
  max_behind_ms,
  answered_by,
};
