import { parseUrl } from '../../../bench/load/command-options.ts';
import type { LoadHooks } from '../../../bench/load/drive-load.ts';
import { showLive } from '../../../bench/load/live.ts';
import { SHAPES } from '../../../bench/load/schedule-spec.ts';
import { summaryOf } from '../../../bench/load/summary.ts';
import { judge, readAssertions } from '../../../bench/report/assertions.ts';
import { isoTime, systemClock } from '../../../platform/clock.ts';
import { linesTo } from '../../bench-load/lines.ts';
import { NUMBERS, OPTIONS, textIn } from '../../bench-load/options.ts';
import { recordOf } from '../../bench-load/record.ts';
import { requestsOf } from '../../bench-load/requests.ts';
import { sendingOf } from '../../bench-load/send.ts';
import { type Command, INTERRUPTED } from '../../command.ts';
import { concludeBench, makeFiles } from '../../conclude-bench.ts';
import { readNumbers } from '../../number-option.ts';
import { readText } from '../../read-text.ts';

export const command: Command = {
  summary: 'send requests as a schedule says, and check the answers',
  usage: 'URL [--load SHAPE] [--model NAME[=WEIGHT]]… [--body FILE]…',
  about: `Sends requests when they are due, whether those before are answered or not (an open loop), and measures each from then. With
nothing but a URL it asks the server for its models, and makes bodies up. An answer is right if it is the same as the first of its version.

Shapes of a load, joined with +; each takes the options poisson and even:
  ${Object.values(SHAPES).join('\n  ')}
Rates are requests per second of the wall.

Exit code 1 if --assert does not hold; without it, if an answer was wrong or none was right; of autocannon, if any failed. And if --lines could not be written to its end.

Example: kedge bench load http://127.0.0.1:8080 --load 'ramp:10..200/30s,poisson' --report load.html`,
  positionals: { min: 1, max: 1 },
  options: OPTIONS,
  async run({ positionals, values, out, err, signal }) {
    const numbers = readNumbers(NUMBERS, values);
    const url = parseUrl(positionals[0]!);
    const { closed, seconds, compression, send } = sendingOf(values, numbers);
    const assertFile = textIn(values, 'assert');
    const assertions = assertFile === undefined ? [] : readAssertions(readText(assertFile), assertFile);
    const requests = await requestsOf(values, url, numbers);
    await makeFiles(values, ['lines']);

    const startedAt = isoTime(systemClock.now());
    const lines = linesTo(textIn(values, 'lines'), { out, err });
    const live = showLive(err, { url, seconds, compression }, systemClock.now);
    const hooks: LoadHooks = { signal, onLook: live.onLook, onInterval: lines.write };
    const load = await send(url, requests, hooks);
    live.end();
    const allLines = await lines.end();

    const took = Math.min(seconds, load.intervals.length);
    const words = values['lines'] === '-' ? err : out;
    words.write(summaryOf(load, { seconds: took, compression, closed }));
    const facts = { url, values, requests, closed };
    const record = { ...recordOf(load, facts), startedAt, seconds: took, compression, verdicts: [] };
    const code = await concludeBench({ ...record, verdicts: judge(record, assertions) }, { values, out: words });
    if (signal.aborted) return INTERRUPTED;
    if (!allLines) return 1;
    const { ok, wrong, failed } = load.total;
    if (assertions.length > 0) return code;
    return wrong > 0 || ok === 0 || (closed && failed > 0) ? 1 : 0;
  },
};
