import { elementOf, tensorBytes } from './elements.ts';
import type { ExternalData, HeadTensor, OversizedTensor } from './graph.ts';
import { Broken, FIXED32, LEN, type Source, VARINT, type Walk } from './source.ts';

/** What a walk finds about tensors, wherever in the file they stand. */
export interface TensorFindings {
  external: ExternalData[];
  oversized: OversizedTensor[];
}

/** Integer tensors of at most this many elements (shapes, axes) are part of the structure and are kept. */
const KEPT_ELEMENTS = 16;
const KEPT_BYTES = KEPT_ELEMENTS * 8;
/** The runtime takes no tensor of more dimensions. */
const MAX_RANK = 64;
/** A sparse tensor is unfolded into one protobuf field, which cannot be longer. */
const MAX_UNFOLDED = 2n ** 31n;

/** TensorProto, by field number. */
const FLOAT_DATA = 4;
const INT32_DATA = 5;
const STRING_DATA = 6;
const INT64_DATA = 7;
const RAW_DATA = 9;
const DOUBLE_DATA = 10;
const UINT64_DATA = 11;

/** What a tensor holds inside of the file. */
interface Held {
  bytes: bigint;
  /** Entries of int32_data, int64_data, uint64_data and string_data; of packed ones at most as many as their bytes. */
  entries: bigint;
  raw?: Uint8Array;
  ints: bigint[];
  /** More elements came than are kept. */
  many: boolean;
}

interface Location {
  external: boolean;
  entries: Map<string, string>;
}

/** A TensorProto that ends at `end`. Its data is skipped, a few integers apart. */
export function* readTensor(source: Source, end: number, findings: TensorFindings): Walk<HeadTensor> {
  source.keep(200);
  const tensor: HeadTensor = { name: '', elementType: 0, dims: [], sparse: false, external: false };
  const held: Held = { bytes: 0n, entries: 0n, ints: [], many: false };
  const location: Location = { external: false, entries: new Map() };
  while (source.pos < end) {
    if (source.short) yield* source.fill();
    source.next(end);
    switch (source.field) {
      case 1:
        yield* readDims(source, tensor.dims);
        break;
      case 2:
        source.expect(VARINT);
        tensor.elementType = source.int32;
        break;
      case 8:
        tensor.name = yield* source.name();
        break;
      case 13:
        source.expect(LEN);
        yield* readEntry(source, source.stop, location.entries);
        break;
      case 14:
        source.expect(VARINT);
        location.external = source.number === 1;
        break;
      default:
        yield* readData(source, held);
    }
  }
  const ints = smallIntegers(tensor, held);
  if (ints) tensor.ints = ints;
  tensor.external = location.external;
  if (location.external) findings.external.push(externalData(tensor, location.entries));
  else checkHeld(tensor, held, findings);
  return tensor;
}

/** A SparseTensorProto that ends at `end`; its dims are those of the dense tensor. */
export function* readSparse(source: Source, end: number, findings: TensorFindings): Walk<HeadTensor> {
  const dense: HeadTensor = { name: '', elementType: 0, dims: [], sparse: true, external: false };
  while (source.pos < end) {
    if (source.short) yield* source.fill();
    source.next(end);
    if (source.field === 3) yield* readDims(source, dense.dims);
    else if (source.field === 1 || source.field === 2) {
      const values = source.field === 1;
      source.expect(LEN);
      const tensor = yield* readTensor(source, source.stop, findings);
      if (values) {
        dense.name = tensor.name;
        dense.elementType = tensor.elementType;
        dense.external = tensor.external;
      }
    } else source.skip();
  }
  const declared = tensorBytes(dense.elementType, dense.dims) ?? 0n;
  if (declared >= MAX_UNFOLDED) {
    findings.oversized.push({ tensor: dense.name, declared, held: MAX_UNFOLDED, unit: 'bytes', sparse: true });
  }
  return dense;
}

/** One dimension, or a packed list of them. */
function* readDims(source: Source, dims: bigint[]): Walk<void> {
  if (source.wire === VARINT) dims.push(source.bigint);
  else {
    source.expect(LEN);
    const stop = source.stop;
    while (source.pos < stop) {
      if (source.short) yield* source.fill();
      source.element(stop);
      dims.push(source.bigint);
      if (dims.length > MAX_RANK) break;
    }
  }
  if (dims.length > MAX_RANK) throw new Broken('onnx-malformed', `a tensor has more than ${MAX_RANK} dimensions`);
}

