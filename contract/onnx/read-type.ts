import { elementOf } from './elements.ts';
import type { HeadValue } from './graph.ts';
import { Broken, LEN, type Source, VARINT, type Walk } from './source.ts';

type Dims = NonNullable<HeadValue['dims']>;

/** A TypeProto, as far as a signature needs it. */
type ValueType = Pick<HeadValue, 'type' | 'datatype' | 'dims'>;

/** Far more than a runtime takes, and a bound for hostile files. */
const MAX_RANK = 64;

/** A ValueInfoProto that ends at `end`. */
export function* readValue(source: Source, end: number): Walk<HeadValue> {
  source.keep(150);
  let name = '';
  let type: ValueType | undefined;
  while (source.pos < end) {
    if (source.short) yield* source.fill();
    source.next(end);
    if (source.field === 1) name = yield* source.name();
    else if (source.field === 2) {
      source.expect(LEN);
      if (type) throw new Broken('onnx-malformed', `the value '${name}' has two types`);
      type = yield* readType(source, source.stop);
    } else source.skip();
  }
  return { name, type: '', ...type };
}

/** A TypeProto. The last kind of type that it gives counts, as in every protobuf oneof. */
function* readType(source: Source, end: number): Walk<ValueType> {
  source.enter();
  let type: ValueType = { type: '' };
  while (source.pos < end) {
    if (source.short) yield* source.fill();
    source.next(end);
    const { field } = source;
    if (field === 6) {
      source.skip();
      continue;
    }
    source.expect(LEN);
    const { stop } = source;
    if (field === 1) type = yield* readTensorType(source, stop);
    else if (field === 4) type = { type: `seq(${yield* readElementType(source, stop)})` };
    else if (field === 5) type = { type: yield* readMapType(source, stop) };
    else if (field === 7) {
      source.skip();
      type = { type: 'opaque()' };
    } else if (field === 8) type = { type: `sparse_${(yield* readTensorType(source, stop)).type}` };
    else if (field === 9) type = { type: `optional(${yield* readElementType(source, stop)})` };
    else source.skip();
  }
  source.leave();
  return type;
}

function* readTensorType(source: Source, end: number): Walk<ValueType> {
  let code = 0;
  let dims: Dims | undefined;
  while (source.pos < end) {
    if (source.short) yield* source.fill();
    source.next(end);
    if (source.field === 1) {
      source.expect(VARINT);
      code = source.int32;
    } else if (source.field === 2) {
      source.expect(LEN);
      if (dims) throw new Broken('onnx-malformed', 'a tensor type has two shapes');
      dims = yield* readShape(source, source.stop);
    } else source.skip();
  }
  const element = elementOf(code);
  return {
    type: `tensor(${element?.name ?? `elements of type ${code}`})`,
    ...(element?.datatype ? { datatype: element.datatype } : {}),
    ...(dims ? { dims } : {}),
  };
}

function* readShape(source: Source, end: number): Walk<Dims> {
  const dims: Dims = [];
  while (source.pos < end) {
    if (source.short) yield* source.fill();
    source.next(end);
    if (source.field !== 1) {
      source.skip();
      continue;
    }
    source.expect(LEN);
    dims.push(yield* readDim(source, source.stop));
    if (dims.length > MAX_RANK) throw new Broken('onnx-malformed', `a value has more than ${MAX_RANK} dimensions`);
  }
  return dims;
}

/** Negative numbers are free dimensions to the runtime, and an empty symbol is none. */
function* readDim(source: Source, end: number): Walk<number | string | undefined> {
  let dim: number | string | undefined;
  while (source.pos < end) {
    if (source.short) yield* source.fill();
    source.next(end);
    if (source.field === 1) {
      source.expect(VARINT);
      dim = source.bigint < 0n ? undefined : source.number;
    } else if (source.field === 2) dim = (yield* source.name()) || undefined;
    else source.skip();
  }
  return dim;
}

/** The one TypeProto within a sequence or an optional. */
function* readElementType(source: Source, end: number): Walk<string> {
  let type = '';
  while (source.pos < end) {
    if (source.short) yield* source.fill();
    source.next(end);
    if (source.field === 1) {
      source.expect(LEN);
      type = (yield* readType(source, source.stop)).type;
    } else source.skip();
  }
  return type;
}

function* readMapType(source: Source, end: number): Walk<string> {
  let key = '';
  let value = '';
  while (source.pos < end) {
    if (source.short) yield* source.fill();
    source.next(end);
    if (source.field === 1) {
      source.expect(VARINT);
      key = elementOf(source.int32)?.name ?? '';
    } else if (source.field === 2) {
      source.expect(LEN);
      value = (yield* readType(source, source.stop)).type;
    } else source.skip();
  }
  return `map(${key},${value})`;
}
