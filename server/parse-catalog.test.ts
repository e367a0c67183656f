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

const parse = (parser: CatalogParser, text: string) => parser.parse(Buffer.from(text));

it('reads what the contract reads', async () => {
  const parser = new CatalogParser();
  for (const text of [first, second, first])
    expect(await parse(parser, text)).toEqual(catalogSchema.parse(parseJson(text)));
});

it('gives the same object for a model that says the same, and another one for one that does not', async () => {
  const parser = new CatalogParser();
  const before = await parse(parser, first);
  const same = await parse(parser, second);
  expect(same.models).toHaveLength(2);
  expect(same.models[0]).toBe(before.models[0]);
  const changed = await parse(parser, second.replace('"Too new."', '"Newer."'));
  expect(changed.models[0]).not.toBe(before.models[0]);
  expect(changed.models[0]!.versions[0]).toMatchObject({ reasons: [{ message: 'Newer.' }] });
  expect(changed.models[1]).toBe(same.models[1]);
});

it('reads what somebody else wrote, in any layout', async () => {
  const parser = new CatalogParser();
  const whole = catalogSchema.parse(parseJson(second));
  const { models, ...rest } = whole;
  const texts = [
    JSON.stringify(whole, null, 2),
    `${second}\n`,
    stringifyJson({ models, ...rest }),
    second.replace('"models":[{', '"models":[ {'),
  ];
  for (const text of texts) {
    expect(await parse(parser, text)).toEqual(whole);
    expect(await parse(parser, second)).toEqual(whole);
  }
});

it('is not misled by braces and quotes in strings', async () => {
  const parser = new CatalogParser();
  const odd = '}],{"\\ "}]} ä €';
  const text = second.replace('"Too new."', JSON.stringify(odd));
  for (const _time of [1, 2])
    expect((await parse(parser, text)).models[0]!.versions[0]).toMatchObject({ reasons: [{ message: odd }] });
});

it('keeps a manifest whose digest stays the same', async () => {
  const parser = new CatalogParser();
  const texts = [first, second.replace('"Too new."', '"Newer."')];
  const read = [await parse(parser, texts[0]!), await parse(parser, texts[1]!)];
  const [before, after] = read.map(({ models }) => models[0]!.versions.filter(isAvailable));
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
  ['one that is cut', second.slice(0, -2)],
  ['one that is cut within a model', second.slice(0, second.length / 2)],
  ['one with more behind it', `${second}]`],
  ['one with a comma too many', second.replace(/\]\}$/, ',]}')],
  ['one with a comma too few', second.replace('},{"name":"n"', '}{"name":"n"')],
])('refuses %s, known or not', async (_what, text) => {
  const parser = new CatalogParser();
  await expect(parse(parser, text)).rejects.toThrow();
  await parse(parser, first);
  if (text.includes('"manifest":null')) expect((await parse(parser, text)).models).toHaveLength(2);
  else await expect(parse(parser, text)).rejects.toThrow();
});
