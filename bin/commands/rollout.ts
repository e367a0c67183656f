import { KedgeError } from '../../contract/errors.ts';
import { checkVersion } from '../../contract/names.ts';
import type { Rollout, VersionPolicy } from '../../contract/rollout.ts';
import { bucketSettings } from '../../registry/config.ts';
import { type RolloutWish, setRollout } from '../../registry/rollout-policy.ts';
import { BUCKET_OPTION, JSON_OPTION, withBucket, writeJson, writeNotes } from '../bucket.ts';
import type { Command, Context } from '../command.ts';

export const command: Command = {
  summary: 'Says which versions of a model are held ready, what they are called, and whether it is loaded lazily.',
  usage: 'MODEL [--latest N | --all | --specific V,V | --default] [--label NAME=V] [--unlabel NAME] [--lazy | --eager]',
  about: `Each version that is held ready can be asked for by its number or label. Requests without either go to the newest one, or to the pinned one.
A version with a label is held ready whatever the policy. Without a word besides MODEL it shows the rollout as it is.

  kedge rollout demand --latest 3
  kedge rollout demand --specific 6,8 --label stable=6 --label canary=8`,
  options: {
    latest: { type: 'string', value: 'N', about: 'hold the newest N versions ready' },
    all: { type: 'boolean', about: 'hold every version ready' },
    specific: { type: 'string', value: 'V,V', about: 'hold these versions ready and no others' },
    default: { type: 'boolean', about: 'hold as many of the newest as each server is told (KEDGE_KEEP_READY)' },
    label: {
      type: 'string',
      multiple: true,
      value: 'NAME=V',
      about: 'let a name stand for a version; may be repeated',
    },
    unlabel: { type: 'string', multiple: true, value: 'NAME', about: 'take a name away; may be repeated' },
    lazy: { type: 'boolean', about: 'load the model when it is first asked for, and give it up when memory is short' },
    eager: { type: 'boolean', about: 'load the model at once and keep it' },
    bucket: BUCKET_OPTION,
    json: JSON_OPTION,
  },
  positionals: { min: 1, max: 1 },
  settings: bucketSettings,
  run: (context) =>
    withBucket(context, async ({ store, write }) => {
      const [model] = context.positionals;
      const { rollout, notes } = await setRollout(store, model!, wishOf(context.values), write);
      if (context.values['json']) writeJson(context, { model, rollout, notes });
      else {
        writeNotes(context, notes);
        context.out.write(`${describe(model!, rollout)}\n`);
      }
      return 0;
    }),
};

function wishOf(values: Context['values']): RolloutWish {
  const pairs = listOf(values['label']).map(labelOf);
  const labels = Object.fromEntries(pairs);
  const unlabel = listOf(values['unlabel']);
  for (const [name] of pairs) {
    const again = pairs.filter((pair) => pair[0] === name).length > 1 || unlabel.includes(name);
    if (again) throw invalid(`--label ${name} is given twice, or set and taken away at once`);
  }
  if (values['lazy'] && values['eager']) throw invalid('--lazy and --eager exclude each other');
  const lazy = values['lazy'] ? true : values['eager'] ? false : undefined;
  return { policy: policyOf(values), labels, unlabel, lazy };
}

function policyOf(values: Context['values']): VersionPolicy | 'default' | undefined {
  const given = ['latest', 'all', 'specific', 'default'].filter((name) => values[name] !== undefined);
  if (given.length > 1) throw invalid(`${given.map((name) => `--${name}`).join(' and ')} exclude each other`);
  if (values['default']) return 'default';
  if (values['all']) return { all: true };
  if (values['latest'] !== undefined) return { latest: countOf(String(values['latest'])) };
  if (values['specific'] === undefined) return undefined;
  return { specific: String(values['specific']).split(',').map(checkVersion) };
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,2}$|^1000$/.test(text)) return Number(text);
  throw invalid(`--latest takes a whole number from 1 to 1000, not '${text}'`);
}

function labelOf(text: string): [string, number] {
  const [, name, version] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || version === undefined) throw invalid(`--label takes NAME=VERSION, not '${text}'`);
  return [name, checkVersion(version)];
}

function listOf(value: Context['values'][string]): string[] {
  return Array.isArray(value) ? value : [];
}

function invalid(problem: string): KedgeError {
  return new KedgeError('config-invalid', `${problem}; kedge rollout --help tells more.`);
}

/** `demand holds versions 6, 8 ready; stable is 6, canary is 8; it is loaded lazily.` */
function describe(model: string, { policy, labels = {}, lazy, pin }: Rollout): string {
  const held = !policy
    ? 'as many of the newest versions ready as each server is told'
    : 'all' in policy
      ? 'every version ready'
      : 'latest' in policy
        ? `the newest ${policy.latest === 1 ? 'version' : `${policy.latest} versions`} ready`
        : `versions ${policy.specific.join(', ')} ready`;
  const names = Object.entries(labels).map(([label, version]) => `${label} is ${version}`);
  return `${[
    `${model} holds ${held}`,
    ...(pin === undefined ? [] : [`version ${pin} is pinned`]),
    ...(names.length > 0 ? [names.join(', ')] : []),
    ...(lazy ? ['it is loaded lazily'] : []),
  ].join('; ')}.`;
}
