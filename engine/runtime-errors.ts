import { KedgeError, messageOf } from '../contract/errors.ts';

/**
 * The runtime throws plain errors without codes, so their words must tell whose fault it was. The graph was accepted at
 * load, so an operator that refuses at run time refuses the shapes or the values of the request (a broadcast that does not fit, an
 * index out of range, a division by zero): the client's. Memory that could not be had, an operator without an
 * implementation, and everything unknown are ours.
 */
const FEEDS = /^(Got invalid dimensions for input|Invalid rank for input|Unexpected input data type)/;
const OPERATOR = /^Non-zero status code returned while running/;
const OURS = /failed to allocate|bad_alloc|out of memory|not (yet )?(implemented|supported)|unimplemented/i;

/** Longest text of the runtime that is passed on. */
const MAX_TEXT = 600;

/** What a failed run means. `name` says which model. */
export function runError(thrown: unknown, name: string): KedgeError {
  if (thrown instanceof KedgeError) return thrown;
  const text = cleanRuntimeText(messageOf(thrown));
  if (!OURS.test(text) && (FEEDS.test(text) || OPERATOR.test(text))) {
    return new KedgeError('request-invalid', `${name} cannot take these inputs: ${text}`, { cause: thrown });
  }
  return new KedgeError('engine-failed', `The runtime failed on ${name}: ${text}`, { cause: thrown });
}

/** What a failed load means. `dir` is taken out of the runtime's words. */
export function loadError(thrown: unknown, name: string, dir: string): KedgeError {
  if (thrown instanceof KedgeError) return thrown;
  const text = cleanRuntimeText(messageOf(thrown), dir);
  const remedy = REMEDIES.find(([pattern]) => pattern.test(text))?.[1];
  const sentence = remedy ? `${text.replace(/\.$/, '')}. ${remedy}` : text;
  return new KedgeError('engine-failed', `The runtime cannot load ${name}: ${sentence}`, { cause: thrown });
}

const REMEDIES: readonly [RegExp, string][] = [
  [
    /Failed to construct locale with name/,
    'Install that locale in the image, or export the model without it (for a TfidfVectorizer or CountVectorizer: lowercase=False).',
  ],
  [/max supported IR version/, 'Export the model with an older IR version.'],
  [/is till opset \d+/, 'Export the model with an older opset.'],
  [/is not a registered function\/op/, 'Export the model without that operator.'],
];

/** A parenthesised list with one level of parentheses inside, as C++ writes parameters. */
const PARENTHESES = String.raw`\((?:[^()]|\([^()]*\))*\)`;
/** `/onnxruntime_src/…/model.cc:187 onnxruntime::Model::Model(…) `: where in the runtime's source it was thrown. */
const SOURCE_WITH_SIGNATURE = new RegExp(
  String.raw`/onnxruntime_src/\S+?:\d+ (?:[^()]*?::[^()]*?${PARENTHESES}(?: const)?(?:::<lambda${PARENTHESES}>)? (?:\[with [^\]]*\] )?)?`,
  'g',
);
/** `element_wise_ops.cc:692 Compute `: the same in short. */
const SOURCE_WITH_FUNCTION = /\b\w+\.(?:cc|h):\d+ \w+ /g;

/** The runtime's own words without places in its source, without the folder of the model, on one line, of bounded length. */
export function cleanRuntimeText(text: string, dir?: string): string {
  const local = dir ? text.replaceAll(`${dir}/`, '').replaceAll(dir, '.') : text;
  const words = local
    .replace(SOURCE_WITH_SIGNATURE, '')
    .replace(SOURCE_WITH_FUNCTION, '')
    .replace(/failed:(?=\S)/, 'failed: ')
    .replace(/Name:'' /, '')
    .replace(/\s+/g, ' ')
    .trim();
  return words.length > MAX_TEXT ? `${words.slice(0, MAX_TEXT)}…` : words;
}
