import { createHash } from 'node:crypto';
import { condense } from './condense.ts';
import { numberText, secondsText } from './format.ts';
import { comparisonSection } from './page/comparison.ts';
import { html, jsonBlock, type Markup, trusted } from './page/markup.ts';
import { plotFigure } from './page/plot.ts';
import { SCRIPT } from './page/script.ts';
import { STYLE } from './page/style.ts';
import { driverNote, headline, keyFigures, verdictTable } from './page/summary.ts';
import { podsFigure, reasonsFigure } from './plots/lanes.ts';
import { latencyPlot, loadPlot, underWayPlot, versionsPlot } from './plots/load.ts';
import { inFlightPlot, metricsPlot, replicasPlot } from './plots/scaling.ts';
import { heldPlot, wakingsSection } from './plots/zero.ts';
import type { LoadRecord, Machine, RunRecord } from './record.ts';

/**
 * A run as one page of HTML that needs nothing else: its verdicts, its plots, and the record itself. Pure.
 *
 * @param other a run to draw behind it
 */
export function renderReport(record: RunRecord, other?: RunRecord): string {
  const seconds = Math.max(record.seconds, other?.seconds ?? 0, 1);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src '${hashOf(SCRIPT)}'">
<link rel="icon" href="data:,">
<title>${titleOf(record)}</title>
<style>${trusted(STYLE)}</style>
</head>
<body data-seconds="${seconds}" data-file="kedge-${record.kind}-${record.startedAt.replace(/[^0-9TZ]/g, '')}.json">
<header>
  <div class="bar"><p><code>kedge bench ${record.kind}</code> · ${dateText(record.startedAt)} · ${lengthText(record)}</p><button id="theme" type="button">Light / dark</button></div>
  <h1>${record.title}</h1>
  ${headline(record.verdicts)}
  ${keyFigures(record)}
  ${driverNote(record)}
</header>
<main>
${verdictTable(record.verdicts)}
${other && comparisonSection(record, other)}
${problemList(record.load.problems ?? [])}
${figures(record, other, seconds)}
${wakingsSection(record)}
${honesty(record)}
${circumstances(record)}
</main>
<footer><button id="download" type="button">Download the record (JSON)</button><button id="copy" type="button">Copy it</button><span>${record.schemaVersion === 1 ? 'Drawn from the record that this page holds.' : ''}</span></footer>
<script id="record" type="application/json">${jsonBlock(record)}</script>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`;
  return page.text;
}

function figures(record: RunRecord, other: RunRecord | undefined, seconds: number): Markup {
  const { scaling } = record;
  const input = { seconds, buckets: condense(record), ...(other ? { other: condense(other) } : {}) };
  const there = <T>(one: T | undefined): T[] => (one === undefined ? [] : [one]);
  const [latency, versions] = [latencyPlot(input), versionsPlot(input)];
  if (!scaling || scaling.ticks.length === 0) {
    return html`${[loadPlot(input), ...there(latency), underWayPlot(input), ...there(versions)].map(plotFigure)}`;
  }
  const scaled = { seconds, scaling, ...(other?.scaling ? { other: other.scaling } : {}) };
  const inFlight = inFlightPlot(scaled) ?? underWayPlot(input);
  const held = scaling.zero && heldPlot(scaling.zero, seconds);
  return html`${[loadPlot(input), replicasPlot(scaled), ...there(held), inFlight, ...there(latency)].map(plotFigure)}
    ${there(metricsPlot(scaled)).map(plotFigure)}${reasonsFigure(scaling, seconds)}
    ${there(versions).map(plotFigure)}${podsFigure(scaling, seconds)}`;
}

function problemList(problems: readonly string[]): Markup | undefined {
  if (problems.length === 0) return undefined;
  return html`<section id="problems"><h2>What went wrong</h2><ul class="plain">${problems.map((problem) => html`<li>${problem}</li>`)}</ul></section>`;
}

function honesty({ honesty: { real, declared } }: RunRecord): Markup | undefined {
  if (real.length + declared.length === 0) return undefined;
  const list = (title: string, sentences: readonly string[]): Markup =>
    html`<section><h2>${title}</h2>${sentences.length === 0 ? html`<p class="soft">Nothing.</p>` : html`<ul class="plain">${sentences.map((sentence) => html`<li>${sentence}</li>`)}</ul>`}</section>`;
  return html`<div class="pair" id="honesty">${list('What was real', real)}${list('What was only declared', declared)}</div>`;
}

function circumstances({ machine, settings, scaling, load }: RunRecord): Markup {
  const facts = (entries: readonly (readonly [string, string])[]): Markup =>
    html`<dl class="facts">${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
  const policy: (readonly [string, string])[] = scaling
    ? [
        ['policy', `${scaling.policy.name}, ${scaling.policy.minReplicas} to ${scaling.policy.maxReplicas} replicas`],
        ...scaling.policy.metrics.map((metric) => ['metric', metric] as const),
      ]
    : [];
  return html`<div class="pair" id="circumstances">
    <section><h2>Settings</h2>${facts([...Object.entries(settings).map(([name, value]) => [name, String(value)] as const), ...policy])}</section>
    <section><h2>Machine</h2>${facts([...machineFacts(machine), ...driverFacts(load)])}</section>
  </div>`;
}

function driverFacts({ total: { behindP99 } }: LoadRecord): [string, string][] {
  return behindP99 === undefined ? [] : [['driver late by', `${numberText(behindP99 / 1000)} ms (p99)`]];
}

function machineFacts({ cpu, cores, memoryBytes, os, node, kedge, commit }: Machine): [string, string][] {
  return [
    ['processor', `${cpu}, ${cores} ${cores === 1 ? 'core' : 'cores'}`],
    ['memory', `${numberText(memoryBytes / 2 ** 30)} GiB`],
    ['system', os],
    ['Node', node],
    ['Kedge', kedge],
    ['commit', commit ?? 'not known'],
  ];
}

function titleOf({ title, verdicts }: RunRecord): string {
  const failed = verdicts.filter(({ holds }) => !holds).length;
  const outcome = verdicts.length === 0 ? '' : failed === 0 ? 'Passed: ' : 'Failed: ';
  return `${outcome}${title}`;
}

/** `28 November 2026, 21:04 UTC`; what is no time as it stands. */
function dateText(startedAt: string): string {
  const date = new Date(startedAt);
  if (Number.isNaN(date.getTime())) return startedAt;
  return `${date.toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }).replace(' at ', ', ')} UTC`;
}

function lengthText({ seconds, compression }: RunRecord): string {
  if (compression === 1) return secondsText(seconds);
  return `${secondsText(seconds)} of its own clock, ${numberText(compression)} for each second on the wall`;
}

/** For the policy of the page: no script runs but this one, whatever a record holds. */
function hashOf(script: string): string {
  return `sha256-${createHash('sha256').update(script).digest('base64')}`;
}
