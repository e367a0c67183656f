import { fileURLToPath } from 'node:url';
import { driveLoad } from './load/drive-load.ts';
import type { LoadRequest } from './load/load-options.ts';
import { parseSchedule } from './load/schedule-spec.ts';
import { readOptions } from './options.ts';
import { linesOf, startNode, stop } from './processes.ts';
import { latencyText, numberText, shareText } from './report/format.ts';

/**
 * What the driver of `kedge bench load` can do here, against a server that does nothing but write a fixed answer: how late it is at each rate, and, at a rate that it cannot
 * keep, what it sends at most and which CPU a request takes of it. Latencies of a real server are to be believed where the driver is not late.
 */
const { seconds } = readOptions({ seconds: 3 });

/** The last is more than one thread can send. */
const RATES = [250, 1_000, 4_000, 16_000, 100_000];
const data = Array.from({ length: 12 }, (_, index) => index / 12);
const requests: LoadRequest[] = [
  { model: 'm', weight: 1, body: JSON.stringify({ inputs: [{ name: 'x', shape: [1, 12], datatype: 'FP32', data }] }) },
];

const server = startNode([fileURLToPath(new URL('serving/servers/fixed.ts', import.meta.url))]);
try {
  const { value: port } = await linesOf(server).next();
  process.stdout.write(
    'asked for, requests/s: answered/s, behind p99, latency p50 and p99, dropped, CPU for a request\n',
  );
  for (const rate of RATES) {
    const before = process.cpuUsage();
    const { total } = await driveLoad({
      url: `http://127.0.0.1:${port}`,
      requests,
      schedule: parseSchedule(`poisson:${rate}/${seconds}s`, String),
      maxOutstanding: 1_000,
    });
    const { user, system } = process.cpuUsage(before);
    const { scheduled, ok, dropped, behindP99, latency } = total;
    const figures = [
      `${numberText(ok / seconds)}/s`,
      latencyText(behindP99 ?? 0),
      `${latencyText(latency?.p50 ?? 0)} and ${latencyText(latency?.p99 ?? 0)}`,
      shareText(dropped / scheduled),
      `${numberText((user + system) / Math.max(1, ok))} us`,
    ];
    process.stdout.write(`${numberText(rate)}: ${figures.join(', ')}\n`);
  }
} finally {
  await stop(server);
}
