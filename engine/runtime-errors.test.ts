import { describe, expect, it } from 'vitest';
import { cleanRuntimeText, loadError, runError } from './runtime-errors.ts';

describe('cleanRuntimeText', () => {
  it.each([
    [
      'Load model from /volume/m/1/model.onnx failed:/onnxruntime_src/onnxruntime/core/graph/model.cc:187 onnxruntime::Model::Model(onnx::ModelProto&&, const onnxruntime::PathString&, const onnxruntime::IOnnxRuntimeOpSchemaRegistryList*, const onnxruntime::logging::Logger&, const onnxruntime::ModelOptions&) ModelProto does not have a graph.',
      'Load model from model.onnx failed: ModelProto does not have a graph.',
    ],
    [
      "Non-zero status code returned while running ConstantOfShape node. Name:'' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:360 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 34359738368",
      'Non-zero status code returned while running ConstantOfShape node. Status Message: Failed to allocate memory for requested buffer of size 34359738368',
    ],
    [
      'Exception during initialization: /onnxruntime_src/onnxruntime/core/providers/cpu/text/string_normalizer.cc:235 onnxruntime::StringNormalizer::Locale::Locale(const std::string&)::<lambda()> Failed to construct locale with name:en_US.UTF-8',
      'Exception during initialization: Failed to construct locale with name:en_US.UTF-8',
    ],
    [
      'External data path validation failed for initializer: w. Error: tensorprotoutils.cc:619 ValidateExternalDataPathFromDir External data path does not exist: "/volume/m/1/weights.bin"',
      'External data path validation failed for initializer: w. Error: External data path does not exist: "weights.bin"',
    ],
    ['Got invalid\n index: 0\n', 'Got invalid index: 0'],
  ])('%s', (text, cleaned) => expect(cleanRuntimeText(text, '/volume/m/1')).toBe(cleaned));

  it('bounds the length', () => expect(cleanRuntimeText('x'.repeat(5000)).length).toBeLessThan(700));
});

describe('runError', () => {
  it.each([
    ['Got invalid dimensions for input: X for the following indices\n index: 0 Got: 1 Expected: 4', 'request-invalid'],
    [
      "Non-zero status code returned while running Div node. Name:'' Status Message: element_wise_ops.cc:692 Compute Integer division by zero",
      'request-invalid',
    ],
    [
      "Non-zero status code returned while running Sub node. Name:'' Status Message: Attempting to broadcast an axis by a dimension other than 1. 3 by 5",
      'request-invalid',
    ],
    [
      'Non-zero status code returned while running ConstantOfShape node. Status Message: Failed to allocate memory for requested buffer of size 1',
      'engine-failed',
    ],
    [
      'Non-zero status code returned while running Resize node. Status Message: Resize: mode is not implemented',
      'engine-failed',
    ],
    ['Session already disposed.', 'engine-failed'],
  ])('%s is %s', (text, code) => expect(runError(new Error(text), 'm/1')).toMatchObject({ code }));
});

it('says what to do about a missing locale', () =>
  expect(loadError(new Error('Failed to construct locale with name:en_US.UTF-8'), 'm/1', '/d').message).toMatch(
    /cannot load m\/1: .*lowercase=False/,
  ));
