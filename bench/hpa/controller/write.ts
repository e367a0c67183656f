import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { METRICS } from './metric-scenarios.ts';
import { POLICIES } from './policy-scenarios.ts';
import { SHIPPED } from './shipped-scenarios.ts';
import { TABLE } from './table-scenarios.ts';
import { WILD } from './wild-scenarios.ts';

/** Writes each scenario into the folder that is named, a line of JSON for each. */
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('name the folder that scenarios are written to');
mkdirSync(folder, { recursive: true });
const all = [...TABLE, ...METRICS, ...POLICIES, ...SHIPPED, ...WILD];
for (const scenario of all) writeFileSync(join(folder, `${scenario.name}.json`), `${JSON.stringify(scenario)}\n`);
console.log(`${all.length} scenarios in ${folder}`);
