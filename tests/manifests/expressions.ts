import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Any, documents, MANIFESTS, readYaml } from './objects.ts';

export interface Expression {
  /** Where it stands, for messages. */
  place: string;
  text: string;
}

export interface Alert {
  name: string;
  rule: Any;
}

export function ruleGroups(): Any[] {
  return readYaml('components/monitoring/rules.yaml').spec.groups;
}

export function alerts(): Alert[] {
  return ruleGroups()
    .flatMap(({ rules }) => rules)
    .filter((rule: Any) => rule.alert !== undefined)
    .map((rule: Any) => ({ name: rule.alert, rule }));
}

export function dashboard(): Any {
  return JSON.parse(readFileSync(join(MANIFESTS, 'components/monitoring/dashboard.json'), 'utf8'));
}

/** Everything in the manifests that Prometheus, or an adapter of it, is asked. */
export function expressions(): Expression[] {
  const ofRules = ruleGroups().flatMap(({ rules }) =>
    rules.map((rule: Any) => ({ place: rule.alert ?? rule.record, text: rule.expr })),
  );
  const ofPanels = dashboard().panels.flatMap(({ title, targets = [] }: Any) =>
    targets.map(({ expr }: Any) => ({ place: `panel ${title}`, text: expr })),
  );
  const ofVariables = dashboard()
    .templating.list.filter(({ type }: Any) => type === 'query')
    .map(({ name, query }: Any) => ({ place: `variable ${name}`, text: query.query }));
  const { triggers } = readYaml('components/keda/scaled-object.yaml').spec;
  const ofTriggers = triggers
    .filter(({ type }: Any) => type === 'prometheus')
    .map(({ metadata }: Any) => ({ place: 'keda', text: metadata.query }));
  const [adapter] = documents(readFileSync(join(MANIFESTS, 'components/prometheus-adapter/rules.yaml'), 'utf8'));
  const ofAdapter = documents(adapter.data['config.yaml'])[0].rules.map(({ seriesQuery }: Any) => ({
    place: 'prometheus-adapter',
    text: seriesQuery,
  }));
  return [...ofRules, ...ofPanels, ...ofVariables, ...ofTriggers, ...ofAdapter];
}

/** Names of metrics in an expression; those that rules record have a colon. */
export function metricsIn(text: string): string[] {
  const bare = text.replaceAll(/\{[^}]*\}|"[^"]*"|\b(by|without|on|ignoring)\s*\([^)]*\)/g, ' ');
  return [...bare.matchAll(/(?<![\w:$])(?:kedge|nv|kube|nodejs|process)_\w+(?![\w:])/g)].map(([name]) => name);
}

export function recordedIn(text: string): string[] {
  return [...text.matchAll(/\w+(?::\w+)+/g)].map(([name]) => name);
}

/** Labels by which an expression picks or groups. */
export function labelsIn(text: string): string[] {
  const picked = [...text.matchAll(/\{([^}]*)\}/g)].flatMap(([, inner]) => [
    ...inner!.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g),
  ]);
  const grouped = [...text.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, inner]) => [...inner!.matchAll(/(\w+)/g)]);
  return [...picked, ...grouped].map(([, name]) => name!);
}
