import type { AddressInfo } from 'node:net';
import { monotonicMs } from '../monotonic.ts';
import { Holding } from './holding.ts';
import type { FromProxy, ProxyOptions, ToProxy } from './messages.ts';
import { LeastConnectionsProxy } from './proxy.ts';

/** The proxy as a program of its own, so that it and whoever drives load do not wait for each other's turns. Argument 1 are its options as JSON. */
const { capacity, holding } = JSON.parse(process.argv[2]!) as ProxyOptions;
const proxy = new LeastConnectionsProxy(capacity, holding && new Holding(holding, monotonicMs));
const tell = (message: FromProxy): void => {
  process.send!(message);
};

process.on('message', (message: ToProxy) => {
  if (message.do === 'add') proxy.add(message.name, message.port);
  else if (message.do === 'remove') proxy.remove(message.name);
  else if (message.do === 'lose') proxy.lose(message.name);
  else tell({ is: 'stats', id: message.id, stats: proxy.stats() });
});
// Who started it is gone or wants its end. Ctrl-C reaches it too, and is for that one to act on.
process.on('disconnect', () => process.exit(0));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);

proxy.server.listen(0, '127.0.0.1', () => {
  tell({ is: 'listening', port: (proxy.server.address() as AddressInfo).port });
});
