import { nearest } from '../contract/nearest.ts';
import { loaderSettings } from '../loader/config.ts';
import { createLog } from '../platform/log.ts';
import { describeSettings, type Environment } from '../platform/settings.ts';
import { publisherSettings } from '../registry/config.ts';
import { serverSettings } from '../server/config.ts';
import { gateSettings, historySettings, trainingSettings } from '../trainer/config.ts';

/** What Kubernetes sets for Services whose names begin with kedge: KEDGE_SERVICE_HOST, KEDGE_ADMIN_PORT_8081_TCP_ADDR. */
const OF_A_SERVICE = /^KEDGE_(\w+_)?(SERVICE_|PORT_\d)/;
const ADDRESS = /^(tcp|udp|sctp):\/\//;

/**
 * Sentences on KEDGE_* variables that no program reads. Pods often share one environment, so what any program reads is
 * known to all of them. An empty variable counts as absent.
 */
export function unknownSettings(env: Environment): string[] {
  const tables = [serverSettings, loaderSettings, publisherSettings, historySettings, trainingSettings, gateSettings];
  const known = new Set(tables.flatMap(describeSettings).map((setting) => setting.env));
  return Object.entries(env).flatMap(([name, value]) => {
    if (!name.startsWith('KEDGE_') || !value || known.has(name)) return [];
    if (OF_A_SERVICE.test(name) || ADDRESS.test(value)) return [];
    const meant = nearest(name, known);
    return [`${name} is no setting and does nothing${meant ? `; did you mean ${meant}?` : '.'}`];
  });
}

/** Told once, at the start of a program that goes on for long: nobody would look for the reason in a misspelt name. */
export function warnOfUnknownSettings(program: string, env: Environment): void {
  const sentences = unknownSettings(env);
  if (sentences.length === 0) return;
  const log = createLog(program, 'warn');
  for (const sentence of sentences) log.warn(sentence);
}
