import { InferenceSession } from 'onnxruntime-node';
import type { ElementName } from '../encode.ts';
import { OPERATORS } from '../operators.ts';
import { modelOf, NUMBERS, ONE, type Recipe, recipesOf } from './recipes.ts';
import { hostileTensor } from './values.ts';

/**
 * Runs every operator of the table on hostile values and shapes: NaN, infinities, the extremes of integers in every pairing,
 * single elements, odd ranks, empty tensors. An error is a fine answer; a crash ends this process, so it is run as a child
 * (`node hostile.ts`), which prints a line for each operator before it is tried and one with its count of answers after.
 */

/** How many runs answered and how many ended in an error. */
interface Tally {
  answers: number;
  errors: number;
}

async function tryRecipe(type: string, domain: string, recipe: Recipe, tally: Tally): Promise<void> {
  const { types = NUMBERS, full = false } = recipe;
  const shapes = (recipe.shapes ?? ONE).filter((dims) => !full || !dims.flat().includes(0));
  for (const element of types.length === 0 ? [undefined] : types) {
    const sessions = new Map<string, InferenceSession | undefined>();
    for (const dims of element === undefined ? [[]] : shapes) {
      const ranks = dims.map(({ length }) => length);
      const key = ranks.join();
      if (!sessions.has(key)) sessions.set(key, await load(modelOf(type, domain, recipe, element, ranks)));
      const session = sessions.get(key);
      if (session) await run(session, dims, element, recipe.second, tally);
    }
    for (const session of sessions.values()) await session?.release();
  }
}

async function load(bytes: Uint8Array): Promise<InferenceSession | undefined> {
  try {
    return await InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 4 });
  } catch {
    return undefined;
  }
}

async function run(
  session: InferenceSession,
  shapes: readonly (readonly number[])[],
  element: ElementName | undefined,
  second: ElementName | undefined,
  tally: Tally,
): Promise<void> {
  const tensors = shapes.map((dims, index) => hostileTensor((index > 0 && second) || element!, dims, index));
  try {
    const wanted = session.outputMetadata.filter(({ isTensor }) => isTensor).map(({ name }) => name);
    await session.run(Object.fromEntries(tensors.map((tensor, index) => [`i${index}`, tensor])), wanted);
    tally.answers++;
  } catch {
    tally.errors++;
  }
}

if (import.meta.main) {
  for (const { domain, type } of OPERATORS) {
    process.stdout.write(`${domain}:${type} `);
    const total: Tally = { answers: 0, errors: 0 };
    for (const recipe of recipesOf(type)) await tryRecipe(type, domain, recipe, total);
    process.stdout.write(`${total.answers} ${total.errors}\n`);
  }
}
