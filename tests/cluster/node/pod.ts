import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Any } from '../../manifests/objects.ts';
import { Container } from './container.ts';
import { environmentOf, expand, type References } from './environment.ts';
import { type Image, type Mount, nameOf } from './images.ts';
import type { PodNetwork } from './network.ts';
import type { ContainerKind } from './status.ts';

const SANDBOX = fileURLToPath(new URL('sandbox.sh', import.meta.url));

export interface PodPlace {
  network: PodNetwork;
  images: ReadonlyMap<string, Image>;
  references: References;
  /** Of this pod alone. */
  folder: string;
  /** Shared by pods that mount the same claim. */
  claims: string;
  /** What its containers have as /etc. */
  etc: string;
  logs: string;
}

/**
 * The containers of a pod, in the order that Kubernetes promises.
 *
 *   init containers and sidecars, one after another ──> main containers ──> over
 *
 * An init container has to end with 0, a sidecar to be started, before the next. It is over once all main containers have ended for good, or after
 * `end`: then the main containers go first, together, and the sidecars after them in reverse order.
 */
export class Pod {
  readonly #spec: Any;
  readonly #containers: Container[];
  readonly #sidecars: Container[] = [];
  #ending: Promise<void> | undefined;
  #end = Promise.withResolvers<void>();

  /** @throws what a container waits for that is not there */
  constructor(pod: Any, place: PodPlace, onChange: () => void) {
    this.#spec = pod.spec;
    const volumes = makeVolumes(pod.spec, place);
    const make = (spec: Any, kind: ContainerKind): Container => {
      const image = place.images.get(nameOf(spec.image));
      if (!image) throw new Error(`nothing stands in for the image ${spec.image}`);
      const env = { ...image.env, HOSTNAME: pod.metadata.name, ...environmentOf(spec, pod, place.references) };
      return new Container({
        spec,
        kind,
        restartPolicy: restartPolicyOf(kind, pod.spec.restartPolicy),
        ip: place.network.ip,
        command: commandOf(spec, pod, image, env, volumes, place),
        env,
        log: join(place.logs, `${pod.metadata.name}.${spec.name}.log`),
        graceMs: pod.spec.terminationGracePeriodSeconds * 1_000,
        onChange,
      });
    };
    this.#containers = [
      ...(pod.spec.initContainers ?? []).map((one: Any) =>
        make(one, one.restartPolicy === 'Always' ? 'sidecar' : 'init'),
      ),
      ...pod.spec.containers.map((one: Any) => make(one, 'main')),
    ];
  }

  get containers(): readonly Container[] {
    return this.#containers;
  }

  /** Until nothing of it runs, or will. */
  async run(): Promise<void> {
    const wellBegun = await this.#initialise();
    if (wellBegun && !this.#ending) {
      const mains = this.#containers.filter(({ kind }) => kind === 'main');
      await Promise.all(mains.map((one) => one.run()));
    }
    await this.end(this.#spec.terminationGracePeriodSeconds);
  }

  /** @param graceSeconds until what still runs is killed */
  end(graceSeconds: number): Promise<void> {
    this.#ending ??= this.#finish(Date.now() + graceSeconds * 1_000);
    return this.#ending;
  }

  async #initialise(): Promise<boolean> {
    for (const container of this.#containers) {
      if (this.#ending) return false;
      if (container.kind === 'main') break;
      const ended = container.run();
      if (container.kind === 'sidecar') {
        this.#sidecars.push(container);
        await Promise.race([container.hasStarted, this.#end.promise]);
      } else if ((await ended) !== 0) return false;
    }
    return true;
  }

  async #finish(deadline: number): Promise<void> {
    this.#end.resolve();
    await Promise.all(this.#containers.filter(({ kind }) => kind !== 'sidecar').map((one) => one.end(deadline)));
    for (const sidecar of this.#sidecars.toReversed()) await sidecar.end(Math.max(deadline, Date.now() + LAST_MS));
  }
}

/** An init container ends well once. */
function restartPolicyOf(kind: ContainerKind, ofPod: 'Always' | 'OnFailure' | 'Never'): typeof ofPod {
  if (kind === 'sidecar') return 'Always';
  return kind === 'init' && ofPod === 'Always' ? 'OnFailure' : ofPod;
}

/** What a sidecar is given beyond the grace of its pod. */
const LAST_MS = 2_000;

function commandOf(
  spec: Any,
  pod: Any,
  image: Image,
  env: Readonly<Record<string, string>>,
  volumes: ReadonlyMap<string, string>,
  { network, folder, etc }: PodPlace,
): string[] {
  const security = { ...pod.spec.securityContext, ...spec.securityContext };
  const { runAsUser = 0, runAsGroup = 0, fsGroup = runAsGroup, readOnlyRootFilesystem = false } = security;
  const root = join(folder, `root-${spec.name}`);
  mkdirSync(root);
  const mounts: Mount[] = [
    { source: etc, target: '/etc', mode: 'ro' },
    ...image.mounts,
    ...(spec.volumeMounts ?? []).map(({ name, mountPath, readOnly }: Any) => ({
      source: volumes.get(name)!,
      target: mountPath,
      mode: readOnly ? 'ro' : 'rw',
    })),
  ];
  const words = [...(spec.command ?? image.entrypoint), ...(spec.args ?? [])];
  return [
    ...['/usr/sbin/ip', 'netns', 'exec', network.namespace, 'bash', SANDBOX, root, String(readOnlyRootFilesystem)],
    ...[runAsUser, runAsGroup, fsGroup].map(String),
    spec.workingDir ?? image.workdir,
    ...mounts.map(({ source, target, mode }) => `${source}:${target}:${mode}`),
    '--',
    ...words.map((word) => expand(word, env)),
  ];
}

/** Folders in place of volumes, by their names. */
function makeVolumes({ volumes = [], securityContext }: Any, { folder, claims }: PodPlace): Map<string, string> {
  return new Map(
    volumes.map(({ name, emptyDir, persistentVolumeClaim }: Any) => {
      if (!emptyDir && !persistentVolumeClaim) throw new Error(`this node has no volumes of the kind of ${name}`);
      const path = emptyDir ? join(folder, `volume-${name}`) : join(claims, persistentVolumeClaim.claimName);
      mkdirSync(path, { recursive: true });
      chownSync(path, 0, securityContext?.fsGroup ?? 0);
      chmodSync(path, 0o2777);
      return [name, path];
    }),
  );
}
