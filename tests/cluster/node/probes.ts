import { get } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Any } from '../../manifests/objects.ts';

/** Where a probe asks, and who runs its command. */
export interface Target {
  ip: string;
  /** Of the container, for ports that are named. */
  ports: readonly Any[];
  /** @returns whether the command ended with 0 */
  exec(command: readonly string[], timeoutMs: number): Promise<boolean>;
}

/**
 * Asks as a kubelet does until `signal`, and tells of each time that a threshold is reached: whether it succeeded or failed so many times one after another.
 */
export async function probe(
  spec: Any,
  target: Target,
  signal: AbortSignal,
  tell: (good: boolean) => void,
): Promise<void> {
  const { initialDelaySeconds = 0, periodSeconds = 10, successThreshold = 1, failureThreshold = 3 } = spec;
  const pause = (seconds: number): Promise<void> =>
    delay(seconds * 1_000, undefined, { signal }).catch(() => undefined);
  await pause(initialDelaySeconds);
  let [succeeded, failed] = [0, 0];
  while (!signal.aborted) {
    const good = await ask(spec, target);
    if (signal.aborted) return;
    [succeeded, failed] = good ? [succeeded + 1, 0] : [0, failed + 1];
    if (succeeded === successThreshold) tell(true);
    if (failed === failureThreshold) tell(false);
    await pause(periodSeconds);
  }
}

async function ask({ httpGet, tcpSocket, exec, timeoutSeconds = 1 }: Any, target: Target): Promise<boolean> {
  const timeoutMs = timeoutSeconds * 1_000;
  const port = (of: string | number): number =>
    typeof of === 'number' ? of : target.ports.find(({ name }) => name === of)!.containerPort;
  if (httpGet) return answers(`http://${target.ip}:${port(httpGet.port)}${httpGet.path ?? '/'}`, timeoutMs);
  if (tcpSocket) return accepts(target.ip, port(tcpSocket.port), timeoutMs);
  if (exec) return target.exec(exec.command, timeoutMs);
  throw new Error('a probe of a kind that this node does not know');
}

function answers(url: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    // A connection of its own each time.
    const sent = get(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      response.resume();
      resolve(response.statusCode! >= 200 && response.statusCode! < 400);
    });
    sent.on('error', () => resolve(false));
  });
}

function accepts(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (good: boolean) => (): void => {
      socket.destroy();
      resolve(good);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}
