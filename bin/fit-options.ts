import { KedgeError } from '../contract/errors.ts';
import type { TimeSplitOptions } from '../trainer/evaluate/splits.ts';
import type { Objective } from '../trainer/fit/fitter.ts';
import type { Context } from './command.ts';
import { refuseIdle } from './idle-options.ts';

/** The options of `kedge fit`, as a person writes them. All throw KedgeError `config-invalid`. */

const DEFAULT_SPLITS = 5;

function wrong(option: string, rule: string, text: string): KedgeError {
  return new KedgeError('config-invalid', `--${option} must be ${rule}, not '${text}'.`);
}

const SPLIT_KEYS: Readonly<Record<string, keyof TimeSplitOptions>> = {
  splits: 'splits',
  gap: 'gap',
  test: 'testSize',
  'max-train': 'maxTrain',
};

/** `5`, `splits=5,gap=48,test=1000,max-train=10000`, or `none` (undefined). */
export function readSplit(text: string | undefined): TimeSplitOptions | undefined {
  if (text === 'none') return undefined;
  const split: TimeSplitOptions = { splits: DEFAULT_SPLITS };
  for (const part of text === undefined ? [] : text.split(',')) {
    const [, key = 'splits', number] = /^(?:([a-z-]+)=)?(\d{1,9})$/.exec(part.trim()) ?? [];
    const name = Object.hasOwn(SPLIT_KEYS, key) ? SPLIT_KEYS[key] : undefined;
    if (name === undefined || number === undefined || (Number(number) === 0 && name !== 'gap')) {
      throw wrong('split', 'a number, splits=5,gap=48,test=1000,max-train=10000, or none', text!);
    }
    split[name] = Number(number);
  }
  return split;
}

/**
 * Rows without time are dealt at random: nothing is before or after, so a gap, a part of the newest rows or a season would not be heeded.
 * @throws KedgeError `config-invalid` that names what of it is given
 */
export function refuseTimeless(values: Context['values'], split: TimeSplitOptions | undefined): void {
  if (values['time'] !== undefined) return;
  const why = 'cannot be heeded without times: name their column with --time.';
  const given = Object.entries(SPLIT_KEYS).filter(([key, name]) => key !== 'splits' && split?.[name] !== undefined);
  if (given.length > 0)
    throw new KedgeError('config-invalid', `--split ${given.map(([key]) => key).join(', ')} ${why}`);
  refuseIdle(values, ['season'], why);
}

const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** `7d`, `24h`, or a number in units of the times. */
export function readSeason(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([smhdw]?)$/.exec(text) ?? [];
  const season = Number(number) * UNITS[unit]!;
  if (season > 0) return season;
  throw wrong('season', 'a length such as 7d, 24h or 168', text);
}

export function readPart(text: string | undefined): number {
  if (text === undefined) return 0;
  const part = Number(text);
  if (text.trim() !== '' && part >= 0 && part < 1) return part;
  throw wrong('validation', 'a part from 0 to below 1', text);
}

export function readSeed(text: string | undefined): number {
  if (text === undefined) return 0;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw wrong('seed', 'a whole number', text);
}

/** What the settings say, or else what the target looks like. The fitter checks it. */
export function objectiveOf(settings: Readonly<Record<string, unknown>>, suggested: Objective): Objective {
  return (settings['objective'] as Objective | undefined) ?? suggested;
}