/** A StringStringEntryProto. The last value of a key counts, as it does to the runtime. */
export function* readEntry(source: Source, end: number, entries: Map<string, string>): Walk<void> {
  source.keep(100);
  let key = '';
  let value = '';
  while (source.pos < end) {
    if (source.short) yield* source.fill();
    source.next(end);
    if (source.field === 1) key = yield* source.text();
    else if (source.field === 2) value = yield* source.text();
    else source.skip();
  }
  entries.set(key, value);
}

function* readData(source: Source, held: Held): Walk<void> {
  const { field, stop } = source;
  const length = BigInt(stop - source.pos);
  switch (field) {
    case RAW_DATA:
      source.expect(LEN);
      held.bytes += length;
      if (length <= KEPT_BYTES) held.raw = (yield* source.payload(KEPT_BYTES)).slice();
      break;
    case FLOAT_DATA:
    case DOUBLE_DATA:
      held.bytes += length;
      break;
    case STRING_DATA:
      source.expect(LEN);
      held.entries += 1n;
      break;
    case INT32_DATA:
    case INT64_DATA:
    case UINT64_DATA:
      yield* readIntegers(source, held);
      break;
    default:
  }
  source.pos = stop;
}

function* readIntegers(source: Source, held: Held): Walk<void> {
  if (source.wire === VARINT) {
    held.entries += 1n;
    keepInteger(source, held);
    return;
  }
  source.expect(LEN);
  const stop = source.stop;
  held.entries += BigInt(stop - source.pos);
  while (source.pos < stop && !held.many) {
    if (source.short) yield* source.fill();
    source.element(stop);
    keepInteger(source, held);
  }
}

function keepInteger(source: Source, held: Held): void {
  if (held.ints.length < KEPT_ELEMENTS) held.ints.push(source.bigint);
  else held.many = true;
}

/** The elements of a short integer tensor; undefined for every other. */
function smallIntegers({ elementType, dims }: HeadTensor, { raw, ints, many }: Held): bigint[] | undefined {
  const element = elementOf(elementType);
  if (!element?.integer || element.bits < 8) return undefined;
  const count = dims.reduce((product, dim) => (product > KEPT_BYTES ? product : product * dim), 1n);
  const width = element.bits / 8;
  if (raw && raw.length === Number(count) * width) {
    return Array.from({ length: raw.length / width }, (_, index) =>
      littleEndian(raw.subarray(index * width, (index + 1) * width), element.name.startsWith('int')),
    );
  }
  return !raw && !many && BigInt(ints.length) === count ? ints : undefined;
}

function littleEndian(bytes: Uint8Array, signed: boolean): bigint {
  const value = bytes.reduceRight((total, byte) => (total << 8n) | BigInt(byte), 0n);
  return signed ? BigInt.asIntN(bytes.length * 8, value) : value;
}

function externalData(tensor: HeadTensor, entries: Map<string, string>): ExternalData {
  const length = wholeNumber(tensor, 'length', entries.get('length'));
  const declared = tensorBytes(tensor.elementType, tensor.dims);
  return {
    tensor: tensor.name,
    location: entries.get('location') ?? '',
    offset: wholeNumber(tensor, 'offset', entries.get('offset')) ?? 0n,
    ...(length === undefined ? {} : { length }),
    ...(declared === undefined ? {} : { declared }),
  };
}

function wholeNumber(tensor: HeadTensor, key: string, text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,19}$/.test(text)) return BigInt(text);
  throw new Broken('onnx-malformed', `the external data of tensor '${tensor.name}' has the ${key} '${text}'`);
}

function checkHeld(tensor: HeadTensor, held: Held, { oversized }: TensorFindings): void {
  const name = tensor.name;
  if (elementOf(tensor.elementType)?.name === 'string') {
    // Strings have no fixed size, so their elements are counted: as many bits as there would be bytes.
    const declared = tensorBytes(2, tensor.dims)!;
    if (declared > held.entries)
      oversized.push({ tensor: name, declared, held: held.entries, unit: 'strings', sparse: false });
    return;
  }
  const declared = tensorBytes(tensor.elementType, tensor.dims);
  if (declared === undefined) return;
  const width = BigInt(Math.ceil(elementOf(tensor.elementType)!.bits / 8));
  const most = held.bytes + held.entries * width;
  if (declared > most) oversized.push({ tensor: name, declared, held: most, unit: 'bytes', sparse: false });
}

/** Floats of a list, by their number alone: a packed list or a single one. */
export function floatCount(source: Source): number {
  if (source.wire === FIXED32) return 1;
  source.expect(LEN);
  return (source.stop - source.pos) / 4;
}
