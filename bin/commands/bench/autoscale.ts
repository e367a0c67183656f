import type { RunHooks } from '../../../bench/autoscale/local-run.ts';
import { tickLine } from '../../../bench/autoscale/view.ts';
import { SHAPES } from '../../../bench/load/schedule-spec.ts';
import { judge, readAssertions } from '../../../bench/report/assertions.ts';
import { runThere } from '../../autoscale/cluster.ts';
import { runHere } from '../../autoscale/local.ts';
import { defaultAssertions, OPTIONS, textIn } from '../../autoscale/options.ts';
import { type Command, type Context, INTERRUPTED } from '../../command.ts';
import { concludeBench, makeFiles } from '../../conclude-bench.ts';
import { readText } from '../../read-text.ts';

export const command: Command = {
  summary: 'prove that it scales: an autoscaler over real servers under load',
  usage: '[--hpa FILE] [--load SHAPE] [--capacity N] [--compress TIMES] [--report FILE] [--assert FILE]',
  about: `Starts servers of this machine as pods behind a proxy, drives load, scrapes the pods, and runs the arithmetic of the
HorizontalPodAutoscaler over what was scraped: pods come and go as it decides. With --cluster the same load goes to a cluster that is
there, and what its own controller does is watched. What was real and what was declared is in the report.

A ScaledObject that goes to zero by KEDA's HTTP add-on is run too: the proxy holds requests while there is no pod, as the interceptor does.

Without --assert it must hold that no request failed or was answered wrongly, and that replicas went above the minimum and came back to
it. Exit code 1 where an assertion does not hold.

Shapes of a load, joined with +:
  ${Object.values(SHAPES).join('\n  ')}

Examples:
  kedge bench autoscale --min 1 --max 5 --capacity 10 --compress 8 --report autoscale.html
  kedge bench autoscale --hpa manifests/components/scale-to-zero --capacity 10 --compress 8
  kedge bench autoscale --cluster --url http://kedge.example --load spike:50..400/20m,at=2m,for=5m --report cluster.html`,
  options: OPTIONS,
  async run(context) {
    const { values, signal } = context;
    const file = textIn(values, 'assert');
    const asserted = file === undefined ? undefined : readAssertions(readText(file), file);
    await makeFiles(values);
    const run = values['cluster'] === true ? runThere : runHere;
    let record: Awaited<ReturnType<typeof run>>;
    try {
      record = await run(context, hooksOf(context));
    } catch (error) {
      // Whatever fails once the user has broken off fails because of that.
      if (signal.aborted) return INTERRUPTED;
      throw error;
    }
    if (signal.aborted) return INTERRUPTED;
    const assertions = asserted ?? readAssertions(defaultAssertions(record), 'the default');
    const code = await concludeBench({ ...record, verdicts: judge(record, assertions) }, context);
    const report = textIn(values, 'report');
    if (report !== undefined) context.out.write(`report  ${report}\n`);
    return code;
  },
};

/** A line for each sync, and for what else happens. */
function hooksOf({ err, signal }: Context): RunHooks {
  let told = performance.now();
  return {
    signal,
    onTick(tick, looks) {
      const now = performance.now();
      err.write(`${tickLine(tick, looks, (now - told) / 1_000)}\n`);
      told = now;
    },
    tell: (line) => void err.write(`        ${line}\n`),
  };
}
