import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { KedgeError, messageOf } from '../../contract/errors.ts';
import { parseJson, stringifyJson } from '../../contract/json.ts';
import { writeFileAtomic } from '../../platform/atomic.ts';
import { systemClock } from '../../platform/clock.ts';
import { type CsvTable, readCsv } from '../../trainer/csv.ts';
import { FITTER_NAMES, fitterNamed } from '../../trainer/fit/fitters.ts';
import { suggestObjective } from '../../trainer/fit/objective.ts';
import { fitTable, suggestSeason } from '../../trainer/fit-table.ts';
import { JSON_OPTION, writeJson } from '../bucket.ts';
import { type Command, type Context, INTERRUPTED } from '../command.ts';
import { filesOf, prepareFiles } from '../fit-files.ts';
import { objectiveOf, readPart, readSeason, readSeed, readSplit, refuseTimeless } from '../fit-options.ts';
import { fitProgress, reportText } from '../fit-report.ts';

export const command: Command = {
  summary: 'Fits one model to one table.',
  usage: 'TABLE.csv --target COLUMN --out model.onnx [--time COLUMN] [--settings FILE]',
  about: `TABLE.csv has a line of head; commas, semicolons or tabs part its fields. Numbers are features as they are, texts are categories; empty fields and NA are missing values.
Before the model is made of all rows, others are judged on rows that they never saw: later ones where --time says what that is.
Beside model.onnx stand model.details.json, which kedge publish takes, and model.report.json.

  kedge fit trips.csv --target trips --time hour --out model.onnx
  kedge publish model.onnx --model demand --details model.details.json`,
  options: {
    target: { type: 'string', short: 't', value: 'COLUMN', about: 'what is to be foretold (required)' },
    out: { type: 'string', short: 'o', value: 'FILE', about: 'the model to write; its folder is made (required)' },
    time: {
      type: 'string',
      value: 'COLUMN',
      about:
        'the order of the rows, and no feature: ISO 8601, since 1970 in s, ms, us or ns (by their size), or a count of the table',
    },
    weight: { type: 'string', value: 'COLUMN', about: 'how much each row counts' },
    group: { type: 'string', value: 'COLUMN', about: 'scores are told for each of its values' },
    ignore: { type: 'string', multiple: true, value: 'COLUMN', about: 'no feature; may be given several times' },
    categorical: {
      type: 'string',
      multiple: true,
      value: 'COLUMN',
      about: 'its numbers are codes of categories; may be given several times',
    },
    fitter: { type: 'string', value: 'NAME', about: `one of ${FITTER_NAMES.join(', ')} (gbdt)` },
    settings: { type: 'string', value: 'FILE', about: 'JSON of settings for the fitter' },
    split: {
      type: 'string',
      value: 'N',
      about: 'how models are judged: 5, or with --time splits=5,gap=48,test=1000,max-train=10000 in rows, or none (5)',
    },
    season: {
      type: 'string',
      value: 'LENGTH',
      about:
        'of the naive forecast to beat: 7d, 24h, or a number of seconds, or of what the table counts (7d for long tables of dates)',
    },
    validation: { type: 'string', value: 'PART', about: 'part of the rows that says when to stop, such as 0.1 (none)' },
    seed: { type: 'string', value: 'N', about: 'the same seed, table and settings give the same model (0)' },
    json: JSON_OPTION,
  },
  positionals: { min: 1, max: 1 },
  run: async (context) => {
    const progress = fitProgress(context.err, systemClock);
    try {
      return await fitCsv(context, progress.show, progress.end);
    } catch (error) {
      progress.end();
      if (!context.signal.aborted) throw error;
      context.err.write('kedge: interrupted; nothing was written.\n');
      return INTERRUPTED;
    }
  },
};

async function fitCsv(
  context: Context,
  onProgress: ReturnType<typeof fitProgress>['show'],
  end: () => void,
): Promise<number> {
  const { values, positionals, signal } = context;
  const path = positionals[0]!;
  const target = required(values['target'], '--target COLUMN');
  const files = filesOf(required(values['out'], '--out FILE'));
  const fitter = fitterNamed(textOf(values['fitter']) ?? 'gbdt');
  const settings = await readFitSettings(textOf(values['settings']));
  const seed = readSeed(textOf(values['seed']));
  const split = readSplit(textOf(values['split']));
  refuseTimeless(values, split);
  const validationPart = readPart(textOf(values['validation']));
  const season = readSeason(textOf(values['season']));
  await prepareFiles(files, { 'the table': path, 'the file of settings': textOf(values['settings']) });
  const set = await readCsv(path, {
    target,
    time: textOf(values['time']),
    weight: textOf(values['weight']),
    group: textOf(values['group']),
    ignore: (values['ignore'] as string[] | undefined) ?? [],
    categorical: (values['categorical'] as string[] | undefined) ?? [],
  });
  const objective = objectiveOf(settings, fitter.name === 'ridge' ? 'squared-error' : suggestObjective(set.target));
  const { model, details, report } = await fitTable(set, {
    ...{ fitter, objective, settings, seed, split, validationPart, signal, onProgress },
    groups: set.groups,
    season: season ?? suggestSeason(set.times),
    now: () => performance.now(),
  });
  end();
  await writeFileAtomic(files.model, model);
  await writeFileAtomic(files.details, `${stringifyJson(details, 2)}\n`);
  await writeFileAtomic(files.report, `${stringifyJson({ table: basename(path), target, ...report }, 2)}\n`);
  if (values['json']) writeJson(context, { files, ...report });
  else
    context.out.write(
      reportText({
        path,
        target,
        fitter: fitter.name,
        set: set satisfies CsvTable,
        report,
        files,
        bytes: model.length,
      }),
    );
  return 0;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function required(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new KedgeError('config-invalid', `${what} is missing.`);
}

async function readFitSettings(file: string | undefined): Promise<Record<string, unknown>> {
  if (file === undefined) return {};
  let value: unknown;
  try {
    value = parseJson(await readFile(file, 'utf8'));
  } catch (error) {
    throw new KedgeError('config-invalid', `the settings in ${file} cannot be read: ${messageOf(error)}.`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new KedgeError('config-invalid', `the settings in ${file} must be a JSON object.`);
}
