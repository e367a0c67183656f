import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The floor: node:http that reads the body, parses the JSON, checks that the input has its elements, and answers of the same size without any inference.
 * Arguments: elements of the answer.
 */
const answers = Number(process.argv[2]);
const data = Array.from({ length: answers }, (_, index) => 5.262_401_103_973_389 + index);

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { inputs } = JSON.parse(Buffer.concat(chunks).toString()) as { inputs: [{ data: number[] }] };
    const row = Float32Array.from(inputs[0].data);
    const body = JSON.stringify({
      model_name: 'floor',
      model_version: '1',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [1, answers], data: row.length > 0 ? data : [] }],
    });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
