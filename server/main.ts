import { availableParallelism, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { KEDGE_VERSION } from '../contract/version.ts';
import type { Engine } from '../engine/engine.ts';
import { createHostEngine } from '../engine/host-engine.ts';
import { createInlineEngine } from '../engine/inline.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { type App, type Listener, type ListenOptions, listen } from '../platform/listen.ts';
import { createBufferedLog, createLog, type Log } from '../platform/log.ts';
import { AccessLog } from './access-log.ts';
import type { ApiContext } from './api/context.ts';
import { directInference } from './api/direct.ts';
import { inference } from './api/infer.ts';
import type { RepositoryControl } from './api/repository.ts';
import type { createApps } from './apps.ts';
import { type CatalogSource, watchCatalog } from './catalog-source.ts';
import type { ServerConfig } from './config.ts';
import { loadEstimators, serverCode } from './estimators.ts';
import { openAccess, openTls, type Tls } from './gate/configured.ts';
import { Gate } from './gate/gate.ts';
import { RefusalPace } from './gate/refusal-pace.ts';
import { VersionManager } from './lifecycle/manager.ts';
import { memoryBudget } from './lifecycle/room.ts';
import { createMetrics } from './metrics.ts';
import { readinessOf } from './readiness.ts';
import { echoIds } from './request-id.ts';
import { RequestStats } from './request-stats.ts';

/** What the server is built from besides its settings; a test passes its own. */
export interface ServerParts {
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  /** Lines of requests go here as well, where a test passes its own. */
  log: Log;
  engines: Readonly<Record<'inline' | 'host', Engine>>;
}

export interface RunningServer {
  readonly port: number;
  readonly adminPort: number;
  readonly manager: VersionManager;
  readonly catalog: CatalogSource;
  /**
   * Not ready at once; after the drain time no new connections; when what is under way is answered (or the grace is over), the
   * models are released. Later calls wait for the first.
   */
  stop(): Promise<void>;
}

/** How long the last releases and the admin port may take once all requests are answered. */
const CLOSE_MS = 2_000;

/** From the start until what answers all but plain inferences is loaded, where no request asks for it before: in most cases a probe does. */
const APPS_AFTER_MS = 1_000;

/**
 * Starts the server: it listens at once and is ready when the models of the first catalog answer. It only ever reads the volume.
 * @throws KedgeError `estimator-invalid`, `config-invalid` for a port that cannot be had
 */
export async function startServer(config: ServerConfig, overrides: Partial<ServerParts> = {}): Promise<RunningServer> {
  const { clock, random, log, engines } = createParts(config, overrides);
  const estimators = await loadEstimators(config.estimators);
  const manager = new VersionManager({
    volume: resolve(config.volume),
    engines,
    engineMode: config.engine,
    code: serverCode(KEDGE_VERSION, estimators),
    keepReady: config.keepReady,
    loadRetries: config.loadRetries,
    parallelLoads: config.parallelLoads,
    lazyWaitMs: config.lazyWaitMs,
    firstLoadsMs: config.loadTimeoutMs,
    memoryBudgetBytes: memoryBudget({
      setting: config.memoryBudgetBytes,
      limit: memoryLimit(),
      base: process.memoryUsage.rss(),
    }),
    residentBytes: () => process.memoryUsage.rss(),
    clock,
    random,
    log,
  });
  const closing = new AbortController();
  const files = { clock, log, signal: closing.signal };
  const access = await openAccess(config, files);
  const tls = await openTls(config, files);
  const stats = new RequestStats();
  const onDrop = (): void => {
    stats.droppedLines += 1;
  };
  const lines = config.accessLogSample > 0 && !overrides.log ? createBufferedLog('serve', onDrop) : log;
  let catalog: CatalogSource | undefined;
  let draining = false;
  const context: ApiContext = {
    table: manager,
    estimators,
    stats,
    gate: new Gate({ ...config, deadlineMs: (model) => config.deadlinesMs.get(model) ?? config.deadlinesMs.get('') }),
    pace: new RefusalPace({
      now: () => stats.now() * 1_000,
      idleMs: () => performance.eventLoopUtilization().idle,
      sleep: clock.sleep,
    }),
    access,
    accessLog: new AccessLog({ log, lines, sample: config.accessLogSample, random, now: () => stats.now() }),
    maxBodyBytes: config.maxBodyBytes,
    maxJsonBytes: config.maxJsonBytes,
    keepReady: config.keepReady,
    batch: { maxRows: config.batchRows, waitMs: config.batchWaitMs },
    notReady: () =>
      readinessOf({
        draining,
        required: config.requiredModels,
        table: manager,
        firstLoads: manager.firstLoads,
        problem: catalog?.problem,
      }),
    log,
  };
  const metrics = createMetrics({
    stats,
    gate: context.gate,
    access,
    models: () => manager.models(),
    memoryOf: manager.memoryOf,
    memory: () => manager.memory,
    machine: machineMemory,
    isReady: () => context.notReady() === undefined,
    catalogReadable: () => catalog !== undefined && catalog.problem === undefined,
  });
  const scrape = (): Response => new Response(metrics.scrape(), { headers: { 'content-type': metrics.contentType } });
  const control: RepositoryControl = {
    load: async (model) => {
      await catalog?.look();
      await manager.reload(model);
    },
    unload: (model) => manager.unload(model),
  };
  const infer = inference(context);
  const direct = directInference(context, infer);
  const apps = lazyApps(async () => (await import('./apps.ts')).createApps(context, { infer, control, scrape }));
  /** What clients do not read of their answers, which takes memory as what they send does. */
  const unread = { held: 0 };
  const [prediction, admin] = await listenBoth(
    config,
    tls,
    [
      { fetch: apps.fetch('prediction'), direct },
      { fetch: apps.fetch('admin'), direct },
    ],
    {
      onRefused: (code) => stats.refuse(code),
      onUnsent: (bytes) => context.gate.bytes.add(unread, bytes),
    },
  );
  log.info({ port: prediction.port, adminPort: admin.port, estimators: [...estimators.keys()] }, 'listening');
  const source = watchCatalog({
    volume: config.volume,
    pollMs: config.catalogPollMs,
    clock,
    log,
    onCatalog: (news) => manager.update(news),
  });
  catalog = source;
  void clock.sleep(APPS_AFTER_MS, closing.signal).then(async () => {
    if (!draining) await Promise.all([apps.load(), prediction.prepare(), admin.prepare()]);
  });

  const stop = async (): Promise<void> => {
    draining = true;
    closing.abort();
    log.info('draining');
    for (const listener of [prediction, admin]) listener.leave();
    // Whoever sent a request since then was told to leave; what is still idle halfway would be hit by the end.
    void clock.sleep(config.drainMs / 2).then(() => prediction.server.closeIdleConnections());
    await clock.sleep(config.drainMs);
    await prediction.close(config.graceMs);
    await source.close();
    // A run that outlasts the grace keeps its model from being released: its process ends with this one.
    const released = Promise.all([manager.close(), engines.inline.close(), engines.host.close()]);
    await Promise.race([released, clock.sleep(CLOSE_MS)]);
    await admin.close(CLOSE_MS);
    await context.accessLog.flush();
    log.info('stopped');
  };
  let stopped: Promise<void> | undefined;
  return {
    port: prediction.port,
    adminPort: admin.port,
    manager,
    catalog: source,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

function createParts(config: ServerConfig, overrides: Partial<ServerParts>): ServerParts {
  const clock = overrides.clock ?? systemClock;
  const random = overrides.random ?? Math.random;
  const log = overrides.log ?? createLog('serve', config.logLevel);
  const batch = { maxRows: config.batchRows, maxBytes: config.batchBytes, waitMs: config.batchWaitMs };
  const engines = overrides.engines ?? {
    inline: createInlineEngine({ clock, batch }),
    host: createHostEngine({
      batch,
      memoryLimitBytes: config.hostMemoryBytes,
      loadTimeoutMs: config.loadTimeoutMs,
      runTimeoutMs: config.runTimeoutMs,
      // Within the limit of the cgroup too.
      sharedHosts: availableParallelism(),
      clock,
      random,
      log,
    }),
  };
  return { clock, random, log, engines };
}

type Apps = ReturnType<typeof createApps>;

/** The apps, loaded when first asked. */
function lazyApps(make: () => Promise<Apps>): { load(): Promise<Apps>; fetch(port: keyof Apps): App['fetch'] } {
  let apps: Apps | undefined;
  let loading: Promise<Apps> | undefined;
  const load = (): Promise<Apps> => {
    loading ??= make().then((made) => {
      apps = made;
      return made;
    });
    return loading;
  };
  const fetch =
    (port: keyof Apps): App['fetch'] =>
    (request, env) =>
      apps ? apps[port].fetch(request, env) : load().then((made) => made[port].fetch(request, env));
  return { load, fetch };
}

/** Bytes that the cgroup allows this process and its hosts; undefined where it sets no limit. */
function memoryLimit(): number | undefined {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : undefined;
}

/** Memory that this process shares with others, in bytes. */
function machineMemory(): { totalBytes: number; usedBytes: number } {
  const totalBytes = memoryLimit() ?? totalmem();
  return { totalBytes, usedBytes: Math.max(0, totalBytes - process.availableMemory()) };
}

async function listenBoth(
  { host, port, adminPort, maxConnections }: ServerConfig,
  tls: Tls | undefined,
  [app, adminApp]: readonly [App, App],
  told: Pick<ListenOptions, 'onRefused' | 'onUnsent'>,
): Promise<[Listener, Listener]> {
  const options = {
    ...(host !== undefined && { hostname: host }),
    maxConnections,
    tls: tls?.pair,
    onHead: echoIds,
    ...told,
  };
  const prediction = await listen(app, { ...options, port });
  try {
    const admin = await listen(adminApp, { ...options, port: adminPort });
    tls?.listeners.push(prediction, admin);
    return [prediction, admin];
  } catch (error) {
    await prediction.close(0);
    throw error;
  }
}
