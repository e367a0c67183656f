import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { elementOf } from './elements.ts';
import type { ElementName } from './encode.ts';
import type { Fact } from './facts.ts';
import { readHeadOfBytes } from './head.ts';
import { inferFacts } from './infer.ts';
import { OPERATORS } from './operators.ts';
import { modelOf, NUMBERS, ONE, type Recipe, recipesOf } from './testing/recipes.ts';
import { tameTensor } from './testing/values.ts';

/** What the runtime calls the element types. */
const RUNTIME_NAMES: Record<string, string> = { float: 'float32', double: 'float64' };

/** Dimensions that the facts give as numbers, or as those of the request itself; undefined for what only grows with it. */
function sizes(fact: Fact, inputs: readonly (readonly number[])[]): (number | undefined)[] | undefined {
  return fact.shape?.map((dim) => {
    if (typeof dim === 'number') return dim;
    const [input, axis] = dim.id.split('.').map(Number);
    return /^\d+\.\d+$/.test(dim.id) ? inputs[input!]![axis!] : undefined;
  });
}

async function compare(
  type: string,
  domain: string,
  recipe: Recipe,
  element: ElementName,
  dims: readonly (readonly number[])[],
): Promise<number> {
  const bytes = modelOf(
    type,
    domain,
    recipe,
    element,
    dims.map(({ length }) => length),
  );
  const result = readHeadOfBytes(bytes);
  if (!result.ok) throw new Error(result.refusals[0]!.message);
  const facts = inferFacts(result.head);
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 4 }).catch(
    () => undefined,
  );
  if (!session) return 0;
  const feeds = dims.map(
    (shape, index) => [`i${index}`, tameTensor((index > 0 && recipe.second) || element, shape)] as const,
  );
  const outputs = session.outputMetadata.filter(({ isTensor }) => isTensor).map(({ name }) => name);
  const answer = await session.run(Object.fromEntries(feeds), outputs).catch(() => undefined);
  await session.release();
  if (!answer) return 0;
  for (const [name, tensor] of Object.entries(answer)) {
    const fact = facts.get(name)!;
    const where = `${type} ${element} ${JSON.stringify(dims)} ${name}`;
    const known = elementOf(fact.element ?? 0)?.name;
    if (known) expect([where, RUNTIME_NAMES[known] ?? known]).toEqual([where, (tensor as Tensor).type]);
    const shape = sizes(fact, dims);
    if (!shape) continue;
    const found = (tensor as Tensor).dims.map((dim, axis) => (shape[axis] === undefined ? undefined : dim));
    expect([where, shape]).toEqual([where, found]);
  }
  return 1;
}

const skipped = new Set(['Constant', 'ConstantOfShape']);

describe('types and shapes are those that the runtime finds', () => {
  it.each(OPERATORS.filter(({ type }) => !skipped.has(type)))('$domain:$type', async ({ domain, type }) => {
    let compared = 0;
    for (const recipe of recipesOf(type)) {
      const { types = NUMBERS, shapes = ONE } = recipe;
      for (const element of types.slice(0, 4)) {
        for (const dims of shapes.filter((list) => !list.flat().includes(0))) {
          compared += await compare(type, domain, recipe, element, dims);
        }
      }
    }
    expect(compared).toBeGreaterThan(0);
  });
});
