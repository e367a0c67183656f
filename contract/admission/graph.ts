import { MODEL_FILE } from '../layout.ts';
import type { HeadValue, OnnxHead } from '../onnx/graph.ts';
import type { Refusal } from '../refusal.ts';
import { formatBytes } from './format.ts';

/** The runtime follows calls of functions by recursion; from this depth on, later releases of it refuse by themselves. */
const MAX_CALL_DEPTH = 100;
/** 50,000 nodes take the runtime some 16 seconds. */
const MAX_NODES = 1_000_000;

/** What the graph says by itself, whatever the runtime. */
export function judgeGraph(head: OnnxHead): Refusal[] {
  return [...judgeEnds(head), ...judgeTypes(head), ...judgeNames(head), ...judgeSizes(head), ...judgeCalls(head)];
}

function judgeEnds({ inputs, outputs }: OnnxHead): Refusal[] {
  const refuse = (what: string): Refusal[] => [
    {
      code: 'no-inputs-or-outputs',
      message: `${MODEL_FILE} ${what}, so there is nothing to serve: export it with both.`,
    },
  ];
  if (outputs.length === 0) return refuse('has no outputs');
  if (inputs.length === 0) return refuse('has no inputs');
  if (outputs.every(({ type }) => !isTensor(type))) {
    return refuse(`has no output that is a tensor (${outputs.map(describe).join(', ')})`);
  }
  return [];
}

const isTensor = (type: string): boolean => type.startsWith('tensor(');
const describe = ({ name, type }: HeadValue): string => `'${name}' ${type || 'without a type'}`;

function judgeTypes({ inputs, outputs }: OnnxHead): Refusal[] {
  const refuse = (side: string, value: HeadValue, why: string): Refusal => ({
    code: 'datatype-unsupported',
    message: `The ${side} ${describe(value)} ${why}.`,
    found: value.type,
  });
  const cannot =
    'cannot be served: export it as a tensor of float, double, float16, an integer of 8 to 64 bits, bool or string';
  return [
    ...inputs.flatMap((input) => {
      if (input.datatype === undefined) return [refuse('input', input, cannot)];
      if (input.dims !== undefined) return [];
      return [
        refuse(
          'input',
          input,
          'declares no shape, so requests cannot be checked: export it with one, free dimensions as symbols',
        ),
      ];
    }),
    // Outputs that are no tensors are left out of the answers; those of these elements keep the runtime from loading.
    ...outputs
      .filter(({ type, datatype }) => datatype === undefined && (isTensor(type) || type === ''))
      .map((output) => refuse('output', output, cannot)),
  ];
}

/** Names that the binding of the runtime loses. Inputs named `__proto__` are no trouble: they travel in a Map. */
function judgeNames({ inputs, outputs }: OnnxHead): Refusal[] {
  const refuse = (side: string, name: string, why: string): Refusal => ({
    code: 'name-unusable',
    message: `The ${side} ${JSON.stringify(name)} ${why}: rename it and export again.`,
    found: name,
  });
  const served = outputs.filter(({ type }) => isTensor(type)).map(({ name }) => name);
  const sides = [
    ['input', inputs.map(({ name }) => name)],
    ['output', served],
  ] as const;
  return [
    ...served.filter((name) => name === '__proto__').map((name) => refuse('output', name, 'is lost by the runtime')),
    ...sides.flatMap(([side, names]) => [
      ...names.filter((name) => name === '').map((name) => refuse(side, name, 'has no name')),
      ...names.filter((name) => name.includes('\0')).map((name) => refuse(side, name, 'is cut at its NUL character')),
      ...repeated(names).map((name) => refuse(side, name, 'stands there more than once')),
    ]),
  ];
}

function repeated(names: readonly string[]): string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const name of names) (seen.has(name) ? twice : seen).add(name);
  return [...twice];
}

function judgeSizes({ oversized }: OnnxHead): Refusal[] {
  return oversized.map(({ tensor, declared, held, unit, sparse }) => {
    const size = (count: bigint): string => (unit === 'bytes' ? formatBytes(count) : `${count} strings`);
    const holds = sparse
      ? `takes ${size(declared)} unfolded, the runtime at most ${size(held)}`
      : `declares ${size(declared)}, the file holds ${size(held)}`;
    return {
      code: 'tensor-too-large',
      message: `The tensor '${tensor}' ${holds}: export the model again.`,
      expected: size(held),
      found: size(declared),
    };
  });
}

function judgeCalls({ calls, functions }: OnnxHead): Refusal[] {
  const { depth, nodes } = calls;
  if (depth <= MAX_CALL_DEPTH && nodes <= MAX_NODES) return [];
  const what =
    depth === Number.POSITIVE_INFINITY
      ? 'call each other in a ring'
      : depth > MAX_CALL_DEPTH
        ? `call each other ${depth} deep, at most ${MAX_CALL_DEPTH} are served`
        : `unfold into ${nodes} nodes, at most ${MAX_NODES} are served`;
  return [
    {
      code: 'function-depth',
      message: `The ${functions.length} functions in ${MODEL_FILE} ${what}: inline or simplify them before the export.`,
      expected: depth > MAX_CALL_DEPTH ? `<= ${MAX_CALL_DEPTH} deep` : `<= ${MAX_NODES} nodes`,
      found: depth > MAX_CALL_DEPTH ? `${depth} deep` : `${nodes} nodes`,
    },
  ];
}
