import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startNode, stop } from '../../processes.ts';
import type { FromProxy, ProxyOptions, ToProxy } from './messages.ts';
import type { ProxyStats } from './proxy.ts';

/** TypeScript in a clone, a bundle of its own beside the main one in the package. */
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './proxy-main.js', import.meta.url);

/** The proxy in a process of its own. */
export class ProxyProcess {
  readonly #child: ChildProcess;
  readonly #asked = new Map<number, { resolve(stats: ProxyStats): void; reject(error: Error): void }>();
  #port = 0;
  #next = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @throws Error if it ends before it listens */
  static async start(options: ProxyOptions): Promise<ProxyProcess> {
    const child = startNode([fileURLToPath(ENTRY), JSON.stringify(options)], { ipc: true });
    const proxy = new ProxyProcess(child);
    let complaint = '';
    child.stdout!.resume();
    child.stderr!.on('data', (text) => {
      complaint += text;
    });
    await new Promise<void>((resolve, reject) => {
      child.on('message', (message: FromProxy) => {
        if (message.is === 'stats') proxy.#told(message.id, message.stats);
        else {
          proxy.#port = message.port;
          resolve();
        }
      });
      child.once('error', reject);
      child.once('exit', () => {
        const error = new Error(`the proxy ended: ${complaint}`);
        reject(error);
        for (const asked of proxy.#asked.values()) asked.reject(error);
      });
    });
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  add(name: string, port: number): void {
    this.#say({ do: 'add', name, port });
  }

  remove(name: string): void {
    this.#say({ do: 'remove', name });
  }

  lose(name: string): void {
    this.#say({ do: 'lose', name });
  }

  /** @throws Error if the proxy has ended */
  stats(): Promise<ProxyStats> {
    if (!this.#child.connected) return Promise.reject(new Error('the proxy has ended'));
    this.#next += 1;
    const id = this.#next;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#say({ do: 'stats', id });
    });
  }

  async stop(): Promise<void> {
    await stop(this.#child);
  }

  #told(id: number, stats: ProxyStats): void {
    this.#asked.get(id)?.resolve(stats);
    this.#asked.delete(id);
  }

  #say(message: ToProxy): void {
    if (this.#child.connected) this.#child.send(message);
  }
}
