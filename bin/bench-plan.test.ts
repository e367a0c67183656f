import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Row } from '../bench/plan/search.ts';
import { command } from './commands/bench/plan.ts';
import { runCommand } from './run.ts';

const home = mkdtempSync(join(tmpdir(), 'kedge-plan-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const at = (name: string): string => join(home, name);
writeFileSync(at('curve.csv'), 'rate,inFlight,p99Ms\n10,0.1,14\n60,1,30\n80,2,55\n95,6,140\n');
writeFileSync(at('day.csv'), 'seconds,rate\n0,60\n300,400\n900,90\n1800,60\n');

async function plan(words: string[]): Promise<{ code: number; out: string; err: string }> {
  const texts = { out: '', err: '' };
  const sink = (name: keyof typeof texts): Writable =>
    new Writable({
      write(chunk, _encoding, done) {
        texts[name] += chunk;
        done();
      },
    });
  const { signal } = new AbortController();
  const code = await runCommand('bench plan', command, words, { env: {}, out: sink('out'), err: sink('err'), signal });
  return { code, ...texts };
}
const CURVE = ['--curve', at('curve.csv')];
const TRACE = ['--trace', at('day.csv')];
writeFileSync(at('body.json'), '{"inputs":[]}');
const MEASURE = ['--model', 'm', '--body', at('body.json'), '--seconds', '0.2', '--measure'];

describe('kedge bench plan', () => {
  it('tells the plan, what it was held against, and its manifest', async () => {
    const { code, out } = await plan([...CURVE, ...TRACE, '--p99', '60']);
    expect(code).toBe(0);
    expect(out).toMatch(/^Load: 2,?700 s, 72 to 480 requests a second, raised by 20 %/);
    const [, target, min, max] = /^([\d.]+) \* +(\d+) to (\d+) /m.exec(out)!;
    const { spec } = parse(out.slice(out.indexOf('apiVersion:')));
    expect(spec).toMatchObject({ minReplicaCount: Number(min), maxReplicaCount: Number(max) });
    expect(spec.triggers[0].metadata.threshold).toBe(target);
    expect(out).toMatch(/A fleet that never scales needs \d+ pods/);
  });

  it('or the same as JSON, of the targets that were asked for', async () => {
    const { out } = await plan([...CURVE, ...TRACE, '--p99', '60', '--targets', '4,1', '--as', 'hpa', '--json']);
    const { rows, chosen, settings, snippet } = JSON.parse(out);
    expect(rows.map(({ target }: Row) => target)).toEqual([1, 4]);
    expect(rows.map(({ best }: Row) => best)).toContainEqual(chosen);
    expect(settings).toMatchObject({ podStartSeconds: 15, stepSeconds: 1 });
    expect(parse(snippet).spec.minReplicas).toBe(chosen.plan.minReplicas);
  });

  it('takes a trace whatever its file is called', async () => {
    writeFileSync(at('a,b.csv'), 'seconds,rate\n0,60\n900,90\n1800,60\n');
    expect(await plan([...CURVE, '--trace', at('a,b.csv'), '--p99', '60'])).toMatchObject({ code: 0 });
  });

  it('ends with 1 where none keeps the objective, and says why', async () => {
    const light = await plan([...CURVE, ...TRACE, '--p99', '5']);
    expect(light.code).toBe(1);
    expect(light.out).toMatch(/No load is light enough/);
    expect(light.out).not.toMatch(/apiVersion/);
    const few = await plan([...CURVE, ...TRACE, '--p99', '60', '--most', '3']);
    expect(few.code).toBe(1);
    expect(few.out).toMatch(/No fleet of any size that is allowed keeps it: raise --most/);
  });

  it.each([
    [[...TRACE, '--p99', '50'], /what a pod answers/],
    [[...CURVE, '--p99', '50'], /what the load is/],
    [[...CURVE, ...TRACE], /what must hold/],
    [[...CURVE, ...TRACE, '--load', 'constant:5/9s', '--p99', '50'], /not both/],
    [[...CURVE, ...TRACE, '--p99', '50', '--as', 'keda'], /--as must be scaledobject or hpa/],
    [[...CURVE, ...TRACE, '--p99', '50', '--targets', '2,x'], /--targets/],
    [[...CURVE, ...TRACE, '--p99', '50', '--share', '2'], /--share must be a number from 0.01 to 1/],
    [[...CURVE, ...TRACE, '--p99', '50', '--least', '9', '--most', '8'], /--least must not be over/],
    [['--curve', at('none.csv'), ...TRACE, '--p99', '50'], /none\.csv cannot be read/],
    [['--measure', 'http://127.0.0.1:9'], /--model NAME and --body FILE/],
    [[...MEASURE, '127.0.0.1:9'], /'127.0.0.1:9' is no address of a server; write it as http/],
    [[...MEASURE, 'http://127.0.0.1:9', ...TRACE], /--p99 MS, --in-flight N, or both/],
    [[...MEASURE, 'http://127.0.0.1:9', '--load', 'sine', '--p99', '50'], /sine/],
    [
      [...MEASURE, 'http://127.0.0.1:9', ...TRACE, '--p99', '50', '--hpa', at('none.yaml')],
      /none\.yaml cannot be read/,
    ],
    [
      [...CURVE, ...TRACE, '--p99', '50', '--out', at('no.json'), '--model', 'm', '--metrics', 'http://x'],
      /^--metrics, --model, --out are about a pod that is measured/,
    ],
    [
      [...MEASURE, 'http://127.0.0.1:9', '--p99', '50', '--as', 'hpa'],
      /^--p99, --as are about a plan, and without a load there is none/,
    ],
  ])('%j is not enough', async (words, message) => {
    await expect(plan(words)).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringMatching(message),
    });
  });
});

describe('kedge bench plan --measure', () => {
  it('says where a pod does not answer', async () => {
    await expect(plan([...MEASURE, 'http://127.0.0.1:9'])).rejects.toThrow(
      /not even 20 requests a second were answered rightly \(m: .*ECONNREFUSED/,
    );
  });
});
