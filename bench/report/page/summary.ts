import { isDriverLate } from '../driver.ts';
import { latencyText, numberText, secondsText, shareText } from '../format.ts';
import type { RunRecord, Verdict } from '../record.ts';
import { desiredOf, lagsOf, lengthOf, ratesOf, readyOf } from '../timeline.ts';
import { firstAnswersOf, slowestOf } from '../zero.ts';
import { html, type Markup, trusted } from './markup.ts';

const TICK = trusted(
  '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><circle cx="12" cy="12" r="10"/><path d="M7.5 12.5l3 3 6-6.5"/></svg>',
);
const CROSS = trusted(
  '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><circle cx="12" cy="12" r="10"/><path d="M8.5 8.5l7 7m0-7l-7 7"/></svg>',
);

/** Whether the run holds to what was asserted, in a line that can be read from far. */
export function headline(verdicts: readonly Verdict[]): Markup {
  const failed = verdicts.filter(({ holds }) => !holds);
  if (verdicts.length === 0) {
    return html`<div class="headline"><div><strong>Nothing was asserted</strong>What was measured is below; <code>--assert FILE.yaml</code> judges it.</div></div>`;
  }
  if (failed.length === 0) {
    const all = verdicts.length === 1 ? 'The assertion holds' : `All ${verdicts.length} assertions hold`;
    return html`<div class="headline good">${TICK}<div><strong>Passed</strong>${all}.</div></div>`;
  }
  return html`<div class="headline bad">${CROSS}<div><strong>Failed: ${failed.length} of ${verdicts.length} ${verdicts.length === 1 ? 'assertion' : 'assertions'}</strong>${failed.map(({ assertion }) => assertion).join(' · ')}</div></div>`;
}

export function verdictTable(verdicts: readonly Verdict[]): Markup | undefined {
  if (verdicts.length === 0) return undefined;
  const rows = [...verdicts].sort((a, b) => Number(a.holds) - Number(b.holds));
  return html`<section id="verdicts"><h2>Verdicts</h2><table class="verdicts"><thead><tr><th scope="col">verdict</th><th scope="col">asserted</th><th scope="col">measured</th></tr></thead>
  <tbody>${rows.map(
    ({ assertion, holds, measured, advice }) =>
      html`<tr><td class="${holds ? 'is-good' : 'is-bad'}">${holds ? '✓ holds' : '✗ fails'}</td><td class="mono">${assertion}</td><td>${held(measured)}${advice !== undefined && html`<span class="advice"><b>What to change.</b> ${advice}</span>`}</td></tr>`,
  )}</tbody></table></section>`;
}

/** A number is not parted from its unit. */
const held = (text: string): string => text.replace(/(\d) (ms|s|%|min|h)(?![a-z])/g, '$1\u00a0$2');

/** The few numbers that a run is told by. */
export function keyFigures(record: RunRecord): Markup {
  const { load, scaling } = record;
  const { total } = load;
  const bad = total.scheduled - total.ok;
  const rates = ratesOf(record);
  const figures: [string, string, string][] = [
    [
      'Requests',
      numberText(total.scheduled),
      total.scheduled > 0 ? `${numberText(rates.scheduled)} a second, ${numberText(rates.ok)} answered rightly` : '',
    ],
    ['Not answered rightly', total.scheduled > 0 ? shareText(bad / total.scheduled) : '–', badText(record)],
  ];
  if (total.latency) {
    figures.push(
      ['Median latency', latencyText(total.latency.p50), `p90 ${latencyText(total.latency.p90)}`],
      [
        'p99 latency',
        latencyText(total.latency.p99),
        `p99.9 ${latencyText(total.latency.p999)}, max ${latencyText(total.latency.max)}`,
      ],
    );
  }
  if (scaling && scaling.ticks.length > 0) {
    figures.push([
      'Replicas',
      replicasText(record),
      `of ${scaling.policy.minReplicas} to ${scaling.policy.maxReplicas} allowed`,
    ]);
    const lags = lagsOf(record, 'up');
    const worst = Math.max(0, ...lags.map(lengthOf));
    if (lags.length > 0)
      figures.push(['Slowest scale-up', secondsText(worst), 'from the rise of the load until ready']);
    const first = slowestOf(firstAnswersOf(record));
    if (first)
      figures.push([
        'First answer from zero',
        latencyText(first.total * 1e6),
        `${secondsText(first.asked)} until KEDA asked for a pod, ${secondsText(first.started)} for its start`,
      ]);
  }
  return html`<dl class="figures">${figures.map(([name, value, more]) => html`<div><dt>${name}</dt><dd>${value}<small>${held(more)}</small></dd></div>`)}</dl>`;
}

/** Said where the figures are not to be trusted. */
export function driverNote({ load: { total } }: RunRecord): Markup | undefined {
  if (!isDriverLate(total)) return undefined;
  return html`<div class="headline warn"><div>The driver itself was ${latencyText(total.behindP99)} behind its schedule (p99): the latencies tell of it as much as of the servers. Take less load, more threads for the driver, or a machine that is not shared.</div></div>`;
}

function badText({ load: { total } }: RunRecord): string {
  const parts = (['failed', 'wrong', 'dropped'] as const).filter((key) => total[key] > 0);
  return parts.length === 0
    ? 'none failed, none wrong'
    : parts.map((key) => `${numberText(total[key])} ${key}`).join(', ');
}

/** First, most and last: `1 → 8 → 1`. */
function replicasText({ scaling }: RunRecord): string {
  const ready = readyOf(scaling!).map(([, value]) => value);
  const first = desiredOf(scaling!)[0]![1];
  const numbers = [first, Math.max(...ready), ready.at(-1)!];
  return numbers.map(numberText).join(' → ');
}
