import type { ChildProcess } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { KedgeError } from '../../contract/errors.ts';
import type { TestVolume } from '../../server/testing/volume.ts';
import { startKedge } from '../kedge-server.ts';
import { linesOf, startProgram, stop } from '../processes.ts';
import { pythonEnv } from './python-env.ts';

/** A server that answers the model. */
export interface Contender {
  name: string;
  /** Where inferences go. */
  url: URL;
  /** Undefined where it was there already: CPU and memory are then not seen. */
  pid: number | undefined;
  stop(): Promise<void>;
}

export interface Serving {
  volume: TestVolume;
  /** Of the model, and its name. */
  file: string;
  model: string;
  /** Held to this core; to none if absent. */
  core: number | undefined;
}

/** Servers of others that this starts: programs in Python beside this folder. */
export const PEERS = {
  fastapi: 'FastAPI, uvicorn, orjson and onnxruntime',
  mlserver: 'MLServer with a runtime for onnxruntime',
} as const;
export type Peer = keyof typeof PEERS;

const READY_MS = 120_000;
const LOCAL = 'http://127.0.0.1';

export async function startOurs({ volume, model, core }: Serving): Promise<Contender> {
  const { child, port, stop: end } = await startKedge(volume, { core });
  return { name: 'kedge', url: new URL(`${LOCAL}:${port}/v2/models/${model}/infer`), pid: child.pid, stop: end };
}

/** @returns the server, or why it is left out */
export async function startPeer(
  peer: Peer,
  { file, model, core }: Serving,
  { install }: { install: boolean },
): Promise<Contender | { missing: string }> {
  const beside = (path: string): URL => new URL(`../peers/${path}`, import.meta.url);
  const found = pythonEnv(`bench-${peer}`, beside(`${peer}-requirements.txt`), install);
  if ('missing' in found) return found;
  const child = startProgram([found.python, fileURLToPath(beside(`${peer}_app.py`)), file, model], { core });
  const complaints = collect(child);
  const { value, done } = await linesOf(child).next();
  if (done) return { missing: `it ended before it listened: ${complaints().slice(-500)}` };
  child.stdout!.resume();
  const url = new URL(`${LOCAL}:${value}/v2/models/${model}/infer`);
  return { name: peer, url, pid: child.pid, stop: () => stop(child) };
}

function collect(child: ChildProcess): () => string {
  let text = '';
  child.stderr!.setEncoding('utf8').on('data', (part: string) => {
    text = (text + part).slice(-10_000);
  });
  return () => text;
}

/** `NAME=http://HOST:PORT/PATH`. @throws KedgeError `config-invalid` */
export function parseThere(text: string): Contender {
  const [, name, address] = /^([^=/]+)=(http:\/\/.+)$/.exec(text) ?? [];
  const url = address === undefined ? null : URL.parse(address);
  if (name && url && url.pathname !== '/') return { name, url, pid: undefined, stop: async () => undefined };
  throw new KedgeError(
    'config-invalid',
    `--url takes NAME=http://HOST:PORT/v2/models/MODEL/infer, not '${text}'; https is not measured.`,
  );
}

/** Asks until it answers. @returns the text of its answer @throws KedgeError `model-not-ready` */
export async function firstAnswer({ name, url }: Contender, body: string, signal: AbortSignal): Promise<string> {
  let last = 'no answer';
  for (const over = performance.now() + READY_MS; performance.now() < over; await setTimeout(100)) {
    signal.throwIfAborted();
    try {
      const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
      const text = await response.text();
      if (response.ok) return text;
      last = `status ${response.status}: ${text.slice(0, 300)}`;
    } catch (error) {
      last = (error as Error).message;
    }
  }
  throw new KedgeError('model-not-ready', `${name} at ${url} did not come to answer: ${last}.`);
}
