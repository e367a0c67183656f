import { type Finding, Findings } from './finding.ts';

export interface Endpoint {
  program: string;
  url: string;
  /** A metric that it tells always. */
  metric: string;
}

/** The metrics of the programs that run beside this one, as Prometheus would ask for them. */
export async function checkEndpoint({ program, url, metric }: Endpoint, signal: AbortSignal): Promise<Finding[]> {
  const found = new Findings('metrics');
  const response = await fetch(url, { signal }).catch(() => undefined);
  if (!response) {
    found.note(`no ${program} answers at ${url}`, 'In its pod it does: kubectl exec, or kubectl port-forward.');
    return found.list;
  }
  const text = await response.text().catch(() => undefined);
  if (text === undefined) {
    found.bad(`the answer of ${url} breaks off`, 'Its log says why.');
    return found.list;
  }
  const line = text.split('\n').find((one) => one.startsWith(`${metric} `) || one.startsWith(`${metric}{`));
  if (response.ok && line) found.good(`${program}: ${line}`);
  else
    found.bad(
      `what answers at ${url} is no ${program} (${response.status})`,
      'Another program has that port: see the settings of ports.',
    );
  return found.list;
}
