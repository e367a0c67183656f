import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import type { Any } from '../manifests/objects.ts';

/** A refusal of the API server. */
export class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Access {
  /** `https://127.0.0.1:16443` */
  url: string;
  /** PEM of whoever signed its certificate. */
  ca: string;
  token: string;
}

export interface Event {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: Any;
}

const TRIES = 5;
const RETRY_MS = 200;

type PatchKind = 'merge-patch+json' | 'strategic-merge-patch+json';

/** The few calls that a node makes. Whatever a person would do is done by kubectl. */
export class Api {
  readonly #access: Access;
  readonly #agent: Agent;

  constructor(access: Access) {
    this.#access = access;
    this.#agent = new Agent({ ca: access.ca, keepAlive: true });
  }

  get(path: string): Promise<Any> {
    return this.#json('GET', path);
  }

  /** @throws ApiError with what it says, unless it says that all is well */
  async isReady(): Promise<true> {
    await textOf(await this.#send('GET', '/readyz', undefined, AbortSignal.timeout(10_000)));
    return true;
  }

  post(path: string, body: Any): Promise<Any> {
    return this.#json('POST', path, body);
  }

  patch(path: string, body: Any, kind: PatchKind = 'merge-patch+json'): Promise<Any> {
    return this.#json('PATCH', path, body, `application/${kind}`);
  }

  delete(path: string, options: Any = {}): Promise<Any> {
    return this.#json('DELETE', path, options);
  }

  /**
   * Tells of all objects below a path that lists them, as they are and as they change, until `signal`. After a break it tells of all again, and as
   * deleted of those that went meanwhile.
   */
  async watch(path: string, tell: (event: Event) => void, signal: AbortSignal): Promise<void> {
    const known = new Map<string, Any>();
    const note = (event: Event): void => {
      const { uid } = event.object.metadata;
      if (event.type === 'DELETED') known.delete(uid);
      else known.set(uid, event.object);
      tell(event);
    };
    while (!signal.aborted) {
      try {
        const list = await this.get(path);
        const listed = new Set(list.items.map((object: Any) => object.metadata.uid));
        for (const object of list.items) note({ type: known.has(object.metadata.uid) ? 'MODIFIED' : 'ADDED', object });
        for (const [uid, object] of known) if (!listed.has(uid)) note({ type: 'DELETED', object });
        const { resourceVersion } = list.metadata;
        const response = await this.#send(
          'GET',
          `${path}?watch=1&resourceVersion=${resourceVersion}`,
          undefined,
          signal,
        );
        for await (const line of createInterface({ input: response })) {
          const event = JSON.parse(line);
          if (event.type === 'ERROR') break;
          if (event.type !== 'BOOKMARK') note(event);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ApiError && error.status < 500) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Tried again where no answer came: a server that has much to do lets connections go. */
  async #json(method: string, path: string, body?: Any, type?: string): Promise<Any> {
    for (let tries = 1; ; tries += 1) {
      try {
        const response = await this.#send(method, path, body, AbortSignal.timeout(30_000), type);
        return JSON.parse(await textOf(response));
      } catch (error) {
        if (error instanceof ApiError || tries === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async #send(
    method: string,
    path: string,
    body: Any,
    signal: AbortSignal,
    type = 'application/json',
  ): Promise<IncomingMessage> {
    const { url, token } = this.#access;
    const text = body === undefined ? '' : JSON.stringify(body);
    // Node gives no length to the body of a DELETE by itself.
    const length = { 'content-length': String(Buffer.byteLength(text)) };
    const headers = { authorization: `Bearer ${token}`, 'content-type': type, ...length };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(`${url}${path}`, { method, headers, agent: this.#agent, signal }, resolve);
      sent.on('error', reject);
      sent.end(text);
    });
    if (response.statusCode! < 300) return response;
    throw new ApiError(response.statusCode!, `${method} ${path}: ${await textOf(response)}`);
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return text;
}
