import { expect, it } from 'vitest';
import { type Feature, featureDigest } from './estimator.ts';

const features: Feature[] = [
  { name: 'hour', type: 'integer', encoding: 'cyclic-24' },
  { name: 'zone', type: 'category', categories: ['a', 'b'], encoding: 'one-hot' },
  { name: 'temp', type: 'number', encoding: 'identity', unit: 'C' },
];
const [hour, zone, temp] = features as [Feature, Feature, Feature];

it('stays the same over releases: a change of it would refuse every version in every bucket', () =>
  expect(featureDigest(features)).toBe('sha256:153620f50ae2f356b1cf2fb31313bff2878dc135ea169c0db00b9f71aace45e1'));

it('does not depend on the order of keys or on what is no part of it', () => {
  const other = { unit: 'C', encoding: 'identity', type: 'number', name: 'temp', description: 'outside' } as Feature;
  expect(featureDigest([hour, zone, other])).toBe(featureDigest(features));
});

it.each<[string, Feature[]]>([
  ['the order', [zone, hour, temp]],
  ['a name', [{ ...hour, name: 'hours' }, zone, temp]],
  ['a type', [{ ...hour, type: 'number' }, zone, temp]],
  ['a category', [hour, { ...zone, categories: ['a', 'c'] }, temp]],
  ['the order of categories', [hour, { ...zone, categories: ['b', 'a'] }, temp]],
  ['an encoding', [hour, { ...zone, encoding: 'ordinal' }, temp]],
  ['a unit', [hour, zone, { ...temp, unit: 'F' }]],
  ['one feature less', [hour, zone]],
  ['where one name ends and the next begins', [{ ...hour, name: 'hour","integer' }, zone, temp]],
])('depends on %s', (_, changed) => expect(featureDigest(changed)).not.toBe(featureDigest(features)));
