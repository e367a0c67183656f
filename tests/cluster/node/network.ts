import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

export interface PodNetwork {
  ip: string;
  /** What `ip netns` calls it. */
  namespace: string;
}

/** Addresses below the prefix that no other bridge here has. */
const PREFIXES = Array.from({ length: 20 }, (_, n) => `10.${244 - n}`);

/**
 * One bridge, on which every pod has an address of its own and this machine the first: pods reach each other and this machine reaches them, and all of
 * them use the same ports. Services get their addresses on the bridge.
 */
export class Network {
  readonly #bridge = `kedge${process.pid}`;
  readonly #prefix: string;
  readonly #namespaces = new Set<string>();
  #next = 2;

  constructor() {
    const taken = ip('-o', '-4', 'addr');
    this.#prefix = PREFIXES.find((prefix) => !taken.includes(` ${prefix}.`))!;
    ip('link', 'add', this.#bridge, 'type', 'bridge');
    ip('addr', 'add', `${this.#prefix}.0.1/16`, 'dev', this.#bridge);
    ip('link', 'set', this.#bridge, 'up');
  }

  /** Without holding up this process: what passes requests on may live in it. */
  async addPod(): Promise<PodNetwork> {
    const number = this.#next++;
    const address = `${this.#prefix}.${number >> 8}.${number & 255}`;
    const namespace = `${this.#bridge}-${number}`;
    const link = `k${process.pid}v${number}`;
    await run('netns', 'add', namespace);
    this.#namespaces.add(namespace);
    await run('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    await run('link', 'set', link, 'master', this.#bridge, 'up');
    await run('-n', namespace, 'addr', 'add', `${address}/16`, 'dev', 'eth0');
    await run('-n', namespace, 'link', 'set', 'eth0', 'up');
    await run('-n', namespace, 'link', 'set', 'lo', 'up');
    await run('-n', namespace, 'route', 'add', 'default', 'via', `${this.#prefix}.0.1`);
    return { ip: address, namespace };
  }

  /** Whatever still holds it open loses its link. */
  async removePod({ namespace }: PodNetwork): Promise<void> {
    if (this.#namespaces.delete(namespace)) await run('netns', 'del', namespace);
  }

  addService(address: string): void {
    ip('addr', 'add', `${address}/32`, 'dev', this.#bridge);
  }

  close(): void {
    for (const namespace of this.#namespaces) ip('netns', 'del', namespace);
    this.#namespaces.clear();
    ip('link', 'del', this.#bridge);
  }
}

function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8' });
}

async function run(...words: string[]): Promise<void> {
  await promisify(execFile)('ip', words);
}
