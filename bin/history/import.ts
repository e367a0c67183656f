import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { KedgeError, messageOf } from '../../contract/errors.ts';
import { importHolidays, importHourly } from '../../examples/scooter-demand/history/import-csv.ts';
import { systemClock } from '../../platform/clock.ts';
import type { Database } from '../../trainer/history/database.ts';
import { writeJson, writeNotes } from '../bucket.ts';
import type { Context } from '../command.ts';
import { progressOn } from '../progress.ts';
import type { Action, Work } from './action.ts';

export const importAction: Action = {
  words: [2, 2],
  options: ['time-zone', 'skip-bad'],
  creates: true,
  plan: planImport,
};

const KINDS = ['trips', 'weather', 'holidays'] as const;

async function planImport(context: Context, words: readonly string[]): Promise<Work> {
  const [name, path] = words as [string, string];
  const kind = KINDS.find((one) => one === name);
  if (!kind) throw new KedgeError('config-invalid', `'${name}' is none of ${KINDS.join(', ')}.`);
  const { size } = await stat(path).catch((error: unknown) => {
    throw new KedgeError('source-invalid', `${path} cannot be read: ${messageOf(error)}.`);
  });
  return (database) => importFile(context, database, { kind, path, size });
}

async function importFile(
  context: Context,
  database: Database,
  { kind, path, size }: { kind: (typeof KINDS)[number]; path: string; size: number },
): Promise<number> {
  const { values, out, err } = context;
  const stream = createReadStream(path);
  const progress = progressOn(err, systemClock);
  const options = {
    file: basename(path),
    timeZone: values['time-zone'] as string | undefined,
    skipBad: values['skip-bad'] === true,
    onProgress: () => progress.show({ phase: 'reading', bytes: stream.bytesRead, totalBytes: size }),
  };
  try {
    const imported =
      kind === 'holidays'
        ? await importHolidays(database, stream, options)
        : await importHourly(database, kind, stream, options);
    progress.end();
    if (values['json']) writeJson(context, { place: database.place, kind, ...imported });
    else {
      writeNotes(context, imported.notes);
      out.write(`Imported ${imported.rows} rows of ${kind} from ${options.file} into ${database.place}.\n`);
    }
    return 0;
  } finally {
    progress.end();
    stream.destroy();
  }
}
