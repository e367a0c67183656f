import type { KedgeError } from '../../contract/errors.ts';
import type { Tensors } from '../../contract/tensor.ts';
import type { Engine, LoadedModel, LoadOptions, LoadRequest } from '../../engine/engine.ts';

interface Load {
  request: LoadRequest;
  options: LoadOptions;
  settle: PromiseWithResolvers<LoadedModel>;
}

/** An engine whose loads, runs and failures a test decides. For faults that a real model cannot be made to show. */
export class FakeEngine implements Engine {
  readonly kind = 'inline';
  /** Names in the order in which their loads began. */
  readonly begun: string[] = [];
  /** Names in the order in which they were released. */
  readonly released: string[] = [];
  /** What every run answers with, or throws. */
  run: (name: string, inputs: Tensors) => Promise<Tensors> = () => Promise.resolve(new Map());
  /** What every release ends with. */
  releaseError: Error | undefined;
  /** What the engine says that each loaded version takes, in bytes. */
  memoryBytes: Readonly<Record<string, number>> = {};
  readonly #loads: Load[] = [];
  readonly #loaded = new Map<string, LoadOptions>();

  load(request: LoadRequest, options: LoadOptions = {}): Promise<LoadedModel> {
    this.begun.push(request.name);
    const settle = Promise.withResolvers<LoadedModel>();
    this.#loads.push({ request, options, settle });
    return settle.promise;
  }

  /** Names whose loads are under way. */
  get loading(): string[] {
    return this.#loads.map(({ request }) => request.name);
  }

  /** Lets the load of `name` succeed. */
  finish(name: string): void {
    const { request, options, settle } = this.#take(name);
    this.#loaded.set(name, options);
    settle.resolve({
      signature: request.signature,
      memoryBytes: this.memoryBytes[name],
      run: (inputs) => this.run(name, inputs),
      release: () => {
        this.released.push(name);
        return this.releaseError ? Promise.reject(this.releaseError) : Promise.resolve();
      },
    });
  }

  /** Tells that `name`, which is loaded, keeps ending its process. */
  unfit(name: string, reason: KedgeError): void {
    this.#loaded.get(name)!.onUnfit!(reason);
  }

  /** Tells that the process of `name`, which is loaded, ended and cannot be started again. */
  lose(name: string, reason: KedgeError): void {
    this.#loaded.get(name)!.onLost!(reason);
  }

  fail(name: string, error: unknown): void {
    this.#take(name).settle.reject(error);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #take(name: string): Load {
    const index = this.#loads.findIndex(({ request }) => request.name === name);
    if (index < 0) throw new Error(`${name} is not loading; ${this.loading.join(', ') || 'nothing'} is`);
    return this.#loads.splice(index, 1)[0]!;
  }
}
