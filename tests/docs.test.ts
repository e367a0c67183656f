import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { REFUSALS } from '../contract/refusal.ts';
import { loaderSettings } from '../loader/config.ts';
import { describeSettings } from '../platform/settings.ts';
import { bucketSettings, publisherSetting } from '../registry/config.ts';
import { serverSettings } from '../server/config.ts';
import { gateSettings, historySettings, trainingSettings } from '../trainer/config.ts';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const section = (title: string): string[] => {
  const [, text = ''] = README.split(`\n## ${title}\n`);
  return text
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| `'));
};

describe('the README tells of', () => {
  it('every setting, with its default', () => {
    const training = [historySettings, trainingSettings, gateSettings];
    const tables = [bucketSettings, { publisherSetting }, loaderSettings, serverSettings, ...training];
    const rows = tables
      .flatMap((table) => describeSettings(table))
      .map((row) => `| \`${row.env}\` | ${row.default} | ${row.about} |`);
    expect(section('Settings')).toEqual([...new Set(rows)]);
  });

  it('every refusal', () =>
    expect(section('Refusals')).toEqual(
      Object.entries(REFUSALS).map(([code, { state, about }]) => `| \`${code}\` | ${state} | ${about} |`),
    ));
});
