import { judgeCode, judgeRanges } from './admission/code.ts';
import { judgeDeclared, judgeSamples } from './admission/declared.ts';
import { judgeExternal } from './admission/external.ts';
import { judgeFiles } from './admission/files.ts';
import { formatBytes } from './admission/format.ts';
import { judgeGraph } from './admission/graph.ts';
import { judgeRuntime } from './admission/runtime.ts';
import { compareTerms, type ModelContract, termsIn } from './admission/terms.ts';
import type { Manifest } from './manifest.ts';
import type { HeadResult } from './onnx/head.ts';
import type { Refusal } from './refusal.ts';
import type { RuntimeLimits } from './runtime.ts';

/** What is known of a version that wants to serve. What is absent is not judged. */
export interface Candidate {
  /** By its place in the bucket or on the volume. */
  model: string;
  version: number;
  manifest?: Manifest | undefined;
  head?: HeadResult | undefined;
  /** What really lies there, the manifest and the claim left out. */
  files?: readonly PresentFile[] | undefined;
}

export interface PresentFile {
  path: string;
  bytes: number;
  /** 64 hexadecimal digits, where it was computed. */
  sha256?: string | undefined;
}

/** What is known of the place that judges. A rule whose facts are absent is not judged. */
export interface Facts {
  runtime?: RuntimeLimits | undefined;
  contract?: ModelContract | undefined;
  /** The version is pinned, an explicit rollout: it may break the contract. */
  pinned?: boolean | undefined;
  code?: ServerCode | undefined;
  /** Bytes that the version may take, and takes. */
  memoryBudgetBytes?: number | undefined;
  memoryBytes?: number | undefined;
}

export interface ServerCode {
  /** Release of Kedge. */
  server: string;
  estimators: readonly { name: string; version: string; features: string }[];
}

/** How many reasons of one code are named one by one. */
const NAMED = 8;

/** All reasons why the version may not serve here; none means that it is admitted, as far as the facts go. Pure. */
export function admit(candidate: Candidate, facts: Facts = {}): Refusal[] {
  const { head, manifest } = candidate;
  const graph = head?.ok ? head.head : undefined;
  const refusals = [
    ...judgeFiles(candidate),
    ...(head && !head.ok ? head.refusals : []),
    ...(facts.runtime ? judgeRuntime(candidate, facts.runtime) : []),
    ...(graph ? judgeGraph(graph) : []),
    ...judgeExternal(candidate),
    ...(graph && manifest ? judgeDeclared(manifest, graph) : []),
    ...(manifest ? judgeSamples(manifest) : []),
    ...judgeContract(candidate, facts),
    ...(manifest ? (facts.code ? judgeCode(manifest, facts.code) : judgeRanges(manifest)) : []),
    ...judgeMemory(facts),
  ];
  return abridge(refusals);
}

function judgeContract(candidate: Candidate, { contract, pinned }: Facts): Refusal[] {
  const { model, version } = candidate;
  if (!contract || pinned || contract.version === version) return [];
  const terms = termsIn(candidate);
  return terms ? compareTerms(contract, terms, { model, version, contractVersion: contract.version }) : [];
}

function judgeMemory({ memoryBudgetBytes: budget, memoryBytes: taken }: Facts): Refusal[] {
  if (budget === undefined || taken === undefined || taken <= budget) return [];
  const message = `The version takes ${formatBytes(taken)} of memory, there are ${formatBytes(budget)}: give the pod more, or publish a smaller model.`;
  return [{ code: 'memory-budget', message, expected: `<= ${budget}`, found: String(taken) }];
}

/** A hostile file can be wrong in a million places; the first few of each kind say enough. */
function abridge(refusals: readonly Refusal[]): Refusal[] {
  const counts = Map.groupBy(refusals, ({ code }) => code);
  return [...counts].flatMap(([code, group]) => {
    if (group.length <= NAMED) return group;
    const more: Refusal = { code, message: `There are ${group.length - NAMED} more of this kind.` };
    return [...group.slice(0, NAMED), more];
  });
}
