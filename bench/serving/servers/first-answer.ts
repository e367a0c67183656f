import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/**
 * The smallest server that answers a prediction: node:http and onnxruntime-node, one model, nothing checked. It listens at once and loads meanwhile.
 * Arguments: file, input, output, columns.
 */
const [file, input, output, columns] = process.argv.slice(2) as [string, string, string, string];
const loading = InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 });

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    const { inputs } = JSON.parse(Buffer.concat(chunks).toString()) as { inputs: [{ data: number[] }] };
    const rows = Float32Array.from(inputs[0].data);
    const session = await loading;
    const results = await session.run({
      [input]: new Tensor('float32', rows, [rows.length / Number(columns), Number(columns)]),
    });
    const { dims, data } = results[output]!;
    const body = JSON.stringify({
      model_name: 'model',
      model_version: '1',
      outputs: [{ name: output, datatype: 'FP32', shape: dims, data: Array.from(data as Float32Array) }],
    });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
