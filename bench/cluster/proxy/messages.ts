import type { ProxyStats } from './proxy.ts';

/** What is said to the process of the proxy. */
export type ToProxy =
  | { do: 'add'; name: string; port: number }
  | { do: 'remove'; name: string }
  | { do: 'lose'; name: string }
  | { do: 'stats'; id: number };

export type FromProxy = { is: 'listening'; port: number } | { is: 'stats'; id: number; stats: ProxyStats };
