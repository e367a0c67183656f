import type { Environment, Settings } from '../../platform/settings.ts';
import { serverSettings } from '../../server/config.ts';

/** What the bench says itself, and what would keep it from asking its pods. */
const OWN = new Set([
  'KEDGE_VOLUME',
  'KEDGE_HOST',
  'KEDGE_PORT',
  'KEDGE_ADMIN_PORT',
  'KEDGE_DRAIN_SECONDS',
  'KEDGE_TLS_CERT',
  'KEDGE_TLS_KEY',
  'KEDGE_TOKENS',
  'KEDGE_TOKENS_FILE',
]);

/** Settings of a server that pods take over from whoever runs the bench, such as KEDGE_ESTIMATORS. Pure. */
export function podEnvironment(env: Environment): Record<string, string> {
  const names = Object.values(serverSettings as Settings).map((setting) => setting.env);
  const given = names.filter((name) => !OWN.has(name) && env[name]).map((name) => [name, env[name]!] as const);
  return Object.fromEntries(given);
}
