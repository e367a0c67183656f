import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseJson } from '../contract/json.ts';
import type { Datatype } from '../contract/signature.ts';

/** Real models with requests and the answers wanted. They lie beside the clone, not in it; tests that want them say when they are left out. */

export interface SharedTensor {
  name: string;
  datatype: Datatype;
  shape: number[];
  data: unknown[];
}

export interface SharedCase {
  note: string;
  request: { inputs: SharedTensor[] };
  response_outputs: SharedTensor[];
  tolerance: { abs: number; rel: number };
}

export interface SharedGood {
  name: string;
  dir: string;
  features: string[];
  onnx: { irVersion: number; opsets: Record<string, number>; producer: string };
  signature: {
    inputs: { name: string; datatype: Datatype; shape: number[] }[];
    outputs: { name: string; datatype: string; shape: number[] }[];
  };
  batchable: boolean;
  files: { path: string; bytes: number; sha256: string }[];
  cases: SharedCase[];
  errors?: { note: string; effect: 'error' | 'crash' | string; request: { inputs: SharedTensor[] } }[];
}

export interface SharedBad {
  name: string;
  dir: string;
  model?: string;
  why: string;
  expected:
    | 'refuse-before-load'
    | 'fail-load'
    | 'kill-in-probe'
    | 'kill-in-probe-or-wait'
    | 'serve-but-no-batch'
    | 'serve-or-refuse'
    | 'request-kills-process';
  requests?: { inputs: SharedTensor[] }[];
}

export interface SharedModels {
  /** Absolute; `dir` of each model is relative to it. */
  dir: string;
  good: SharedGood[];
  bad: SharedBad[];
}

const MODELS = fileURLToPath(new URL('../../shared/models', import.meta.url));

function read(): SharedModels | undefined {
  const file = join(MODELS, 'cases.json');
  if (!existsSync(file)) return undefined;
  const { good, bad } = parseJson(readFileSync(file, 'utf8')) as Omit<SharedModels, 'dir'>;
  return { dir: MODELS, good, bad };
}

export const sharedModels: SharedModels | undefined = read();
