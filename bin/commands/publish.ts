import { readFile } from 'node:fs/promises';
import { KedgeError, messageOf } from '../../contract/errors.ts';
import { parseJson } from '../../contract/json.ts';
import type { Details } from '../../contract/manifest.ts';
import { systemClock } from '../../platform/clock.ts';
import { readSettings } from '../../platform/settings.ts';
import { bucketSettings, publisherSettings } from '../../registry/config.ts';
import { type Published, publish } from '../../registry/publish.ts';
import { BUCKET_OPTION, JSON_OPTION, sizeText, withBucket, writeJson, writeNotes } from '../bucket.ts';
import type { Command, Context } from '../command.ts';
import { progressOn } from '../progress.ts';

const PHASES = { hash: 'reading', upload: 'storing' };

export const command: Command = {
  summary: 'Puts a new version of a model into the bucket.',
  usage: 'PATH --model NAME [--details FILE]',
  about: `PATH is an ONNX file, or a folder that holds model.onnx. External data that the graph names goes along; nothing else does.
The version gets the next number. What could never serve is refused before a number is taken.

  kedge publish model.onnx --model demand --details details.json`,
  options: {
    model: { type: 'string', short: 'm', value: 'NAME', about: 'the name that clients call (required)' },
    details: {
      type: 'string',
      value: 'FILE',
      about: 'JSON for the manifest: samples, code, requires, training, baseline',
    },
    publisher: {
      type: 'string',
      value: 'NAME',
      about: 'who publishes, to resume what was left unfinished under that name',
      env: publisherSettings.publisher.env,
    },
    force: {
      type: 'boolean',
      about: 'publish though inputs or outputs changed against the contract of the model; it serves once it is pinned',
    },
    bucket: BUCKET_OPTION,
    json: JSON_OPTION,
  },
  positionals: { min: 1, max: 1 },
  settings: { ...bucketSettings, ...publisherSettings },
  run: (context) =>
    withBucket(context, async ({ store, write }) => {
      const { values, positionals, env } = context;
      const model = values['model'];
      if (typeof model !== 'string') throw new KedgeError('config-invalid', '--model NAME is missing.');
      const { publisher } = readSettings(publisherSettings, env);
      const progress = progressOn(context.err, systemClock);
      try {
        const published = await publish({
          ...write,
          store,
          model,
          source: positionals[0]!,
          details: await readDetails(values['details']),
          publisher,
          allowBreaking: values['force'] === true,
          onProgress: ({ phase, ...amount }) => progress.show({ phase: PHASES[phase], ...amount }),
        });
        progress.end();
        if (values['json']) writeJson(context, published);
        else answer(context, published, store.url);
      } finally {
        progress.end();
      }
      return 0;
    }),
};

function answer(context: Context, published: Published, url: string): void {
  writeNotes(context, published.notes);
  const { model, version, digest, resumed, files, bytes } = published;
  const how = resumed ? 'Completed' : 'Published';
  const count = files.length === 1 ? '1 file' : `${files.length} files`;
  context.out.write(`${how} ${model} version ${version} in ${url}: ${count}, ${sizeText(bytes)}, ${digest}\n`);
}

async function readDetails(file: unknown): Promise<Details | undefined> {
  if (typeof file !== 'string') return undefined;
  try {
    // publish checks its form.
    return parseJson(await readFile(file, 'utf8')) as Details;
  } catch (error) {
    throw new KedgeError('source-invalid', `the details in ${file} cannot be read: ${messageOf(error)}.`);
  }
}
