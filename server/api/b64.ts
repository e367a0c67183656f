import { bytesOfText, hasStandIns, type TextMarks } from './byte-strings.ts';
import { invalid, isObject } from './parse.ts';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** `{"b64": "…"}`: bytes, as TensorFlow Serving has them in JSON. */
export function isEncodedBytes(value: unknown): value is { b64: unknown } {
  return isObject(value) && Object.hasOwn(value, 'b64') && Object.keys(value).length === 1;
}

/** Values of an input of strings, nested or not, with text for each `{"b64"}`. @throws KedgeError `request-invalid` */
export function textsOf(where: string, value: unknown, marks: TextMarks): unknown {
  if (Array.isArray(value)) return value.map((item) => textsOf(where, item, marks));
  if (typeof value === 'string') return marks.seeText(value);
  if (!isEncodedBytes(value)) return value;
  const { b64 } = value;
  if (typeof b64 !== 'string' || !BASE64.test(b64)) throw invalid(`${where}: b64 must be a string of base64.`);
  return marks.textOf(Buffer.from(b64, 'base64'));
}

/** A string as an answer has it: as bytes where it is none in UTF-8, and where the name of the output asks for them. */
export function textOrBytes(name: string, text: string, standIns: boolean): unknown {
  const asBytes = name.endsWith('_bytes') || (standIns && hasStandIns(text));
  return asBytes ? { b64: bytesOfText(text, standIns).toString('base64') } : text;
}
