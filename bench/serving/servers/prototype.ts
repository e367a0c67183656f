import type { AddressInfo } from 'node:net';
import { type HttpBindings, serve } from '@hono/node-server';
import { Hono } from 'hono';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/**
 * The bare prototype: Hono, and one run for all requests of a turn of the loop. It checks nothing, counts nothing and knows one model, so it is
 * what batching itself costs. Arguments: file, input, output, columns.
 */
const [file, input, output, columns] = process.argv.slice(2) as [string, string, string, string];
const session = await InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 });
const width = Number(columns);

interface Waiting {
  row: readonly number[];
  resolve(answer: number[]): void;
}
let waiting: Waiting[] = [];

async function runAll(): Promise<void> {
  const batch = waiting;
  waiting = [];
  const rows = new Float32Array(batch.length * width);
  for (const [index, { row }] of batch.entries()) rows.set(row, index * width);
  const { [output]: result } = await session.run({ [input]: new Tensor('float32', rows, [batch.length, width]) });
  const data = result!.data as Float32Array;
  const size = data.length / batch.length;
  for (const [index, { resolve }] of batch.entries()) {
    resolve(Array.from(data.subarray(index * size, (index + 1) * size)));
  }
}

function predict(row: readonly number[]): Promise<number[]> {
  return new Promise((resolve) => {
    if (waiting.length === 0) setImmediate(runAll);
    waiting.push({ row, resolve });
  });
}

const app = new Hono<{ Bindings: HttpBindings }>();
app.post('/v2/models/:model/infer', async (c) => {
  const { inputs } = await c.req.json<{ inputs: [{ data: number[] }] }>();
  const data = await predict(inputs[0].data);
  return c.json({
    model_name: c.req.param('model'),
    model_version: '1',
    outputs: [{ name: output, datatype: 'FP32', shape: [1, data.length], data }],
  });
});
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, (info: AddressInfo) =>
  process.stdout.write(`${info.port}\n`),
);
process.on('SIGTERM', () => server.close());
