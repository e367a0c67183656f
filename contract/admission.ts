import type { Manifest } from './manifest.ts';
import type { HeadResult } from './onnx/head.ts';
import type { Refusal } from './refusal.ts';
import type { RuntimeLimits } from './runtime.ts';
import type { Signature } from './signature.ts';

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
  /** The signature that clients of the model rely on, and the version that set it. */
  contract?: { version: number; signature: Signature } | undefined;
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

/** All reasons why the version may not serve here; none means that it is admitted, as far as the facts go. */
export function admit(candidate: Candidate, facts: Facts = {}): Refusal[] {
  throw new Error(`not yet written: ${candidate.model} ${Object.keys(facts)}`);
}
