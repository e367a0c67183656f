import { Random } from '../../../platform/random.ts';
import { MANIFEST_BEHAVIOR } from '../manifest-behavior.ts';
import { average, cpu, external, object, podsMetric, reads, scenario, serverCpu, value } from './parts.ts';
import type { MetricModel, Scenario, Spell, Steps } from './scenario.ts';

const SYNC = 15;

/** An hour of a day's wave in small, with noise. */
function noisySine(random: Random, seconds: number): Steps {
  return Array.from({ length: seconds / SYNC }, (_, index) => {
    const wave = 40 + 30 * Math.sin((index * SYNC) / 400);
    return [index * SYNC, Math.max(0, Math.round((wave + 16 * (random.next() - 0.5)) * 100) / 100)] as const;
  });
}

function randomWalk(random: Random, seconds: number, most: number): Steps {
  let at = most / 4;
  return Array.from({ length: seconds / SYNC }, (_, index) => {
    at = Math.min(most, Math.max(0, at + (most / 6) * (random.next() - 0.5)));
    // Now and then everything changes at once.
    if (random.chance(0.03)) at = most * random.next();
    return [index * SYNC, Math.round(at * 100) / 100] as const;
  });
}

function anyBehavior(random: Random): object {
  const rules = () => ({
    ...(random.chance(0.7) ? { stabilizationWindowSeconds: random.below(12) * SYNC } : {}),
    ...(random.chance(0.7) ? { selectPolicy: random.pick(['Max', 'Min', 'Max', 'Min', 'Disabled']) } : {}),
    ...(random.chance(0.3) ? { tolerance: `${random.below(300)}m` } : {}),
    ...(random.chance(0.8)
      ? {
          policies: Array.from({ length: 1 + random.below(3) }, () => ({
            type: random.pick(['Pods', 'Percent']),
            value: 1 + random.below(90),
            periodSeconds: 1 + random.below(20) * SYNC,
          })),
        }
      : {}),
  });
  return { scaleUp: rules(), scaleDown: rules() };
}

function anySpells(random: Random, seconds: number): Spell[] {
  return Array.from({ length: random.below(4) }, () => {
    const from = random.below(seconds);
    return { from, to: from + random.below(seconds / 4), every: 1 + random.below(5) };
  });
}

/** A policy, pods and faults that nobody would think of. */
function wild(seed: number): Scenario {
  const random = new Random(seed);
  const seconds = 1_800;
  const kinds = [podsMetric('4'), external(average('4')), object(value('30')), serverCpu(60), cpu(75)];
  const chosen = kinds.filter(() => random.chance(0.45));
  const metrics = chosen.length > 0 ? chosen : [kinds[0]!];
  const fromZero = random.chance(0.5) && metrics.some((one) => one === kinds[1] || one === kinds[2]);
  const minReplicas = fromZero ? 0 : 1 + random.below(3);
  const models = metrics.map((): MetricModel => {
    const away = random.chance(0.4) ? [[random.below(seconds), seconds * random.next()] as const] : [];
    return reads(randomWalk(random, seconds, 80), {
      start: random.below(3) * 500,
      age: random.below(10),
      window: 15 + random.below(30),
      away,
      silent: random.chance(0.4) ? anySpells(random, seconds) : [],
    });
  });
  return scenario({
    name: `wild-${seed}`,
    about: 'A policy, pods and faults by chance',
    seconds,
    replicas: minReplicas + 1,
    flags: {
      downscaleStabilizationSeconds: 20 + random.below(200),
      cpuInitializationPeriodSeconds: 20 + random.below(300),
      initialReadinessDelaySeconds: 5 + random.below(60),
    },
    spec: {
      minReplicas,
      maxReplicas: 12 + random.below(12),
      metrics,
      ...(random.chance(0.75) ? { behavior: anyBehavior(random) } : {}),
    },
    pods: {
      running: [[0, 1 + random.below(30)]],
      ready: [[0, 1 + random.below(60)]],
      drain: 1 + random.below(50),
      loaderRequest: 200,
      unready: random.chance(0.5) ? anySpells(random, seconds) : [],
    },
    metrics: models,
  });
}

const hour = 3_600;
const sine = noisySine(new Random(1), hour);

export const WILD: readonly Scenario[] = [
  scenario({
    name: 'noisy-sine',
    about: 'An hour of a noisy wave, by requests under way and by CPU, with the behavior that Kedge ships',
    seconds: hour,
    replicas: 10,
    spec: {
      minReplicas: 2,
      maxReplicas: 20,
      metrics: [podsMetric('4'), serverCpu(70)],
      behavior: MANIFEST_BEHAVIOR,
    },
    metrics: [
      reads(sine),
      reads(
        sine.map(([at, load]) => [at, load / 6]),
        { start: 800, age: 6, window: 20 },
      ),
    ],
  }),
  scenario({
    name: 'random-walk',
    about: 'An hour of a walk by chance, without behavior',
    seconds: hour,
    replicas: 3,
    spec: { maxReplicas: 16, metrics: [podsMetric('4')] },
    metrics: [reads(randomWalk(new Random(2), hour, 70))],
  }),
  ...Array.from({ length: 10 }, (_, index) => wild(100 + index)),
];
