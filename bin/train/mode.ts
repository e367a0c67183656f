import { KedgeError } from '../../contract/errors.ts';
import type { Mode } from '../../trainer/plan/plan.ts';
import type { Context } from '../command.ts';

const UNITS = { m: 60_000, h: 3_600_000, d: 24 * 3_600_000 } as const;

/** Which models are to be trained; `--ensure` where nothing is said. @throws KedgeError `config-invalid` */
export function modeOf({ values }: Pick<Context, 'values'>): Mode {
  const given = ['ensure', 'drifted', 'stale', 'all'].filter((name) => values[name] !== undefined);
  if (given.length > 1) {
    throw new KedgeError('config-invalid', `--${given.join(' and --')} exclude each other.`);
  }
  if (values['all']) return { kind: 'all' };
  if (values['drifted']) return { kind: 'drifted' };
  const stale = values['stale'];
  return typeof stale === 'string' ? { kind: 'stale', olderThanMs: ageOf(stale) } : { kind: 'ensure' };
}

function ageOf(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([mhd])$/.exec(text) ?? [];
  if (number === undefined)
    throw new KedgeError('config-invalid', `--stale takes an age such as 24h or 7d, not '${text}'.`);
  return Number(number) * UNITS[unit as keyof typeof UNITS];
}
