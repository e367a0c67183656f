import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judge, readAssertions } from './assertions.ts';
import { renderReport } from './html.ts';
import type { RunRecord } from './record.ts';
import { hasChromium, startChromium, withChromium } from './testing/chromium.ts';
import { exampleRecord } from './testing/example.ts';
import { handmade, rates } from './testing/handmade.ts';
import { type Colour, parseColour, readPixels } from './testing/pixels.ts';

const example = exampleRecord({ seconds: 300, blind: [60, 90] });
const WHITE = parseColour('rgb(255, 255, 255)');
const must = readAssertions('max_error_rate: 0\nreaches: 6\nscale_up_within_s: 60\n', 'a.yaml');
const judged: RunRecord = { ...example, verdicts: judge(example, must) };
const FIGURES = ['load', 'replicas', 'in-flight', 'latency', 'metrics', 'reasons', 'versions', 'pods'];

describe.skipIf(!hasChromium)(withChromium('the report in a browser'), { timeout: 120_000 }, () => {
  let browser: Browser;
  let dir: string;
  let blank: Page;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'kedge-report-'));
    browser = await startChromium();
    blank = await browser.newPage();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** The page, and what went wrong on it: anything in the console, and requests for anything but itself. */
  async function open(
    record: RunRecord,
    { width = 1280, other }: { width?: number; other?: RunRecord } = {},
  ): Promise<{ page: Page; wrong: string[] }> {
    const file = join(dir, 'report.html');
    writeFileSync(file, renderReport(record, other));
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: 'light' });
    const wrong: string[] = [];
    const url = pathToFileURL(file).href;
    page.on('console', (message) => wrong.push(message.text()));
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('dialog', (dialog) => {
      wrong.push(dialog.message());
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (request.url() !== url && !request.url().startsWith('data:')) wrong.push(request.url());
    });
    await page.goto(url);
    return { page, wrong };
  }

  /** The colour of the paper. */
  async function cornerOf(page: Page): Promise<Colour> {
    const png = await page.screenshot({ clip: { x: 4, y: 4, width: 1, height: 1 } });
    return (await readPixels(blank, png, [])).first;
  }

  const areaOf = (page: Page, id: string): Locator => page.locator(`#${id} .area`);

  it('draws every plot, and asks for nothing else', async () => {
    const { page, wrong } = await open(judged);
    expect(await page.locator('figure.plot').evaluateAll((all) => all.map(({ id }) => id))).toEqual(FIGURES);
    for (const id of FIGURES) {
      const box = await areaOf(page, id).boundingBox();
      expect(box!.width, id).toBeGreaterThan(800);
      expect(box!.height, id).toBeGreaterThan(70);
      const points = await page
        .locator(`#${id} .area path`)
        .evaluateAll((paths) => paths.map((path) => (path.getAttribute('d') ?? '').match(/[MLHV]/g)?.length ?? 0));
      expect(
        points.reduce((sum, count) => sum + count, 0),
        id,
      ).toBeGreaterThan(20);
    }
    expect(await page.title()).toBe(`Failed: ${judged.title}`);
    expect(await page.locator('.verdicts tbody tr').count()).toBe(3);
    expect(wrong).toEqual([]);
    await page.close();
  });

  it('what it draws is to be seen: each plot has pixels of the colours that it is drawn in', async () => {
    const { page } = await open(judged);
    for (const id of FIGURES) {
      const drawn = page.locator(id === 'versions' ? `#${id} .area-fill` : `#${id} .area :is(.line, .span)`);
      const colours = await drawn.evaluateAll((all) =>
        all.map((one) => {
          const style = one.ownerDocument.defaultView!.getComputedStyle(one);
          return { colour: style.stroke === 'none' ? style.fill : style.stroke, opacity: Number(style.opacity) };
        }),
      );
      const wanted = colours.map(({ colour, opacity }) => parseColour(colour, opacity));
      const png = await areaOf(page, id).screenshot();
      const { shares } = await readPixels(blank, png, [WHITE, ...wanted]);
      const [white, ...coloured] = shares;
      expect(Math.max(...coloured), id).toBeGreaterThan(0.001);
      // Neither blank nor a single surface.
      expect(white, id).toBeLessThan(0.995);
      expect(Math.max(...coloured), id).toBeLessThan(0.9);
    }
    await page.close();
  });

  it('is dark where that is preferred, and by its button', async () => {
    const { page, wrong } = await open(judged);
    const light = await cornerOf(page);
    expect(Math.min(...light)).toBeGreaterThan(240);
    await page.locator('#theme').click();
    const dark = await cornerOf(page);
    expect(Math.max(...dark)).toBeLessThan(50);
    await page.locator('#theme').click();
    expect(await cornerOf(page)).toEqual(light);
    await page.reload();
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await cornerOf(page)).toEqual(dark);
    await page.emulateMedia({ media: 'print' });
    expect(await cornerOf(page)).toEqual(light);
    expect(wrong).toEqual([]);
    await page.close();
  });

  it('one pointer reads all plots at one time, and arrow keys move it', async () => {
    const { page, wrong } = await open(judged);
    const area = areaOf(page, 'replicas');
    await area.scrollIntoViewIfNeeded();
    const box = (await area.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2);
    const at = 0.4 * judged.seconds;
    const tick = judged.scaling!.ticks.findLast((one) => one.at <= at)!;
    const outputs = (id: string): Promise<string[]> => page.locator(`#${id} output`).allTextContents();
    expect((await outputs('replicas'))[2]).toBe(String(tick.desired));
    expect((await outputs('reasons'))[2]).toBe(tick.scalingLimited);
    const { ok } = judged.load.intervals.find((one) => one.at === at)!;
    expect((await outputs('load'))[0]).toBe(`${ok}/s`);
    expect(await page.locator('.cursor').evaluateAll((all) => all.filter((one) => one.checkVisibility()).length)).toBe(
      FIGURES.length,
    );
    await page.locator('#load .box').press('Shift+ArrowRight');
    expect((await outputs('load'))[0]).not.toBe(`${ok}/s`);
    await page.locator('#load .box').press('Escape');
    expect(await outputs('load')).toEqual(['', '', '']);
    expect(wrong).toEqual([]);
    await page.close();
  });

  it('gives its record away as it was', async () => {
    const { page } = await open(judged);
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#download').click()]);
    expect(download.suggestedFilename()).toBe('kedge-autoscale-20261128T210400Z.json');
    expect(JSON.parse(readFileSync(await download.path(), 'utf8'))).toEqual(judged);
    await page.close();
  });

  it.each([1280, 400])('fits into %d pixels, with another run beside it and without pods', async (width) => {
    const other = exampleRecord({ target: 2, seconds: 240 });
    for (const options of [{ width, other }, { width }]) {
      const { page, wrong } = await open(options.other ? judged : handmade(rates([90, 20])), options);
      const wide = await page.evaluate<number>(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect(wide).toBe(0);
      expect(wrong).toEqual([]);
      await page.close();
    }
  });

  it('a hostile name is text, wherever it comes from', async () => {
    const name = `</script><script>alert(1)</script><img src=x onerror="alert(2)">'"&\u2028<!--`;
    const base = exampleRecord({ seconds: 60, model: name });
    const record: RunRecord = {
      ...base,
      kind: name,
      title: name,
      startedAt: name,
      settings: { [name]: name },
      honesty: { real: [name], declared: [name] },
      machine: { ...base.machine, cpu: name, commit: name },
      load: { ...base.load, problems: [name] },
      scaling: {
        ...base.scaling!,
        policy: { ...base.scaling!.policy, name, metrics: [name] },
        ticks: base.scaling!.ticks.map((tick) => ({
          ...tick,
          ableToScale: name,
          metrics: [{ name, value: 1, target: 1 }],
        })),
        pods: base.scaling!.pods.map((pod) => ({ ...pod, name, states: [{ at: 0, state: 'ready', why: name }] })),
      },
      verdicts: [{ assertion: name, holds: false, measured: name, advice: name }],
    };
    const { page, wrong } = await open(record, { other: { ...record, title: `${name}!` } });
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.locator('script').count()).toBe(2);
    expect(await page.locator('h1').textContent()).toBe(name);
    expect(JSON.parse((await page.locator('#record').textContent())!)).toEqual(record);
    expect(wrong).toEqual([]);
    await page.close();
  });
});
