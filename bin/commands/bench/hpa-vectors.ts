import { readFile } from 'node:fs/promises';
import { checkVector, type HpaVector } from '../../../bench/hpa/vectors.ts';
import { KedgeError, messageOf } from '../../../contract/errors.ts';
import type { Command } from '../../command.ts';

export const command: Command = {
  summary: 'check the HPA arithmetic against recorded cases',
  usage: 'FILE',
  about: `Runs every case of a JSON file through the arithmetic that the autoscaling bench goes by, and tells what does not come out.
A case names a function of the HorizontalPodAutoscaler's controller, its inputs and what it answered.`,
  positionals: { min: 1, max: 1 },
  async run({ positionals: [file], out }) {
    const vectors = await readVectors(file!);
    let failed = 0;
    for (const vector of vectors) {
      const problems = checkVector(vector);
      if (problems.length === 0) continue;
      failed += 1;
      out.write(`${vector.fn}: ${vector.name}\n${problems.map((problem) => `  ${problem}\n`).join('')}`);
    }
    out.write(`${vectors.length - failed} passed, ${failed} failed\n`);
    return failed === 0 && vectors.length > 0 ? 0 : 1;
  },
};

async function readVectors(file: string): Promise<HpaVector[]> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new KedgeError('config-invalid', `${file} cannot be read as JSON: ${messageOf(error)}`, { cause: error });
  }
  const isCase = (one: unknown): one is HpaVector =>
    typeof one === 'object' && one !== null && 'fn' in one && 'expected' in one && 'name' in one;
  if (Array.isArray(parsed) && parsed.every(isCase)) return parsed;
  throw new KedgeError('config-invalid', `${file} must be an array of cases, each with name, fn and expected.`);
}
