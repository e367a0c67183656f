import { expect, it } from 'vitest';
import { kinds, strict } from './schemas.ts';

it.each([
  [
    { type: 'object', properties: { a: { type: 'string', format: 'x', default: 1 } } },
    { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false },
  ],
  [
    { type: 'object', additionalProperties: { type: 'string' } },
    { type: 'object', additionalProperties: { type: 'string' } },
  ],
  [{ properties: { a: {} }, 'x-kubernetes-preserve-unknown-fields': true }, { properties: { a: {} } }],
  [{ format: 'int-or-string', type: 'string' }, { anyOf: [{ type: 'integer' }, { type: 'string' }] }],
  [
    { type: 'string', nullable: true, enum: ['a'] },
    { type: ['string', 'null'], enum: ['a'] },
  ],
  [{ $ref: '#/components/schemas/io.X' }, { $ref: '#/definitions/io.X' }],
  // Properties that are named as words of the schema language.
  [
    { properties: { $ref: { type: 'string' }, default: { type: 'string' }, format: { type: 'string' } } },
    {
      properties: { $ref: { type: 'string' }, default: { type: 'string' }, format: { type: 'string' } },
      additionalProperties: false,
    },
  ],
])('%j', (openapi, schema) => expect(strict(openapi)).toEqual(schema));

it('a kind brings along what it refers to, and nothing else', () => {
  const schemas = {
    Pod: {
      properties: { metadata: { $ref: '#/components/schemas/Meta' } },
      'x-kubernetes-group-version-kind': [{ group: '', version: 'v1', kind: 'Pod' }],
    },
    Meta: { properties: { name: { type: 'string' } } },
    Other: { properties: {} },
    PodList: {
      properties: { metadata: {} },
      'x-kubernetes-group-version-kind': [{ group: '', version: 'v1', kind: 'PodList' }],
    },
    Scaler: {
      properties: { metadata: {} },
      'x-kubernetes-group-version-kind': [{ group: 'autoscaling.k8s.io', version: 'v2', kind: 'Scaler' }],
    },
  };
  const made = Object.fromEntries(kinds(schemas));
  expect(Object.keys(made)).toEqual(['pod-v1.json', 'scaler-autoscaling-v2.json']);
  expect(Object.keys(made['pod-v1.json'].definitions)).toEqual(['Pod', 'Meta']);
});
