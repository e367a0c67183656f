import { describe, expect, it } from 'vitest';
import { admit, type Facts } from '../admission.ts';
import type { Details } from '../manifest.ts';
import { linearModel } from '../onnx/testing/models.ts';
import { codes, features, published, refused } from './testing/candidates.ts';

describe('the code', () => {
  const needs: Details = {
    code: { estimator: 'scooter-demand', version: '2.1.0', features },
    requires: { server: '>=1.0.0 <2', estimator: '^2.1.0' },
  };
  const version = published(linearModel(), {}, needs);
  const here = (version: string, digest = features, server = '1.4.0'): Facts => ({
    code: {
      server,
      estimators: [
        { name: 'other', version: '9.0.0', features },
        { name: 'scooter-demand', version, features: digest },
      ],
    },
  });

  it.each(['2.1.0', '2.9.3', '2.2.0-rc.1'])('admits the estimator %s', (own) =>
    expect(admit(version, here(own))).toEqual([]),
  );

  it('has to hold the estimator', () =>
    refused(
      version,
      { code: { server: '1.0.0', estimators: [] } },
      'estimator-missing',
      /estimator 'scooter-demand' \^2\.1\.0, which is not in this server \(it has none\)/,
    ));

  it.each(['2.0.9', '3.0.0', 'soon'])('has an estimator of version %s, outside of the range', (own) =>
    refused(
      version,
      here(own),
      'estimator-version',
      new RegExp(`'scooter-demand' \\^2\\.1\\.0, this server has ${own}`),
    ),
  );

  it('has other features', () =>
    refused(
      version,
      here('2.1.0', `sha256:${'0'.repeat(64)}`),
      'features-changed',
      /features sha256:0{64}, the version was trained with sha256:f{64}/,
    ));

  it.each(['0.9.0', '2.0.0'])('is Kedge %s', (server) =>
    refused(
      version,
      here('2.1.0', features, server),
      'server-version',
      new RegExp(`needs Kedge >=1\\.0\\.0 <2, here runs ${server}`),
    ),
  );

  it('is refused for everything at once', () =>
    expect(codes(admit(version, here('1.0.0', 'sha256:0', '0.1.0')))).toEqual([
      'server-version',
      'estimator-version',
      'features-changed',
    ]));

  it('is asked for in ranges', () => {
    const wrong = published(linearModel(), {}, { ...needs, requires: { server: 'new', estimator: 'newer' } });
    const refusals = admit(wrong, here('2.1.0'));
    expect(refusals.map(({ code, message }) => [code, /no version range/.test(message)])).toEqual([
      ['server-version', true],
      ['estimator-version', true],
    ]);
  });

  it('may hold several releases of an estimator: one that fits is enough', () => {
    const estimators = ['1.0.0', '2.1.0', '3.0.0'].map((own) => ({ name: 'scooter-demand', version: own, features }));
    expect(admit(version, { code: { server: '1.0.0', estimators } })).toEqual([]);
    const without = estimators.filter((entry) => entry.version !== '2.1.0');
    refused(
      version,
      { code: { server: '1.0.0', estimators: without } },
      'estimator-version',
      /this server has 3\.0\.0/,
    );
  });

  it('does not matter to a version that names none', () =>
    expect(admit(published(), { code: { server: '0.0.1', estimators: [] } })).toEqual([]));
});
