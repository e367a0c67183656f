import { Buffer } from 'node:buffer';
import { systemClock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import type { LoadRequest } from '../engine.ts';
import { HostProcess } from '../host-process.ts';
import { tensorOfSample } from '../samples.ts';

/**
 * A program that a test kills: it starts a host process, has it run a model that never ends if the argument says `busy`, and writes
 * the host's number. Arguments: the version as JSON in base64, `busy` or `idle`.
 */
const request = JSON.parse(Buffer.from(process.argv[2]!, 'base64').toString()) as LoadRequest;
const host = new HostProcess({ memoryLimitBytes: 2 ** 30, clock: systemClock, log: silentLog });
const options = { what: 'It', timeoutMs: 60_000 };
await host.call({ call: 'load', model: 1, request }, options);
if (process.argv[3] === 'busy') {
  const x = tensorOfSample({ datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] });
  void host.call({ call: 'run', model: 1, inputs: new Map([['x', x]]), outputs: ['y'] }, options);
  // The call goes out before the number is written, and the run has begun long before the kill.
  await new Promise((resolve) => setTimeout(resolve, 200));
}
process.stdout.write(`${host.pid}\n`);
