import { type Axis, timeText, timeTicks } from './axis.ts';
import { html, type Markup } from './markup.ts';
import { areaPath, HEIGHT, linePath, type Point, stepAreaPath, stepPath, WIDTH } from './shapes.ts';

/** A colour and a way of drawing, as classes of the style sheet: `blue`, `orange dashed`, `grey dotted thin`. */
export type Look = string;

export interface Series {
  name: string;
  look: Look;
  /** Areas reach to the ground, or to `base`; those without a line of their own are fills. */
  shape: 'line' | 'area' | 'fill' | 'step' | 'step-area';
  /** One for each time of the plot; undefined where there is none. */
  values: readonly (number | undefined)[];
  /** What an area stands on. */
  base?: readonly number[];
  /** What is told of it, where that is not where it is drawn. */
  told?: readonly (number | undefined)[];
  /** How a value reads under the pointer and in the table. */
  text: (value: number) => string;
}

/** A level line with a name at its right end. */
interface Rule {
  value: number;
  name: string;
  look: Look;
}

export interface Plot {
  id: string;
  title: string;
  about: string;
  /** Seconds that the time axis is long: the same for all plots of a page. */
  seconds: number;
  /** In order; values of the series belong to them. */
  times: readonly number[];
  /** Seconds that each value lasts, where it is of a while: it is drawn in the middle, or level over all of it. */
  lasting?: { seconds: readonly number[]; level: boolean };
  series: readonly Series[];
  axis: Axis;
  /** How a value of the axis reads. */
  axisText: (value: number) => string;
  rules?: readonly Rule[];
  /** Lines without a name behind the series, over the same times. */
  behind?: readonly (readonly (number | undefined)[])[];
  /** Further paths, in front: a class and the path. */
  marks?: readonly { look: Look; path: string }[];
  /** Further items of the legend, for marks. */
  keys?: readonly { name: string; look: Look }[];
}

/** Where a time lies in the box. */
export const xOf = (at: number, seconds: number): number => (at / seconds) * WIDTH;

/** A plot over time with its legend, which tells the values under the pointer, and its numbers as a table. */
export function plotFigure(plot: Plot): Markup {
  const { id, title, about, seconds, times, series, axis, rules = [], keys = [] } = plot;
  return figure({
    id,
    title,
    about,
    seconds,
    legend: [
      ...series.map(({ name, look, shape }, column) => legendItem(name, look, /area|fill/.test(shape), column)),
      ...keys.map(({ name, look }) => legendItem(name, look, false)),
    ],
    className: '',
    box: html`${gutter(axis.ticks.map((tick) => ({ at: axis.place(tick), text: plot.axisText(tick) })))}
      <div class="area">${axis.ticks.map((tick) => html`<i class="grid" style="bottom:${percent(axis.place(tick))}"></i>`)}
      ${drawing(title, about, drawingOf(plot))}
      ${rules.map(({ value, name }) => html`<span class="rule-name" style="bottom:${percent(axis.place(value))}">${name}</span>`)}</div>`,
    table: numbersTable(times, series, seconds),
  });
}

/** What every figure has: heading, legend, box with the shared time axis, table. */
export function figure(parts: {
  id: string;
  title: string;
  about: string;
  seconds: number;
  legend: readonly Markup[];
  className: string;
  box: Markup;
  table: Markup;
}): Markup {
  const { id, title, about, seconds, legend, className, box, table } = parts;
  const ticks = timeTicks(seconds);
  return html`<figure id="${id}" class="plot ${className}">
    <figcaption><h2>${title}</h2><p>${about}</p></figcaption>
    <ul class="legend">${legend}</ul>
    <div class="box" tabindex="0" role="group" aria-label="${title}: arrow keys move the time that is read">${box}</div>
    <div class="times" aria-hidden="true">${ticks.map((tick) => html`<span class="${tick > seconds * 0.95 ? 'end' : 'tick'}" style="left:${percent(tick / seconds)}">${timeText(tick, seconds)}</span>`)}</div>
    <details><summary>Numbers</summary><div class="scroll">${table}</div></details>
  </figure>`;
}

