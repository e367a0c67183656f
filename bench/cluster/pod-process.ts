import { spawnKedge } from '../kedge-server.ts';

/** The process of a pod. */
export interface PodProcess {
  readonly pid: number;
  /** Once it listens; rejects if it ends before. */
  readonly listening: Promise<{ port: number; adminPort: number }>;
  /** Once it has ended. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** What it warned of so far. */
  readonly complaints: readonly string[];
  kill(signal: NodeJS.Signals): void;
}

/**
 * Loaded before the server: it ends with the process that started it, however that one ends. The channel alone does not keep it alive. A `data:` URL, as it
 * is the same in a clone and in the package, and costs a start no stripping of types.
 */
const TETHER = "data:text/javascript,process.on('disconnect',()=>process.exit(1));process.channel.unref()";

/** Starts a `kedge serve` over a folder as a pod's process, which does not outlive this one. @param options more settings of it, and the `kedge` that it runs */
export function startServerProcess(
  volume: string,
  options: { env?: Record<string, string>; program?: string | undefined },
): PodProcess {
  const { child, complaints, listening } = spawnKedge(
    { dir: volume },
    { ...options, nodeArgs: ['--import', TETHER], ipc: true },
  );
  // Whoever waits for it is told; nobody has to wait.
  listening.catch(() => undefined);
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
  });
  return { pid: child.pid!, listening, exited, complaints, kill: (signal) => void child.kill(signal) };
}

/** Asks a server whether it is ready, as the readiness probe of the Deployment does. @param timeoutMs of the wall, as answers take what they take */
export async function isServerReady(adminPort: number, timeoutMs: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${adminPort}/v2/health/ready`, {
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
