import { parseUrl } from '../../bench/load/command-options.ts';
import { askPod } from '../../bench/plan/ask-pod.ts';
import { type Curve, curveOf } from '../../bench/plan/curve.ts';
import { lateText, measureCurve } from '../../bench/plan/measure.ts';
import { readCurve } from '../../bench/plan/read-curve.ts';
import { KedgeError } from '../../contract/errors.ts';
import { writeFileAtomic } from '../../platform/atomic.ts';
import type { Context } from '../command.ts';
import { readText } from '../read-text.ts';
import type { Numbers } from './options.ts';

/** What one pod answers: as a file says, or as it is measured, and then kept. @throws KedgeError `config-invalid` */
export async function curveFrom(context: Context, numbers: Numbers): Promise<Curve> {
  const { curve, measure, model, body, metrics, out: file } = context.values as Record<string, string | undefined>;
  if (curve !== undefined) return readCurve(readText(curve), curve);
  if (measure === undefined || model === undefined || body === undefined)
    throw new KedgeError('config-invalid', '--measure needs --model NAME and --body FILE.');
  const request = { model, weight: 1, body: readText(body) };
  const pod = { url: parseUrl(measure), request, metricsUrl: metrics, signal: context.signal };
  const points = await measureCurve(askPod({ ...pod, maxOutstanding: numbers.outstanding }), {
    startRate: numbers.start,
    seconds: numbers.seconds,
    onTrial: (done, of, rate) => {
      const what = of === 0 ? 'looking for the peak' : `point ${done + 1} of ${of}`;
      context.err.write(`${what}: ${Math.round(rate)} requests a second\n`);
    },
    onLate: (rate, behindP99) => {
      context.err.write(`${lateText(rate, behindP99)}\n`);
    },
  });
  const text = `${JSON.stringify({ measured: measure, model, points }, null, 2)}\n`;
  if (file !== undefined) await writeFileAtomic(file, text);
  // The plan as JSON has the curve in it, and is one document.
  else if (!context.values['json']) context.out.write(text);
  return curveOf(points);
}
