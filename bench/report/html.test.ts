import { describe, expect, it } from 'vitest';
import { renderReport } from './html.ts';
import { html, jsonBlock } from './page/markup.ts';
import type { RunRecord } from './record.ts';
import { exampleRecord } from './testing/example.ts';
import { handmade, handmadeScaling, rates } from './testing/handmade.ts';

const example = exampleRecord({ seconds: 60 });
/** The page without its data and script. */
const shown = (page: string): string => page.replace(/<script[\s\S]*/, '').replace(/<style[\s\S]*<\/style>/, '');

describe('a page of every kind of run, alone and beside another, has no number that is none', () => {
  it.each<[string, RunRecord]>([
    ['without a second', handmade([])],
    ['without a request', handmade(rates([5, 0]))],
    ['without an answer', handmade([{ failed: 10 }])],
    ['without a sync', handmade([{}], { scaling: handmadeScaling([]) })],
    ['of one sync and no replica', handmade([{}], { scaling: handmadeScaling([[0, 0, 0]], { min: 0 }) })],
    ['of one second', handmade([{}])],
    ['that scaled', example],
  ])('%s', (_, record) => {
    for (const page of [renderReport(record), renderReport(record, example), renderReport(example, record)]) {
      expect(shown(page)).not.toMatch(/NaN|Infinity|undefined|\[object/);
      expect(page).toMatch(/<\/html>\n$/);
    }
  });
});

describe('the headline', () => {
  const verdict = (holds: boolean) => ({
    assertion: `a: ${holds}`,
    holds,
    measured: 'm',
    ...(holds ? {} : { advice: 'do' }),
  });
  it.each([
    [[], 'Nothing was asserted'],
    [[true], '<strong>Passed</strong>The assertion holds.'],
    [[true, true], '<strong>Passed</strong>All 2 assertions hold.'],
    [[true, false], '<strong>Failed: 1 of 2 assertions</strong>a: false'],
  ])('%j: %s', (outcomes, words) => {
    const page = renderReport({ ...handmade([{}]), verdicts: outcomes.map(verdict) });
    expect(page).toContain(words);
    // What fails comes first, with what to change.
    if (outcomes.includes(false)) {
      expect(page.indexOf('✗ fails')).toBeLessThan(page.indexOf('✓ holds'));
      expect(page).toContain('<b>What to change.</b> do');
    }
  });
});

it('a late driver, problems and what was declared are said', () => {
  const page = renderReport({
    ...handmade([{}], { total: { behindP99: 15_000 } }),
    load: { ...handmade([{}], { total: { behindP99: 15_000 } }).load, problems: ['m: no answer in time'] },
    honesty: { real: [], declared: ['A pod takes ten.'] },
  });
  expect(page).toContain('The driver itself was 15 ms behind its schedule');
  expect(page).toContain('<li>m: no answer in time</li>');
  expect(page).toContain('<li>A pod takes ten.</li>');
});

it('markup escapes what is filled in, and nothing twice', () => {
  const inner = html`<b>${'<&"\'>'}</b>`;
  expect(html`<p title="${'"'}">${inner}${[inner, 1, undefined, false]}</p>`.text).toBe(
    '<p title="&quot;"><b>&lt;&amp;&quot;&#39;&gt;</b><b>&lt;&amp;&quot;&#39;&gt;</b>1</p>',
  );
  expect(jsonBlock({ a: '</script><!--' }).text).toBe('{"a":"\\u003c/script>\\u003c!--"}');
});
