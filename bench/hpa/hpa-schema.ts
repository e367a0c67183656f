import { z } from 'zod';
import type { MetricTarget } from './observe.ts';
import { parseQuantity, type Quantity } from './quantity.ts';

/** A HorizontalPodAutoscaler of autoscaling/v2 as it is written, with the bounds that the API server holds it to. Keys that it would drop are refused. */

const quantity = z.union([z.string(), z.number()]).transform((text, context): Quantity => {
  const parsed = parseQuantity(text);
  if (parsed) return parsed;
  context.addIssue({ code: 'custom', message: `'${text}' is no quantity, such as 4, 500m or 1Gi` });
  return z.NEVER;
});

const positive = quantity.refine(({ milli }) => milli > 0, 'must be more than zero').transform(({ milli }) => milli);

const whole = z.int();

const policy = z.strictObject({
  type: z.enum(['Pods', 'Percent']),
  value: whole.min(1),
  periodSeconds: whole.min(1).max(1800),
});

const rules = z.strictObject({
  stabilizationWindowSeconds: whole.min(0).max(3600).nullish(),
  selectPolicy: z.enum(['Max', 'Min', 'Disabled']).nullish(),
  policies: z.array(policy).min(1, 'an empty list is refused; leave it out for the defaults').nullish(),
  tolerance: quantity
    .refine(({ milli }) => milli >= 0, 'must not be negative')
    .transform(({ approximate }) => approximate)
    .nullish(),
});

const behaviorSchema = z.strictObject({ scaleUp: rules.nullish(), scaleDown: rules.nullish() });

const utilization = z
  .strictObject({ type: z.literal('Utilization'), averageUtilization: whole.min(1) })
  .transform(({ type, averageUtilization }): MetricTarget => ({ type, percent: averageUtilization }));
const averageValue = z
  .strictObject({ type: z.literal('AverageValue'), averageValue: positive })
  .transform(({ type, averageValue: milli }): MetricTarget => ({ type, milli }));
const value = z
  .strictObject({ type: z.literal('Value'), value: positive })
  .transform(({ type, value: milli }): MetricTarget => ({ type, milli }));

const ofPods = z.discriminatedUnion('type', [utilization, averageValue]);
const ofAll = z.discriminatedUnion('type', [value, averageValue]);

const metric = z.strictObject({ name: z.string().min(1), selector: z.looseObject({}).nullish() });
const resource = { name: z.string().min(1), target: ofPods };

const source = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('Pods'),
    pods: z.strictObject({ metric, target: z.discriminatedUnion('type', [averageValue]) }),
  }),
  z.strictObject({
    type: z.literal('Object'),
    object: z.strictObject({
      metric,
      target: ofAll,
      describedObject: z.strictObject({ apiVersion: z.string().nullish(), kind: z.string(), name: z.string() }),
    }),
  }),
  z.strictObject({ type: z.literal('External'), external: z.strictObject({ metric, target: ofAll }) }),
  z.strictObject({ type: z.literal('Resource'), resource: z.strictObject(resource) }),
  z.strictObject({
    type: z.literal('ContainerResource'),
    containerResource: z.strictObject({ ...resource, container: z.string().min(1) }),
  }),
]);

export const hpaSchema = z.strictObject({
  apiVersion: z.literal('autoscaling/v2', 'only autoscaling/v2 is read'),
  kind: z.literal('HorizontalPodAutoscaler'),
  metadata: z.looseObject({ name: z.string().min(1) }),
  spec: z
    .strictObject({
      scaleTargetRef: z.strictObject({ apiVersion: z.string().nullish(), kind: z.string(), name: z.string() }),
      minReplicas: whole
        .min(0)
        .nullish()
        .transform((least) => least ?? 1),
      maxReplicas: whole.min(1),
      metrics: z
        .array(source)
        .nullish()
        .transform((all) => all ?? []),
      behavior: behaviorSchema.nullish(),
    })
    .refine(({ minReplicas, maxReplicas }) => minReplicas <= maxReplicas, {
      path: ['maxReplicas'],
      message: 'must not be less than minReplicas',
    })
    .refine(
      ({ minReplicas, metrics }) =>
        minReplicas > 0 || metrics.some(({ type }) => type === 'Object' || type === 'External'),
      { path: ['minReplicas'], message: '0 needs a metric of type Object or External, which can be read without pods' },
    ),
  status: z.unknown().optional(),
});

export type WrittenHpa = z.infer<typeof hpaSchema>;
