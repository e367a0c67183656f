import { expect, it } from 'vitest';
import { AnswerJudge } from './answers.ts';
import type { HttpAnswer } from './http-connection.ts';
import { Judgements } from './judgements.ts';

const outputs = (y: number): string =>
  JSON.stringify({ outputs: [{ name: 'y', datatype: 'FP32', shape: [1], data: [y] }] });
const answer = (status: number, body: string, version = '5'): HttpAnswer => ({
  status,
  head: `HTTP/1.1 ${status}\r\nkedge-model-version: ${version}`,
  body: Buffer.from(body),
});

it('tells of versions and problems once, and of each outcome', () => {
  const judgements = new Judgements();
  const target = { model: 'm', judge: new AnswerJudge('same') };
  expect(judgements.of(target, answer(200, outputs(1)), '')).toEqual({ outcome: 'ok', version: 0 });
  expect(judgements.of(target, answer(200, outputs(2)), '')).toEqual({ outcome: 'wrong', version: 0 });
  expect(judgements.of(target, answer(200, outputs(2), '6'), '')).toEqual({ outcome: 'ok', version: 1 });
  expect(judgements.of(target, answer(503, `busy\n${'x'.repeat(300)}`), '')).toEqual({
    outcome: 'failed',
    version: -1,
  });
  expect(judgements.of(target, undefined, 'no answer in time')).toEqual({ outcome: 'failed', version: -1 });
  expect(judgements.of(target, undefined, 'no answer in time')).toEqual({ outcome: 'failed', version: -1 });
  const { versions, problems } = judgements.take();
  expect(versions).toEqual(['m/5', 'm/6']);
  expect(problems).toEqual([
    expect.stringMatching(/^m: Output 'y' is 2/),
    expect.stringMatching(/^m: status 503: busy x+…$/),
    'm: no answer in time',
  ]);
  judgements.of(target, undefined, 'no answer in time');
  expect(judgements.take()).toEqual({ versions: [], problems: [] });
});

it('keeps the first few problems', () => {
  const judgements = new Judgements();
  const target = { model: 'm', judge: new AnswerJudge('same') };
  for (let code = 0; code < 100; code += 1) judgements.of(target, undefined, `why ${code}`);
  expect(judgements.take().problems).toHaveLength(20);
});
