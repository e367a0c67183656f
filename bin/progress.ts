import type { Clock } from '../platform/clock.ts';
import { sizeText } from './bucket.ts';
import type { Context } from './command.ts';

/** Nothing is shown of what takes less. */
const QUIET_MS = 2_000;
/** How often a terminal is drawn, and how often a log gets a line. */
const DRAW_MS = 100;
const LINE_MS = 5_000;
const BAR = 30;

export interface Amount {
  phase: string;
  bytes: number;
  totalBytes: number;
  /** What is counted, if it is not bytes: `hours`. */
  unit?: string;
}

/** Shows how far something is: a bar on a terminal, a line now and then elsewhere. */
export function progressOn(
  err: Context['err'],
  clock: Pick<Clock, 'now'>,
): { show: (amount: Amount) => void; end: () => void } {
  const start = clock.now();
  let next = start + QUIET_MS;
  let drawn = false;
  return {
    show(amount) {
      const now = clock.now();
      if (now < next) return;
      next = now + (err.isTTY ? DRAW_MS : LINE_MS);
      const text = describe(amount, err.isTTY ?? false);
      err.write(err.isTTY ? `\r\u001b[K${text}` : `${text}\n`);
      drawn = true;
    },
    end() {
      if (drawn && err.isTTY) err.write('\r\u001b[K');
    },
  };
}

function describe({ phase, bytes, totalBytes, unit }: Amount, bar: boolean): string {
  const part = totalBytes === 0 ? 1 : Math.min(1, bytes / totalBytes);
  const filled = Math.round(part * BAR);
  const drawing = bar ? ` [${'='.repeat(filled)}${' '.repeat(BAR - filled)}]` : '';
  const total = unit === undefined ? sizeText(totalBytes) : `${totalBytes} ${unit}`;
  return `${phase}${drawing} ${Math.floor(part * 100)} % of ${total}`;
}
