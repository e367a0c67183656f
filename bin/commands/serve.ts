import { readServerConfig, serverSettings } from '../../server/config.ts';
import { startServer } from '../../server/main.ts';
import type { Command } from '../command.ts';
import { warnOfUnknownSettings } from '../unknown-settings.ts';

/** From the end of all requests to the end of the process, in milliseconds. */
const LINGER_MS = 500;

export const command: Command = {
  summary: 'answer predictions from the volume',
  usage: '[--volume DIR] [--port PORT] [--admin-port PORT] [--estimators DIR]',
  about: `Serves every model of the volume that a loader keeps, over HTTP, and takes up new versions while it runs. It only reads
the volume, so any number of servers can share one.

SIGTERM: not ready at once, then no new connections, then what is under way is answered, then it ends with exit code 0.

Example: kedge serve --volume /models`,
  options: {
    volume: { type: 'string', value: 'DIR', env: 'KEDGE_VOLUME', about: 'folder that the loader fills' },
    port: { type: 'string', value: 'PORT', env: 'KEDGE_PORT', about: 'port for predictions' },
    'admin-port': { type: 'string', value: 'PORT', env: 'KEDGE_ADMIN_PORT', about: 'port for metrics' },
    estimators: { type: 'string', value: 'DIR', env: 'KEDGE_ESTIMATORS', about: 'folder of estimators' },
  },
  settings: serverSettings,
  async run({ env, signal }) {
    warnOfUnknownSettings('serve', env);
    const server = await startServer(readServerConfig(env));
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await server.stop();
    // What still runs, such as the load of a candidate, has no say in the end.
    setTimeout(() => process.exit(), LINGER_MS).unref();
    return 0;
  },
};
