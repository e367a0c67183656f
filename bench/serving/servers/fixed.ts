import { type AddressInfo, createServer } from 'node:net';

/** Writes one fixed answer for whatever comes, without reading it: next to no work, so that a driver shows what it can do itself. Tells its port. */
const body = JSON.stringify({
  model_name: 'm',
  model_version: '1',
  outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 1], data: [9] }],
});
const head = [
  'HTTP/1.1 200 OK',
  'content-type: application/json',
  'kedge-model-version: 1',
  `content-length: ${Buffer.byteLength(body)}`,
];
const answer = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  // A request of the driver fits one packet of the loopback.
  socket.on('data', () => socket.write(answer));
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
