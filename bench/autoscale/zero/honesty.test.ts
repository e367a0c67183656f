import { expect, it } from 'vitest';
import { DEFAULT_INTERCEPTOR } from '../../hpa/interceptor.ts';
import { localPolicy } from '../policy.ts';
import { zeroDeclared, zeroReal } from './honesty.ts';

const policy = localPolicy(
  {
    file: 'so.yaml',
    text: `
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: web }
spec:
  scaleTargetRef: { name: web }
  triggers: [{ type: prometheus, metadata: { query: interceptor_request_concurrency, threshold: "4" } }]`,
  },
  {},
);
const terms = { ...DEFAULT_INTERCEPTOR, route: 'web', maxPending: 5, readinessSeconds: 120 };

it.each([
  [policy, 1, /with its defaults: it holds any number of requests, for any time\./],
  [
    policy,
    1,
    /it looks every 30 s, and replicas go to zero at a poll \(every 30 s\) once nothing was active for 300 s\./,
  ],
  [
    { ...policy, interceptor: terms },
    1,
    /as InterceptorRoute web has it: it holds 5 requests, each for 120 s of the wall/,
  ],
  [
    { ...policy, activation: { ...policy.activation!, active: [{ metric: 'm', above: 0, pushed: true }] } },
    1,
    /its scaler tells of requests every 0\.5 s/,
  ],
  [policy, 8, /8 times as fast, the start of a pod did not: clients waited for less than in a cluster/],
])('tells what was declared (%#)', (given, compression, wanted) =>
  expect(zeroDeclared(given, compression).join('\n')).toMatch(wanted),
);

it('says of compressed time and of KEDA nothing where there was none', () => {
  expect(zeroDeclared(policy, 1).join('\n')).not.toMatch(/as fast/);
  expect(zeroDeclared({ ...policy, least: 1 }, 8)).toHaveLength(1);
});

it('tells what was held, and what was not', () => {
  const wakings = [
    { at: 1, held: 3 },
    { at: 9, held: 4 },
  ];
  const zero = { held: [], most: 4, rejected: 1, expired: 2, startDelay: 0, wakings };
  const [empty, held, ...more] = zeroReal({ policy }, zero);
  expect(empty).toMatch(/there was no process of a pod/);
  expect(held).toMatch(
    /7 in 2 times, 4 at once\. Too many were held for 1 .*\(503\), no pod was ready in time for 2 \(504\)/,
  );
  expect(more).toEqual([]);
  expect(zeroReal({ policy: { ...policy, least: 1 } }, zero)).toEqual([held]);
});
