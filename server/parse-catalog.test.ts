import { expect, it } from 'vitest';
import { catalogSchema, isAvailable } from '../contract/catalog.ts';
import { parseJson, stringifyJson } from '../contract/json.ts';
import { linearModel } from '../contract/onnx/testing/models.ts';
import { CatalogParser } from './parse-catalog.ts';
import { TestVolume } from './testing/volume.ts';

const volume = new TestVolume();
volume.add('m', 1, linearModel());
volume.add('m', 2, linearModel());
volume.refuse('m', 3, [{ code: 'opset', message: 'Too new.' }]);
const first = stringifyJson(volume.next());
volume.add('n', 1, linearModel());
const second = stringifyJson(volume.next());
volume.remove();

it('reads what the contract reads', () => {
  const parser = new CatalogParser();
  for (const text of [first, second, first]) expect(parser.parse(text)).toEqual(catalogSchema.parse(parseJson(text)));
});

it('keeps a manifest whose digest stays the same', () => {
  const parser = new CatalogParser();
  const [before, after] = [parser.parse(first), parser.parse(second)].map(({ models }) =>
    models[0]!.versions.filter(isAvailable),
  );
  expect(after!.map(({ manifest }) => manifest)).toHaveLength(2);
  for (const [index, { manifest }] of after!.entries()) expect(manifest).toBe(before![index]!.manifest);
});

it.each<[string, string]>([
  [
    'a manifest of a new digest that has not its form',
    second.replaceAll('"schemaVersion":1,"model":"n"', '"schemaVersion":9,"model":"n"'),
  ],
  ['a version without a manifest', second.replace('"manifest":', '"manifesto":')],
  ['a manifest that is null', second.replace(/"manifest":\{/, '"manifest":null,"x":{')],
  ['no models', '{"models":{}}'],
  ['models that are none', '{"models":[null,{"versions":[null]}]}'],
  ['no catalog', 'null'],
])('refuses %s, known or not', (_what, text) => {
  const parser = new CatalogParser();
  expect(() => parser.parse(text)).toThrow();
  parser.parse(first);
  if (text.includes('"manifest":null')) expect(parser.parse(text).models).toHaveLength(2);
  else expect(() => parser.parse(text)).toThrow();
});
