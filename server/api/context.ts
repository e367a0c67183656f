import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { Log } from '../../platform/log.ts';
import type { AccessLog } from '../access-log.ts';
import type { Estimators } from '../estimators.ts';
import type { Gate } from '../gate/gate.ts';
import type { Access } from '../gate/guard.ts';
import type { RefusalPace } from '../gate/refusal-pace.ts';
import type { ModelTable } from '../lifecycle/model-table.ts';
import type { RequestStats } from '../request-stats.ts';

/** How requests share runs. */
export interface BatchSettings {
  /** Most rows of a shared run. */
  maxRows: number;
  /** How long a request waits for others, in milliseconds. */
  waitMs: number;
}

/** What the routes need of the server. */
export interface ApiContext {
  table: ModelTable;
  estimators: Estimators;
  stats: RequestStats;
  /** Refuses what could not be answered in time. */
  gate: Gate;
  /** Tells refusals no faster than the loop can bear. */
  pace: RefusalPace;
  access: Access;
  accessLog: AccessLog;
  maxBodyBytes: number;
  /** Of that, most JSON. */
  maxJsonBytes: number;
  /** Versions of a model that are held ready where its rollout does not say. */
  keepReady: number;
  batch: BatchSettings;
  /** Why the server is not ready; undefined while it is. */
  notReady(): { code: 'model-not-ready' | 'shutting-down'; message: string } | undefined;
  log: Log;
}

export type HttpContext = Context<{ Bindings: HttpBindings }>;
