import { countText, numberText } from '../../report/format.ts';
import type { ZeroRecord } from '../../report/record.ts';
import type { LocalRunOptions } from '../local-run.ts';
import type { LocalPolicy } from '../policy.ts';

/** What was real of holding requests and of starting from zero, a sentence each. Pure. */
export function zeroReal({ policy }: Pick<LocalRunOptions, 'policy'>, zero: ZeroRecord): string[] {
  const { wakings, most, rejected, expired } = zero;
  const held = wakings.reduce((sum, one) => sum + one.held, 0);
  return [
    ...(policy.least === 0 ? ['At zero replicas there was no process of a pod; what served next was a new one.'] : []),
    `While no pod was ready the proxy held requests, on open connections: ${numberText(held)} in ${countText(wakings.length, 'time')}, ${numberText(most)} at once. Too many were held for ${numberText(rejected)} further ones (503), no pod was ready in time for ${numberText(expired)} (504).`,
  ];
}

/** What of it was only declared, a sentence each. Pure. */
export function zeroDeclared({ interceptor, least, activation }: LocalPolicy, compression: number): string[] {
  const { route, maxPending, readinessSeconds } = interceptor!;
  const said = [
    `The proxy stood for the interceptor of KEDA's HTTP add-on, ${route === undefined ? 'with its defaults' : `as InterceptorRoute ${route} has it`}: it holds ${maxPending === undefined ? 'any number of requests' : countText(maxPending, 'request')}, ${readinessSeconds === undefined ? 'for any time' : `each for ${numberText(readinessSeconds)} s of the wall at most`}. KEDA and the add-on took no part.`,
  ];
  if (least > 0 || !activation) return said;
  const pushed = activation.active.some((one) => one.pushed);
  said.push(
    `From and to zero went what KEDA 2.21 does beside its HPA: ${pushed ? 'its scaler tells of requests every 0.5 s' : `it looks every ${numberText(activation.pollingSeconds)} s`}, and replicas go to zero at a poll (every ${numberText(activation.pollingSeconds)} s) once nothing was active for ${numberText(activation.cooldownSeconds)} s.`,
    'Files of the program and of models were read before, by the pod that ran before the load: a node that has not, and must pull an image, takes longer. --start-delay declares that.',
  );
  if (compression !== 1) {
    said.push(
      `What KEDA waits for went by ${numberText(compression)} times as fast, the start of a pod did not: clients waited for less than in a cluster. The first answers from zero are told with KEDA's part at its full length.`,
    );
  }
  return said;
}
