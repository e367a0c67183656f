import { countText, latencyText, momentText, numberText, secondsText } from '../format.ts';
import { linearAxis } from '../page/axis.ts';
import { html, type Markup } from '../page/markup.ts';
import type { Plot } from '../page/plot.ts';
import type { RunRecord, ZeroRecord } from '../record.ts';
import { firstAnswersOf } from '../zero.ts';

/** Requests that waited in front of the pods. */
export function heldPlot({ held, most, wakings }: ZeroRecord, seconds: number): Plot | undefined {
  if (wakings.length === 0) return undefined;
  const top = Math.max(1, most);
  return {
    id: 'held',
    title: 'Held while no pod was ready',
    about: `Requests that waited for a pod, as looks saw them; ${numberText(most)} were held at once at the most.`,
    seconds,
    times: [0, ...held.map(([at]) => at)],
    series: [
      {
        name: 'held',
        look: 'orange',
        shape: 'step-area',
        values: [0, ...held.map(([, count]) => count)],
        text: numberText,
      },
    ],
    axis: linearAxis(top, Math.min(top, 4)),
    axisText: numberText,
  };
}

/** Each time that requests waited for a pod, and what for. */
export function wakingsSection(record: Pick<RunRecord, 'scaling' | 'compression'>): Markup | undefined {
  const { wakings = [], rejected = 0, expired = 0 } = record.scaling?.zero ?? {};
  if (wakings.length + rejected === 0) return undefined;
  const answers = new Map(firstAnswersOf(record).map((answer) => [answer.waking, answer]));
  const rows = wakings.map((waking) => {
    const answer = answers.get(waking);
    const cells = answer
      ? [
          secondsText(answer.asked),
          secondsText(answer.started),
          latencyText(answer.total * 1e6),
          latencyText(answer.wall * 1e6),
        ]
      : ['–', '–', 'none', '–'];
    return html`<tr><th scope="row">${momentText(waking.at)}</th><td>${numberText(waking.held)}</td>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`;
  });
  const lost =
    rejected + expired === 0
      ? 'None was given up.'
      : `${countText(rejected, 'request')} answered with 503 as too many were held, ${numberText(expired)} with 504 as no pod was ready in time.`;
  return html`<section id="wakings"><h2>First answers from zero</h2>
    <p class="soft">From the first request that found no pod ready until a pod had answered one of those that were held. What KEDA waits for counts at its full length; the start of a pod took what it took. ${lost}</p>
    <table><thead><tr>${['at', 'held', 'until KEDA asked for a pod', 'its start and the answer', 'first answer', 'on the wall of this run'].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
    <tbody>${rows}</tbody></table></section>`;
}
