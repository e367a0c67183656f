import { cells, HEAD, type Planned, premises, reasons } from '../../../bench/plan/report.ts';
import { snippetOf } from '../../../bench/plan/snippet.ts';
import { curveFrom } from '../../bench-plan/curve-from.ts';
import { findPlan } from '../../bench-plan/find-plan.ts';
import { NUMBERS, OPTIONS } from '../../bench-plan/options.ts';
import { wantedOf } from '../../bench-plan/wanted.ts';
import { table } from '../../bucket.ts';
import { type Command, type Context, INTERRUPTED } from '../../command.ts';
import { readNumbers } from '../../number-option.ts';

export const command: Command = {
  summary: 'find the autoscaling that keeps an objective at the least cost',
  usage: '(--curve FILE | --measure URL --model NAME --body FILE) [--trace FILE | --load SPEC] --p99 MS',
  about: `Tries targets and bounds of an autoscaler on a load, each by a run of the HPA's own arithmetic over simulated pods that answer as one pod was
measured to, and prints the cheapest that keeps the objective: in pod-hours, pods that start or drain included. Thousands of pods take no longer than ten.

One pod is measured once, and its curve kept:
  kedge bench plan --measure http://127.0.0.1:8080 --metrics http://127.0.0.1:8081/metrics --model demand --body request.json --out curve.json
Without --metrics the number under way is reckoned from latencies; with it, it is what the autoscaler will see. A curve can also be what kedge bench load wrote
of one pod, or a CSV with the columns rate, inFlight and p99Ms.

The load is a CSV of seconds and requests a second, or a shape as kedge bench load takes it:
  kedge bench plan --curve curve.json --trace day.csv --p99 50
  kedge bench plan --curve curve.json --load sine:50..900/2h --p99 50 --share 0.999 --pod-start 40 --as hpa

Left out of the simulation: load that is shared unevenly, pods that fail, and CPU as a second metric, which can only add pods.`,
  options: OPTIONS,
  async run(context) {
    try {
      return await run(context);
    } catch (error) {
      if (!context.signal.aborted) throw error;
      context.err.write('kedge: interrupted.\n');
      return INTERRUPTED;
    }
  },
};

async function run(context: Context): Promise<number | undefined> {
  const { values, out } = context;
  const numbers = readNumbers(NUMBERS, values);
  // Before a pod is measured, which takes minutes.
  const wanted = wantedOf(values, numbers);
  const curve = await curveFrom(context, numbers);
  if (wanted === undefined) return undefined;
  const planned = await findPlan(context, numbers, { curve, ...wanted });
  const snippet = planned.chosen && snippetOf(wanted.kind, planned.chosen.plan, planned.fleet);
  if (values['json']) out.write(`${JSON.stringify(documentOf(planned, snippet), null, 2)}\n`);
  else out.write(textOf(planned, snippet));
  return planned.chosen ? 0 : 1;
}

function textOf(planned: Planned, snippet: string | undefined): string {
  const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('');
  const parts = [lines(premises(planned)), table(HEAD, cells(planned)), lines(reasons(planned))];
  return [...parts, ...(snippet === undefined ? [] : [snippet])].join('\n');
}

function documentOf({ fleet, objective, headroom, rows, chosen, asItIs, fixed }: Planned, snippet: string | undefined) {
  const { curve, rates: _, behavior: __, ...settings } = fleet;
  return { curve, objective, headroom, settings, rows, chosen, asItIs, fixed, snippet };
}
