import type { FunctionCalls, HeadFunction, HeadNode } from './graph.ts';

/** A name for a function, or for what a node calls. */
export function functionKey(entry: { domain: string; name?: string; type?: string; overload: string }): string {
  return JSON.stringify([entry.domain, entry.name ?? entry.type, entry.overload]);
}

/** All nodes, those in the bodies of If, Loop and Scan included. The reader bounds how deep they lie. */
export function* allNodes(nodes: readonly HeadNode[]): Generator<HeadNode> {
  for (const node of nodes) {
    yield node;
    for (const attribute of node.attributes.values()) {
      for (const graph of attribute.graphs ?? []) yield* allNodes(graph.nodes);
    }
  }
}

interface Body {
  /** Nodes that are no calls. */
  plain: number;
  /** How often each function is called. */
  calls: Map<string, number>;
}

/**
 * How deep the calls among model-local functions go and how many nodes they unfold into. The runtime follows calls by
 * recursion (a chain of thousands ends the process) and copies the body for each call (thirty functions that each call the
 * one before twice make 2^30 nodes), so this is known before anything is loaded.
 */
export function countCalls(nodes: readonly HeadNode[], functions: readonly HeadFunction[]): FunctionCalls {
  const bodies = new Map<string, Body>();
  const known = new Set(functions.map(functionKey));
  for (const entry of functions) bodies.set(functionKey(entry), bodyOf(entry.nodes, known));
  const order = calledFirst(bodies);
  if (!order) return { depth: Number.POSITIVE_INFINITY, nodes: Number.POSITIVE_INFINITY };
  const totals = new Map<string, FunctionCalls>();
  for (const key of order) totals.set(key, unfold(bodies.get(key)!, totals));
  return unfold(bodyOf(nodes, known), totals);
}

function bodyOf(nodes: readonly HeadNode[], known: ReadonlySet<string>): Body {
  const body: Body = { plain: 0, calls: new Map() };
  for (const node of allNodes(nodes)) {
    const key = functionKey(node);
    if (known.has(key)) body.calls.set(key, (body.calls.get(key) ?? 0) + 1);
    else body.plain++;
  }
  return body;
}

function unfold({ plain, calls }: Body, totals: ReadonlyMap<string, FunctionCalls>): FunctionCalls {
  const sum: FunctionCalls = { depth: 0, nodes: plain };
  for (const [key, times] of calls) {
    const callee = totals.get(key)!;
    sum.depth = Math.max(sum.depth, callee.depth + 1);
    sum.nodes += times * callee.nodes;
  }
  return sum;
}

/** Functions in an order in which each comes after those that it calls (Kahn's algorithm); undefined where there is a ring. */
function calledFirst(bodies: ReadonlyMap<string, Body>): string[] | undefined {
  const waiting = new Map([...bodies].map(([key, body]) => [key, body.calls.size]));
  const callers = new Map<string, string[]>();
  for (const [key, { calls }] of bodies) {
    for (const callee of calls.keys()) {
      if (!callers.has(callee)) callers.set(callee, []);
      callers.get(callee)!.push(key);
    }
  }
  const order = [...waiting].filter(([, count]) => count === 0).map(([key]) => key);
  for (const key of order) {
    for (const caller of callers.get(key) ?? []) {
      const left = waiting.get(caller)! - 1;
      waiting.set(caller, left);
      if (left === 0) order.push(caller);
    }
  }
  return order.length === bodies.size ? order : undefined;
}
