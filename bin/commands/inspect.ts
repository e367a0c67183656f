import { stringifyJson } from '../../contract/json.ts';
import { checkVersion } from '../../contract/names.ts';
import { describeTensor, type TensorSpec } from '../../contract/signature.ts';
import { bucketSettings } from '../../registry/config.ts';
import { type Inspection, inspect } from '../../registry/inspect.ts';
import { BUCKET_OPTION, JSON_OPTION, sizeText, timeText, withBucket } from '../bucket.ts';
import type { Command } from '../command.ts';
import { columns } from '../run.ts';
import { marksOf } from './ls.ts';

export const command: Command = {
  summary: 'Shows all about one version, and why a loader would refuse it.',
  usage: 'MODEL VERSION',
  about: `It judges by the bytes in the bucket. What only a run of the model shows, the loader finds out in its probe.`,
  options: {
    verify: { type: 'boolean', about: 'read every file whole and check its sha256' },
    bucket: BUCKET_OPTION,
    json: JSON_OPTION,
  },
  positionals: { min: 2, max: 2 },
  settings: bucketSettings,
  run: (context) =>
    withBucket(context, async ({ store }) => {
      const [model, version] = context.positionals;
      const verify = context.values['verify'] === true;
      const found = await inspect(store, model!, checkVersion(version!), { verify, signal: context.signal });
      context.out.write(context.values['json'] ? `${stringifyJson(answerOf(found), 2)}\n` : describe(found, verify));
      return 0;
    }),
};

/** Of the head only what fits a screen: the graph itself is in the file. */
function answerOf({ head, ...found }: Inspection) {
  return { ...found, ...(head && { onnx: summary(head) }) };
}

function summary(head: NonNullable<Inspection['head']>) {
  return {
    irVersion: head.irVersion,
    producer: head.producer,
    opsets: Object.fromEntries(head.opsets),
    operators: head.operators,
    metadata: Object.fromEntries(head.metadata),
  };
}

function describe(found: Inspection, verified: boolean): string {
  const { model, version, manifest, head, claim } = found;
  const state = [found.retired ? 'retired' : found.kind, ...marksOf(found)].join(', ');
  const facts: [string, string | undefined][] = [
    ['state', state],
    ['digest', found.digest],
    ['stored', timeText(found.modifiedAt)],
    ['claimed', claim && `by ${claim.publisher} at ${timeText(claim.createdAt)}`],
    ['made by', head && `${head.producer.name} ${head.producer.version}`.trim()],
    ['ONNX', head && `IR version ${head.irVersion}, opsets ${opsetsOf(head)}`],
    ['inputs', manifest && tensors(manifest.signature.inputs)],
    ['outputs', manifest && tensors(manifest.signature.outputs)],
    ['code', manifest?.code && `${manifest.code.estimator} ${manifest.code.version}`],
    ['requires', manifest?.requires && JSON.stringify(manifest.requires)],
    ['samples', manifest?.samples && String(manifest.samples.length)],
  ];
  const rows = facts.flatMap(([name, text]): [string, string][] => (text ? [[name, text]] : []));
  const files = found.present.map(({ path, bytes }): [string, string] => [path, sizeText(bytes)]);
  return `${model} version ${version}\n${columns(rows)}\n\nFiles${verified ? ', each read and checked' : ''}:\n${
    files.length > 0 ? columns(files) : '  none'
  }\n\n${verdict(found)}\n`;
}

function verdict({ kind, retired, refusals }: Inspection): string {
  if (retired) return 'It is retired and does not serve.';
  if (kind === 'incomplete') return 'It is incomplete and does not serve: its publisher has not stored the manifest.';
  if (refusals.length === 0) return 'Nothing here speaks against serving it.';
  return `A loader refuses it:\n${refusals.map(({ code, message }) => `  ${code}: ${message}`).join('\n')}`;
}

function opsetsOf(head: NonNullable<Inspection['head']>): string {
  return [...head.opsets].map(([domain, version]) => `${domain || 'ai.onnx'} ${version}`).join(', ');
}

function tensors(specs: readonly TensorSpec[]): string {
  return specs.map((spec) => `${spec.name} ${describeTensor(spec)}`).join(', ');
}
