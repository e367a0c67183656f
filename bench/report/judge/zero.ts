import { latencyText, momentText, secondsText } from '../format.ts';
import { type FirstAnswer, firstAnswersOf, slowestOf } from '../zero.ts';
import { type Finding, ms, onScaling, unmeasured } from './kind.ts';

const first_answer_within_ms = onScaling<number>({
  about:
    'from each request that finds no pod ready until the first answer is out, with what KEDA waits for at its full length',
  ...ms,
  judge({ zero, ticks }, limit, record): Finding {
    const unanswered = zero?.wakings.find(({ answered }) => answered === undefined);
    if (unanswered) {
      const asked = ticks.some(({ keda, at }) => keda !== undefined && at >= unanswered.at);
      return {
        holds: false,
        measured: `none to what came at ${momentText(unanswered.at)}`,
        advice: () =>
          asked
            ? 'A pod was asked for and did not answer in time: let the run last longer, hold requests for longer (timeouts.readiness, --timeout), and see the life of the pods.'
            : 'Nothing asked for a pod: see what KEDA reads (activationThreshold), and how often (pollingInterval).',
      };
    }
    const worst = slowestOf(firstAnswersOf(record));
    if (!worst) {
      return unmeasured(
        'no request came while no pod was ready',
        'Take a policy that goes to zero, and a load that pauses for longer than its cooldown and comes again.',
      );
    }
    return { holds: worst.total * 1_000 <= limit, measured: answerText(worst), advice: () => adviceOn(worst) };
  },
});

function answerText({ waking, asked, started, total, wall }: FirstAnswer): string {
  const onWall =
    Math.abs(total - wall) > total / 100 ? `; on the wall of this run it was ${latencyText(wall * 1e6)}` : '';
  return `${latencyText(total * 1e6)} at ${momentText(waking.at)}: ${secondsText(asked)} until KEDA asked for a pod, ${secondsText(started)} for its start and the answer${onWall}`;
}

function adviceOn({ asked, started }: FirstAnswer): string {
  return asked > started
    ? "Most of it went by until KEDA asked for a pod. Shorten pollingInterval (30 s if not said), or have it told at once, by KEDA's HTTP add-on."
    : 'Most of it went by until a pod was ready and answered. See what a start takes (kedge bench coldstart), or keep one pod (minReplicaCount 1).';
}

export const ZERO_KINDS = { first_answer_within_ms };
