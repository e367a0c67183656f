import { quantity } from '../../manifests/arithmetic.ts';
import { type Any, containersOf } from '../../manifests/objects.ts';

/** What the containers of a namespace may refer to. */
export interface References {
  configMaps: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Decoded. */
  secrets: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** What a kubelet sets of the environment of a container, as the documentation of the field has it. @throws what a container waits for that is not there */
export function environmentOf(container: Any, pod: Any, references: References): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const [kind, ref] = configMapRef ? (['configMaps', configMapRef] as const) : (['secrets', secretRef] as const);
    for (const [name, value] of Object.entries(referred(references, kind, ref))) env[`${prefix}${name}`] = value;
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const found = valueFrom ? valueFromOf(valueFrom, container, pod, references) : expand(value ?? '', env);
    if (found !== undefined) env[name] = found;
  }
  return env;
}

/** `$(NAME)` in words of a command; `$$(NAME)` is left as `$(NAME)`, and what is not known as it is. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$(\$|\(([^)]+)\))/g, (all, first: string, name?: string) =>
    first === '$' ? '$' : (env[name!] ?? all),
  );
}

function referred(
  references: References,
  kind: keyof References,
  { name, optional }: Any,
): Readonly<Record<string, string>> {
  const found = references[kind].get(name);
  if (!found && !optional) throw new Error(`${kind === 'secrets' ? 'secret' : 'configmap'} "${name}" not found`);
  return found ?? {};
}

function valueFromOf(from: Any, container: Any, pod: Any, references: References): string | undefined {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = from;
  if (fieldRef) return fieldOf(pod, fieldRef.fieldPath);
  if (resourceFieldRef) return resourceOf(resourceFieldRef, container, pod);
  const [kind, ref] = configMapKeyRef
    ? (['configMaps', configMapKeyRef] as const)
    : (['secrets', secretKeyRef] as const);
  const value = referred(references, kind, ref)[ref.key];
  if (value === undefined && !ref.optional) throw new Error(`couldn't find key ${ref.key} in ${ref.name}`);
  return value;
}

/** `metadata.name`, `status.podIP`, `metadata.labels['a/b']`. */
function fieldOf(pod: Any, path: string): string {
  const [, parent, key] = /^(metadata\.(?:labels|annotations))\['(.+)'\]$/.exec(path) ?? [];
  const walk = (words: string): Any => words.split('.').reduce((at: Any, word) => at?.[word], pod);
  return String((key === undefined ? walk(path) : walk(parent!)?.[key]) ?? '');
}

/** Rounded up to whole divisors. */
function resourceOf({ containerName, resource, divisor = '1' }: Any, container: Any, pod: Any): string {
  const of = containersOf(pod.spec).find(({ name }) => name === (containerName ?? container.name));
  const [kind, name] = resource.split('.');
  const amount = of?.resources?.[kind]?.[name];
  if (amount === undefined) throw new Error(`${resource} of ${containerName} is not set`);
  return String(Math.ceil(quantity(amount) / quantity(divisor === '0' ? '1' : divisor)));
}
