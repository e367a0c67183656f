import type { Capacity } from './capacity.ts';
import type { HoldingTerms } from './holding.ts';
import type { ProxyStats } from './proxy.ts';

/** What the process of the proxy is started with. */
export interface ProxyOptions {
  /** Of each pod; unlimited if absent. */
  capacity?: Capacity | undefined;
  /** How requests are held that come while no pod is ready; they are refused if absent. */
  holding?: HoldingTerms | undefined;
}

/** What is said to the process of the proxy. */
export type ToProxy =
  | { do: 'add'; name: string; port: number }
  | { do: 'remove'; name: string }
  | { do: 'lose'; name: string }
  | { do: 'stats'; id: number };

export type FromProxy = { is: 'listening'; port: number } | { is: 'stats'; id: number; stats: ProxyStats };