export function drawing(title: string, about: string, content: Markup): Markup {
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" focusable="false"><title>${title}</title><desc>${about}</desc>${content}</svg>`;
}

export function legendItem(name: string, look: Look, area: boolean, column?: number): Markup {
  const sample = html`${area && html`<rect class="area-fill ${look}" x="1" y="1" width="26" height="10"></rect>`}${(!area || !/stacked|strong|span/.test(look)) && html`<path class="line ${look}" d="M1 ${area ? 1 : 6}H27"></path>`}`;
  return html`<li><svg class="sample" viewBox="0 0 28 12" aria-hidden="true">${sample}</svg>${name}${column !== undefined && html` <output data-column="${column}"></output>`}</li>`;
}

/** Names at the left of the box, each at a share of its height. */
export function gutter(names: readonly { at: number; text: string }[], className = 'values'): Markup {
  return html`<div class="gutter ${className}" aria-hidden="true">${names.map(({ at, text }) => html`<span style="bottom:${percent(at)}">${text}</span>`)}</div>`;
}

export const percent = (share: number): string => `${Math.round(share * 10_000) / 100}%`;

function drawingOf({ seconds, times, lasting, series, axis, rules = [], behind = [], marks = [] }: Plot): Markup {
  const yOf = (value: number): number => HEIGHT * (1 - axis.place(value));
  const xs = times.map((at, index) => xOf(at + (lasting?.seconds[index] ?? 0) / 2, seconds));
  const pointsOf = (values: readonly (number | undefined)[]): Point[] =>
    values.flatMap((value, index): Point[] => {
      if (value === undefined) return [undefined];
      const half = lasting?.level ? xOf(lasting.seconds[index]! / 2, seconds) : 0;
      return half === 0 ? [[xs[index]!, yOf(value)]] : [-half, half].map((by) => [xs[index]! + by, yOf(value)]);
    });
  const draw = ({ look, shape, values, base }: Series): Markup | undefined => {
    const steps = values.map((value) => (value === undefined ? undefined : yOf(value)));
    const points = pointsOf(values);
    switch (shape) {
      case 'line':
        return html`<path class="line ${look}" d="${linePath(points)}"></path>`;
      case 'step':
        return html`<path class="line ${look}" d="${stepPath(xs, steps, WIDTH)}"></path>`;
      case 'step-area':
        return html`<path class="area-fill ${look}" d="${stepAreaPath(xs, steps, WIDTH)}"></path><path class="line ${look}" d="${stepPath(xs, steps, WIDTH)}"></path>`;
      case 'fill':
        return html`<path class="area-fill ${look}" d="${areaPath(points, base && pointsOf(base))}"></path>`;
      case 'area':
        return html`<path class="area-fill ${look}" d="${areaPath(points, base && pointsOf(base))}"></path><path class="line ${look}" d="${linePath(points)}"></path>`;
    }
  };
  return html`${behind.map((values) => html`<path class="line behind" d="${linePath(pointsOf(values))}"></path>`)}
    ${series.map(draw)}
    ${rules.map(({ value, look }) => html`<path class="line ${look}" d="M0 ${yOf(value)}H${WIDTH}"></path>`)}
    ${marks.map(({ look, path }) => html`<path class="line ${look}" d="${path}"></path>`)}`;
}

function numbersTable(times: readonly number[], series: readonly Series[], seconds: number): Markup {
  const rows = times.map((at, index) => ({
    at,
    cells: series.map(({ values, told = values, text }) => {
      const value = told[index];
      return value === undefined ? '–' : text(value);
    }),
  }));
  return readTable(
    series.map(({ name }) => name),
    rows,
    seconds,
  );
}

/** The table that the pointer reads: a row for each time, a column for each item of the legend. */
export function readTable(
  names: readonly string[],
  rows: readonly { at: number; cells: readonly string[] }[],
  seconds: number,
): Markup {
  return html`<table class="read"><thead><tr><th scope="col">time</th>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
    <tbody>${rows.map(({ at, cells }) => html`<tr data-at="${at}"><th scope="row">${timeText(at, seconds)}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table>`;
}
