import { compare } from '../compare.ts';
import type { RunRecord } from '../record.ts';
import { html, type Markup } from './markup.ts';

const MARKS = { better: '▲ better', worse: '▼ worse' } as const;

/** The figures of two runs beside each other, and why they may tell of something else than the code. */
export function comparisonSection(record: RunRecord, other: RunRecord): Markup {
  const { rows, unfair, code } = compare(record, other);
  const list = (sentences: readonly string[]): Markup =>
    html`<ul class="plain">${sentences.map((sentence) => html`<li>${sentence}</li>`)}</ul>`;
  return html`<section id="comparison"><h2>Beside another run</h2>
    <p class="soft">${other.title}, ${other.startedAt}. In the plots it is grey and dashed.</p>
    ${unfair.length > 0 && html`<div class="headline warn"><div><strong>Not a fair comparison</strong>Other things than the code differ, so the figures tell of them too.${list(unfair)}</div></div>`}
    ${code.length > 0 && list(code)}
    <div class="wide"><table class="comparison"><thead><tr><th scope="col">figure</th><th scope="col" class="number">this run</th><th scope="col" class="number">other run</th><th scope="col" class="number">difference</th><th scope="col"></th></tr></thead>
    <tbody>${rows.map(
      ({ name, one, other: before, difference, change }) =>
        html`<tr><th scope="row">${name}</th><td class="number">${one}</td><td class="number">${before}</td><td class="number">${difference}</td><td class="${change === 'worse' ? 'is-bad' : 'is-good'}">${change && MARKS[change]}</td></tr>`,
    )}</tbody></table></div>
    <p class="soft">Differences within 5 % are taken for noise. A single run of each proves little: repeat both.</p></section>`;
}
