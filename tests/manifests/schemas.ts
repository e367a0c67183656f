import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Any, documents } from './objects.ts';

export const KUBERNETES = '1.37.2';

/** Where the definitions of others' kinds lie. Modules are fetched by Go, which holds them against the public sum database. */
const CUSTOM: { module: string; folder: string; files: RegExp }[] = [
  { module: 'github.com/kedacore/keda/v2@v2.21.0', folder: 'config/crd/bases', files: /^keda\.sh_.*\.yaml$/ },
  { module: 'k8s.io/autoscaler/vertical-pod-autoscaler@v1.8.1', folder: 'deploy', files: /^vpa-v1-crd-gen\.yaml$/ },
  {
    module: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    folder: 'example/prometheus-operator-crd',
    files: /^monitoring\.coreos\.com_.*\.yaml$/,
  },
  {
    module: 'sigs.k8s.io/gateway-api@v1.6.2',
    folder: 'config/crd/standard',
    files: /^gateway\.networking\.k8s\.io_.*\.yaml$/,
  },
];

/** Kinds without a definition to be had: the module of KEDA's HTTP add-on cannot be fetched by Go. */
export const WITHOUT_SCHEMA = ['InterceptorRoute'];

/** Keywords of OpenAPI that JSON Schema does not need, or that would refuse what a server takes. */
const DROPPED = new Set(['format', 'description', 'default', 'example', 'nullable', 'discriminator']);

/**
 * JSON schemas for `kubeconform -strict`: one file for each kind of Kubernetes and of the add-ons, in which no field is allowed but those that are
 * described. Made once for a release, from what Kubernetes publishes itself.
 * @returns the folder
 */
export function makeSchemas(cache: string): string {
  const folder = join(cache, `schemas-${KUBERNETES}`);
  if (existsSync(folder)) return folder;
  const building = `${folder}.${process.pid}`;
  mkdirSync(building, { recursive: true });
  try {
    const openapi = join(goModule(`k8s.io/kubernetes@v${KUBERNETES}`), 'api/openapi-spec/v3');
    for (const file of readdirSync(openapi).filter((name) => /^apis?__.*_openapi\.json$/.test(name))) {
      const { schemas } = JSON.parse(readFileSync(join(openapi, file), 'utf8')).components;
      for (const [name, schema] of kinds(schemas)) writeFileSync(join(building, name), JSON.stringify(schema));
    }
    for (const text of customDefinitions())
      for (const crd of documents(text))
        for (const [name, schema] of customKinds(crd)) writeFileSync(join(building, name), JSON.stringify(schema));
    renameSync(building, folder);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  return folder;
}

/** The definitions of others' kinds, as they publish them. */
export function customDefinitions(): string[] {
  return CUSTOM.flatMap(({ module, folder, files }) => {
    const place = join(goModule(module), folder);
    const names = readdirSync(place).filter((name) => files.test(name));
    return names.map((name) => readFileSync(join(place, name), 'utf8'));
  });
}

function goModule(module: string): string {
  const told = execFileSync('go', ['mod', 'download', '-json', module], { encoding: 'utf8', cwd: '/' });
  return JSON.parse(told).Dir;
}

/** The kinds of one OpenAPI document, each with all that it refers to. */
export function* kinds(schemas: Record<string, Any>): Generator<[file: string, schema: Any]> {
  for (const [name, schema] of Object.entries(schemas)) {
    const [group] = schema['x-kubernetes-group-version-kind'] ?? [];
    if (!group || !schema.properties?.metadata || /List$|Options$|^Status$|^WatchEvent$/.test(group.kind)) continue;
    const reached = new Set<string>();
    const todo = [name];
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      if (reached.has(next)) continue;
      reached.add(next);
      todo.push(...refsIn(schemas[next]));
    }
    const definitions = Object.fromEntries([...reached].map((one) => [one, strict(schemas[one])]));
    yield [fileOf(group), { $ref: `#/definitions/${name}`, definitions }];
  }
}

/** The versions of a CustomResourceDefinition. What `metadata` may hold is not for it to say. */
function* customKinds(crd: Any): Generator<[file: string, schema: Any]> {
  if (crd?.kind !== 'CustomResourceDefinition') return;
  for (const { name: version, schema } of crd.spec.versions) {
    const root = structuredClone(schema.openAPIV3Schema);
    root.properties = {
      ...root.properties,
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    };
    yield [fileOf({ group: crd.spec.group, version, kind: crd.spec.names.kind }), strict(root)];
  }
}

function fileOf({ group, version, kind }: { group: string; version: string; kind: string }): string {
  const [first] = group.split('.');
  return `${[kind, first, version].filter(Boolean).join('-')}.json`.toLowerCase();
}

function refsIn(node: Any): string[] {
  if (Array.isArray(node)) return node.flatMap(refsIn);
  if (node === null || typeof node !== 'object') return [];
  const own = typeof node.$ref === 'string' ? [node.$ref.replace('#/components/schemas/', '')] : [];
  return [...own, ...Object.values(node).flatMap(refsIn)];
}

/** A schema of OpenAPI as one of JSON Schema that allows only what it describes. */
export function strict(schema: Any): Any {
  if (schema === null || typeof schema !== 'object') return schema;
  if (typeof schema.$ref === 'string') return { $ref: schema.$ref.replace('#/components/schemas/', '#/definitions/') };
  if (schema['x-kubernetes-int-or-string'] || schema.format === 'int-or-string')
    return { anyOf: [{ type: 'integer' }, { type: 'string' }] };
  const out: Any = {};
  for (const [key, value] of Object.entries<Any>(schema)) {
    if (DROPPED.has(key) || key.startsWith('x-')) continue;
    // Names of properties may be words of the schema language.
    if (key === 'properties')
      out.properties = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, strict(one)]));
    else if (Array.isArray(value)) out[key] = key === 'enum' || key === 'required' ? value : value.map(strict);
    else out[key] = typeof value === 'object' ? strict(value) : value;
  }
  if (schema.nullable && typeof out.type === 'string') out.type = [out.type, 'null'];
  const open = schema.additionalProperties !== undefined || schema['x-kubernetes-preserve-unknown-fields'];
  if (out.properties && !open) out.additionalProperties = false;
  return out;
}
