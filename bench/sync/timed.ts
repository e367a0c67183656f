import { spawn } from 'node:child_process';

export interface Timed {
  /** 0 where it went well. */
  code: number | null;
  seconds: number;
  /** Of it and all that it started, in user and system mode. */
  cpuSeconds: number;
  /** The end of what it complained of. */
  complaint: string;
}

/** Bash adds up what ended children took, which Node does not tell. */
const SCRIPT = `TIMEFORMAT='KEDGE-TIMED %R %U %S'; time "$@"`;
const TIMES = /^KEDGE-TIMED ([\d.]+) ([\d.]+) ([\d.]+)$/m;

/** Runs a program to its end. */
export async function timed(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Timed> {
  const child = spawn('bash', ['-c', SCRIPT, 'timed', ...command], {
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    text = (text + part).slice(-20_000);
  });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('close', resolve).once('error', reject),
  );
  const [, seconds, user, system] = TIMES.exec(text) ?? [];
  return {
    code,
    seconds: Number(seconds),
    cpuSeconds: Number(user) + Number(system),
    complaint: text.replace(TIMES, '').trim().slice(-500),
  };
}
