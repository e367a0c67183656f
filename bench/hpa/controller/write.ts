import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCENARIOS } from './all.ts';

/** Writes each scenario into the folder that is named, a line of JSON for each. */
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('name the folder that scenarios are written to');
mkdirSync(folder, { recursive: true });
for (const scenario of SCENARIOS) writeFileSync(join(folder, `${scenario.name}.json`), `${JSON.stringify(scenario)}\n`);
console.log(`${SCENARIOS.length} scenarios in ${folder}`);
