import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** The reference: Hono and onnxruntime-node, one run for each request, as one would write it first. Arguments: file, input, output, columns. */
const [file, input, output, columns] = process.argv.slice(2) as [string, string, string, string];
const session = await InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 });
const app = new Hono();
app.post('/v2/models/:model/infer', async (c) => {
  const { inputs } = await c.req.json<{ inputs: [{ data: number[]; shape: number[] }] }>();
  const rows = Float32Array.from(inputs[0].data);
  const results = await session.run({
    [input]: new Tensor('float32', rows, [rows.length / Number(columns), Number(columns)]),
  });
  const { dims, data } = results[output]!;
  return c.json({
    model_name: c.req.param('model'),
    model_version: '1',
    outputs: [{ name: output, datatype: 'FP32', shape: dims, data: Array.from(data as Float32Array) }],
  });
});
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, (info: AddressInfo) =>
  process.stdout.write(`${info.port}\n`),
);
process.on('SIGTERM', () => server.close());
