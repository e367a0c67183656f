import { describe, expect, it } from 'vitest';
import { hasCode } from '../../contract/errors.ts';
import { type InferRequest, parseInferRequest } from './infer-request.ts';

const signature = { inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1] }], outputs: [] };
const parse = (text: string | Buffer): InferRequest =>
  parseInferRequest(Buffer.from(text as string), undefined, signature);
const x = '{"name":"x","datatype":"FP32","shape":[1],"data":[1]}';

describe('an inference request', () => {
  it('is its id, its tensors and the outputs wanted, in order', () => {
    const request = parse(
      `{"id":"a","parameters":{"timeout":5},"inputs":[${x}],"outputs":[{"name":"q"},{"name":"p","parameters":{"binary_data":true,"classification":3}}]}`,
    );
    expect(request).toEqual({
      id: 'a',
      inputs: new Map([['x', { datatype: 'FP32', shape: [1], data: new Float32Array([1]) }]]),
      outputs: [
        { name: 'q', binary: false, classification: 0 },
        { name: 'p', binary: true, classification: 3 },
      ],
      binaryOutputs: false,
      standIns: false,
      parameters: { timeout: 5 },
    });
  });

  it.each([
    ['nothing but inputs', `{"inputs":[${x}]}`],
    ['null for what may be left out', `{"id":null,"parameters":null,"inputs":[${x}],"outputs":null}`],
    ['no output in particular', `{"inputs":[${x}],"outputs":[]}`],
    [
      'parameters and keys that nobody knows',
      `{"model_name":"y","z":{"a":[]},"parameters":{"priority":1,"timeout":9,"q":"r"},"inputs":[${x}]}`,
    ],
    ['names of the prototype as keys', `{"__proto__":{"id":"evil"},"constructor":1,"inputs":[${x}]}`],
  ])('with %s', (_what, text) => expect(parse(text)).toMatchObject({ id: undefined, outputs: undefined }));

  it('has inputs whose names an object would lose', () => {
    const { inputs } = parse(`{"inputs":[${x.replace('"x"', '"__proto__"')},${x.replace('"x"', '"constructor"')}]}`);
    expect([...inputs.keys()]).toEqual(['__proto__', 'constructor']);
  });
});

const nest = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

describe('what is not too deep', () => {
  it.each([
    ['100 levels', `{"inputs":[${x}],"a":${nest(99)}}`],
    ['many arrays beside each other', `{"inputs":[${x}],"a":[${'[[1],{}],'.repeat(500)}1]}`],
    ['brackets in strings', `{"inputs":[${x}],"a":"${'['.repeat(500)}\\"${'{'.repeat(500)}","b":"\\\\"}`],
  ])('%s', (_what, text) => expect(parse(text).inputs.size).toBe(1));
});

describe('what is refused', () => {
  it.each<[string, string | Buffer, RegExp]>([
    ['nothing', '', /body is empty/],
    ['no JSON', '{"inputs":', /not JSON/],
    ['text behind the JSON', `{"inputs":[${x}]} {}`, /not JSON/],
    ['null', 'null', /must be a JSON object/],
    ['an array', '[]', /must be a JSON object/],
    ['a string', '"x"', /must be a JSON object/],
    ['no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), /not UTF-8/],
    ['a byte order mark', `\ufeff{"inputs":[${x}]}`, /not JSON/],
    ['nesting of 101 levels', `{"a":${nest(100)}}`, /nested deeper than 100 levels/],
    ['nesting of objects', `${'{"a":'.repeat(101)}1${'}'.repeat(101)}`, /nested deeper/],
    ['nesting without end beside a token', `{"inputs":[${x}],"a":NaN,"b":${nest(200_000)}}`, /nested deeper/],
    ['nesting behind a string that hides it', `{"a":"\\"\\\\","b":${nest(100)}}`, /nested deeper/],
    [
      'parameters that are no object',
      `{"parameters":[],"inputs":[${x}]}`,
      /The request: parameters must be an object, not \[\]/,
    ],
    [
      'those of an input',
      `{"inputs":[${x.replace('{', '{"parameters":5,')}]}`,
      /Input 'x': parameters must be an object, not 5/,
    ],
    [
      'those of an output',
      `{"inputs":[${x}],"outputs":[{"name":"y","parameters":"z"}]}`,
      /Output 'y': parameters must/,
    ],
    ['a reserved parameter', `{"parameters":{"triton_x":1},"inputs":[${x}]}`, /'triton_x' is reserved/],
    ['no inputs', '{}', /inputs must be an array/],
    ['inputs that are an object', '{"inputs":{}}', /inputs must be an array/],
    ['an input that is null', '{"inputs":[null]}', /inputs\[0\] must be an object/],
    ['an input without a name', `{"inputs":[${x},{"shape":[1]}]}`, /inputs\[1\]\.name must be a string/],
    ['a name that is a number', '{"inputs":[{"name":1}]}', /inputs\[0\]\.name/],
    ['an input twice', `{"inputs":[${x},${x}]}`, /Input 'x' is given twice/],
    ['an input without data', '{"inputs":[{"name":"x","datatype":"FP32","shape":[1]}]}', /Input 'x' has no data/],
    [
      'binary tensors',
      '{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}]}',
      /Inference-Header-Content-Length is missing/,
    ],
    [
      'shared memory',
      '{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"parameters":{"shared_memory_region":"r"}}]}',
      /shared memory/,
    ],
    [
      'a flag that is none',
      `{"parameters":{"binary_data_output":1},"inputs":[${x}]}`,
      /binary_data_output must be true or false, not 1/,
    ],
    [
      'no class',
      `{"inputs":[${x}],"outputs":[{"name":"y","parameters":{"classification":0}}]}`,
      /'y': classification must be a whole number from 1, not 0/,
    ],
    [
      'an output in shared memory',
      `{"inputs":[${x}],"outputs":[{"name":"y","parameters":{"shared_memory_region":"r"}}]}`,
      /'y': shared memory/,
    ],
    ['an id that is a number', `{"id":7,"inputs":[${x}]}`, /id must be a string, not 7/],
    ['outputs that are names', `{"inputs":[${x}],"outputs":["y"]}`, /outputs\[0\] must be an object/],
    ['outputs that are an object', `{"inputs":[${x}],"outputs":{"name":"y"}}`, /outputs must be an array/],
    ['an output twice', `{"inputs":[${x}],"outputs":[{"name":"y"},{"name":"y"}]}`, /'y' is asked for twice/],
  ])('%s', (_what, text, sentence) => {
    try {
      parse(text);
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).toMatch(sentence);
      expect(hasCode(error, 'request-invalid')).toBe(true);
    }
  });
});
