import { domainName } from '../runtime.ts';
import { functionKey } from './functions.ts';
import type { HeadNode, OnnxHead } from './graph.ts';
import { inferFacts, useOf } from './infer.ts';
import { operatorOf } from './operators.ts';
import type { RowState } from './row-rules.ts';

export interface RowIndependence {
  independent: boolean;
  /** A sentence: what proves it, or what stands against it. */
  because: string;
}

/** What the rows of a request are in a value, and for a mixed one the reason. */
interface Traced {
  state: RowState;
  because: string;
}

const CONSTANT: Traced = { state: 'constant', because: '' };

/**
 * Whether rows of one request can be answered together with rows of another: every input that a request must give and every output has rows along its
 * first dimension, and each row of an output follows from the same row of the inputs alone. It is a proof by a walk over the
 * main graph, in the order of the file, with the column `rows` of the table of operators; so `false` may only mean that
 * nobody proved it. It holds for requests that leave optional inputs out and whose inputs have equally many rows.
 */
export function rowsIndependent(head: OnnxHead): RowIndependence {
  const outside = problemOf(head);
  if (outside) return { independent: false, because: outside };
  const traced = trace(head);
  for (const { name } of head.outputs) {
    const { state, because } = traced.get(name) ?? mixed(`Nothing is known of output '${name}'.`);
    if (state === 'mixed') return { independent: false, because };
    if (state === 0) continue;
    const place = state === 'constant' ? 'is the same for all requests' : `has its rows along axis ${state}`;
    return { independent: false, because: `Output '${name}' ${place}.` };
  }
  return { independent: true, because: 'Every operator keeps the rows apart.' };
}

function problemOf({ inputs, outputs }: OnnxHead): string | undefined {
  const other = outputs.find(({ type }) => !type.startsWith('tensor('));
  if (other) return `Output '${other.name}' is no tensor.`;
  const required = inputs.filter(({ optional }) => !optional);
  if (required.length === 0) return 'No input has rows.';
  const fixed = required.find(({ dims }) => dims === undefined || dims.length === 0 || typeof dims[0] === 'number');
  return fixed && `Input '${fixed.name}' has no free first dimension.`;
}

function trace(head: OnnxHead): Map<string, Traced> {
  const facts = inferFacts(head);
  const functions = new Set(head.functions.map(functionKey));
  const traced = new Map<string, Traced>();
  for (const name of head.graph.initializers.keys()) traced.set(name, CONSTANT);
  for (const { name, optional } of head.inputs) traced.set(name, optional ? CONSTANT : { state: 0, because: '' });
  for (const node of head.graph.nodes) {
    const given = node.inputs.map((name) =>
      name === '' ? undefined : (traced.get(name) ?? mixed(`Nothing is known of '${name}'.`)),
    );
    const called = functions.has(functionKey(node));
    const row = called ? undefined : operatorOf(node.domain, node.type, head.opsets.get(node.domain) ?? 1);
    const before = given.find((value) => value?.state === 'mixed');
    let states: RowState | readonly RowState[] = 'mixed';
    if (row && !before) {
      const rows = given.map((value) => value?.state);
      const constant = rows.every((state) => state === undefined || state === 'constant');
      if (constant) states = 'constant';
      else if (row.rows) states = row.rows({ ...useOf(node, facts, head.opsets), rows });
    }
    for (const [index, name] of node.outputs.entries()) {
      const state = typeof states === 'object' ? (states[index] ?? 'mixed') : states;
      traced.set(name, before ?? { state, because: mixes(node, name) });
    }
  }
  return traced;
}

function mixed(because: string): Traced {
  return { state: 'mixed', because };
}

function mixes({ domain, type }: HeadNode, output: string): string {
  return `${domainName(domain)}:${type}, which makes '${output}', is not proved to keep the rows apart.`;
}
