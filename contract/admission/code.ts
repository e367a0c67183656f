import semver from 'semver';
import type { ServerCode } from '../admission.ts';
import type { Manifest } from '../manifest.ts';
import type { Refusal } from '../refusal.ts';

type Estimator = ServerCode['estimators'][number];

/** What the version needs of the code that serves it: the release of Kedge, the estimator, its version and its features. */
export function judgeCode({ code, requires = {} }: Manifest, here: ServerCode): Refusal[] {
  return [
    ...judgeServer(requires.server, here.server),
    ...(code ? judgeEstimator(code, requires.estimator, here) : []),
  ];
}

/** Version ranges that are none: no server can ever fit them, whatever code it has. */
export function judgeRanges({ code, requires = {} }: Manifest): Refusal[] {
  const ranges = [
    ['server', 'server-version', requires.server],
    // Without code no estimator is asked for.
    ['estimator', 'estimator-version', code && requires.estimator],
  ] as const;
  return ranges.flatMap(([name, refusal, range]) => {
    if (range === undefined || semver.validRange(range) !== null) return [];
    const message = `requires.${name} is '${range}', which is no version range: publish it with one such as '>=1.2 <2'.`;
    return [{ code: refusal, message, found: range }];
  });
}

function satisfies(version: string, range: string): boolean {
  return semver.satisfies(version, range, { includePrerelease: true });
}

function judgeServer(range: string | undefined, server: string): Refusal[] {
  if (range === undefined || satisfies(server, range)) return [];
  const what =
    semver.validRange(range) === null
      ? `The version needs Kedge '${range}', which is no version range`
      : `The version needs Kedge ${range}, here runs ${server}`;
  const message = `${what}: run a release that fits, or publish it with another requires.server.`;
  return [{ code: 'server-version', message, expected: range, found: server }];
}

/** Of several estimators of one name, one that fits is enough; else the newest of them is held against the manifest. */
function judgeEstimator(code: NonNullable<Manifest['code']>, range: string | undefined, here: ServerCode): Refusal[] {
  const { estimator: name } = code;
  const own = here.estimators.filter((entry) => entry.name === name);
  if (own.length === 0) {
    const present = here.estimators.map((entry) => `${entry.name} ${entry.version}`).join(', ') || 'none';
    const message = `The version needs the estimator '${name}' ${range ?? code.version}, which is not in this server (it has ${present}): put its file into the estimators folder.`;
    return [{ code: 'estimator-missing', message, expected: name, found: present }];
  }
  const verdicts = own
    .sort((a, b) => (semver.valid(a.version) && semver.valid(b.version) ? semver.rcompare(a.version, b.version) : 0))
    .map((entry) => [...judgeVersion(entry, range), ...judgeFeatures(entry, code)]);
  return verdicts.some((refusals) => refusals.length === 0) ? [] : verdicts[0]!;
}

function judgeVersion({ name, version }: Estimator, range: string | undefined): Refusal[] {
  if (range === undefined || satisfies(version, range)) return [];
  const what =
    semver.validRange(range) === null
      ? `The version needs the estimator '${name}' '${range}', which is no version range`
      : `The version needs the estimator '${name}' ${range}, this server has ${version}`;
  const message = `${what}: deploy a server with a release that fits, or train with the code that runs here.`;
  return [{ code: 'estimator-version', message, expected: range, found: version }];
}

function judgeFeatures({ name, version, features }: Estimator, code: NonNullable<Manifest['code']>): Refusal[] {
  if (features === code.features) return [];
  const message = `The estimator '${name}' ${version} here has the features ${features}, the version was trained with ${code.features} (${name} ${code.version}): train a version with the code that runs here, or deploy the code that it was trained with.`;
  return [{ code: 'features-changed', message, expected: code.features, found: features }];
}
