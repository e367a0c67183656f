import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventually } from '../e2e/programs.ts';
import {
  type Any,
  COMBINATIONS,
  documents,
  MANIFESTS,
  renderComponents,
  renderText,
  workloads,
} from '../manifests/objects.ts';
import { customDefinitions, KUBERNETES, WITHOUT_SCHEMA } from '../manifests/schemas.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { asText } from './dev-overlay.ts';
import { missing, titled } from './machine.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 300_000 });

const OVERLAYS = readdirSync(join(MANIFESTS, 'overlays'));
const RESTRICTED = {
  'pod-security.kubernetes.io/enforce': 'restricted',
  'pod-security.kubernetes.io/warn': 'restricted',
};

/** What the controllers call pods. KEDA's are not made here. */
const podNames: Record<string, (name: string) => RegExp> = {
  Deployment: (name) => new RegExp(`^${name}-[a-z0-9]+-[a-z0-9]{5}$`),
  Job: (name) => new RegExp(`^${name}-[a-z0-9]{5}$`),
  CronJob: (name) => new RegExp(`^${name}-now-[a-z0-9]{5}$`),
};

/**
 * A real API server takes what we ship, and the real controllers make pods of it, under the Pod Security that the namespaces ask for. No pod runs here, as
 * there is no node.
 */
describe.skipIf(missing)(titled(`manifests on an API server ${KUBERNETES}`, missing), () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
    await plane.kubectl.apply(customDefinitions().join('\n---\n'));
    await plane.kubectl.run(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  });
  afterAll(() => plane?.stop());

  /** Applies it as a user would, and waits for a pod of each thing that makes pods. @returns what was said on the way */
  async function install(text: string, namespace: string): Promise<{ warnings: string[]; applied: number }> {
    const said = await plane.kubectl.apply(text);
    const made = workloads(documents(text));
    for (const { name } of made.filter(({ kind }) => kind === 'CronJob'))
      await plane.kubectl.run(['-n', namespace, 'create', 'job', `${name}-now`, `--from=cronjob/${name}`]);
    for (const { kind, name } of made) if (podNames[kind]) await podOf(namespace, podNames[kind](name));
    return {
      warnings: said.err.split('\n').filter(Boolean),
      applied: said.out.split('\n').filter((line) => line.endsWith('serverside-applied')).length,
    };
  }

  const podOf = (namespace: string, name: RegExp): Promise<unknown> =>
    eventually(
      async () => {
        const { items } = await plane.kubectl.get('pods', '-n', namespace);
        if (items.some(({ metadata }: Any) => name.test(metadata.name))) return true;
        throw new Error(await complaints(namespace));
      },
      `a pod ${name}`,
      60_000,
    );

  /** Why controllers could not make pods. That a namespace has no account yet passes by itself. */
  async function complaints(namespace: string): Promise<string> {
    const { items } = await plane.kubectl.get('events', '-n', namespace, '--field-selector=reason=FailedCreate');
    const messages: string[] = items.map(({ message }: Any) => message);
    return messages.filter((message) => !/serviceaccount "default" not found/.test(message)).join('\n');
  }

  it('production in two steps, as docs/kubernetes.md has it: the training has all that it needs before the rest is there', async () => {
    const folder = join(MANIFESTS, 'overlays/production');
    const first = await plane.kubectl.run(['apply', '-k', folder, '-l', 'kedge/stage=first']);
    expect(first.err).toBe('');
    await podOf('kedge', podNames['Job']!('kedge-train-ensure'));
    const { items } = await plane.kubectl.get('deployments', '-n', 'kedge');
    expect(items).toEqual([]);
    expect((await plane.kubectl.run(['apply', '-k', folder])).err).toBe('');
    await podOf('kedge', podNames['Deployment']!('kedge'));
  });

  it.each(OVERLAYS)('overlay %s is accepted without a warning, and pods are made of it', async (name) => {
    const text = renderText(join(MANIFESTS, 'overlays', name));
    const [{ metadata }] = documents(text).filter(({ kind }) => kind === 'Namespace');
    const { warnings, applied } = await install(text, metadata.name);
    expect(warnings).toEqual([]);
    expect(applied).toBe(documents(text).length);
    expect(await complaints(metadata.name)).toBe('');
    // Again, as every deployment does it: nothing of it cannot be changed, and nothing is fought over.
    const again = await plane.kubectl.apply(text);
    expect(again.err).toBe('');
  });

  it.each(Object.entries(COMBINATIONS))('components of %s', async (name, components) => {
    const namespace = `kedge-${name.replaceAll(' ', '-').toLowerCase()}`;
    await plane.kubectl.apply(
      asText([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: RESTRICTED } }]),
    );
    const objects = documents(renderComponents(components)).filter(({ kind }) => !WITHOUT_SCHEMA.includes(kind));
    for (const { metadata } of objects) if (metadata.namespace) metadata.namespace = namespace;
    const { warnings, applied } = await install(asText(objects), namespace);
    expect(warnings).toEqual([]);
    expect(applied).toBe(objects.length);
    expect(await complaints(namespace)).toBe('');
  });

  describe('what must be refused is', () => {
    const base = (change: (object: Any) => void): string => {
      const objects = documents(renderComponents([]));
      for (const object of objects) change(object);
      return asText(objects);
    };
    const only = (kind: string, change: (object: Any) => void) => (object: Any) => {
      if (object.kind === kind) change(object);
    };

    it.each<[string, (object: Any) => void, RegExp]>([
      [
        'a field that there is not',
        only('Deployment', ({ spec }) => (spec.template.spec.readyProbe = {})),
        /field not declared in schema/,
      ],
      [
        'fewer at most than at least',
        only('HorizontalPodAutoscaler', ({ spec }) => (spec.minReplicas = 50)),
        /must be greater than or equal to/,
      ],
      [
        'a port that there is not',
        only('Service', ({ spec }) => (spec.ports[0].port = 800_000)),
        /must be between 1 and 65535/,
      ],
    ])('%s', async (_, change, why) => {
      await plane.kubectl.try(['create', 'namespace', 'kedge']);
      const { code, err } = await plane.kubectl.try(
        ['apply', '--server-side', '--dry-run=server', '-f', '-'],
        base(change),
      );
      expect(err).toMatch(why);
      expect(code).not.toBe(0);
    });

    it('a pod that may be root', async () => {
      const namespace = 'kedge-root';
      await plane.kubectl.apply(
        asText([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: RESTRICTED } }]),
      );
      const text = base((object) => {
        if (object.metadata.namespace) object.metadata.namespace = namespace;
        if (object.kind === 'Deployment') delete object.spec.template.spec.securityContext;
      });
      expect((await plane.kubectl.apply(text)).err).toMatch(/would violate PodSecurity "restricted/);
      await eventually(async () => /violates PodSecurity/.test(await complaints(namespace)), 'a refusal', 60_000);
    });
  });
});
