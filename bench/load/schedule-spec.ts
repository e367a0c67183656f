import { KedgeError, messageOf } from '../../contract/errors.ts';
import { nearest } from '../../contract/nearest.ts';
import { inSequence, peakOf, type Schedule } from './schedule.ts';
import { cut, ramp, recorded, scheduleOf, sine, spike, steps } from './shapes.ts';
import { readTrace } from './trace.ts';

/** An example of each shape, and what it means. */
const EXAMPLES = {
  constant: ['constant:100/30s', '100 requests a second, evenly spaced, for 30 s'],
  poisson: ['poisson:100/30s', 'the same at random, as many independent clients send'],
  steps: ['steps:10,50,100/90s', 'one rate after another, here 30 s each'],
  ramp: ['ramp:10..200/60s', 'evenly from one rate to the other; ramp:10..200..10/60s comes back'],
  sine: ['sine:10..200/10m,period=5m', 'up and down again in each period; once if no period is given'],
  spike: ['spike:10..200/60s,at=20s,for=5s', 'a base, and a peak at a time for a time'],
  trace: ['trace:rates.csv,times=2,for=5m', 'rows of seconds and rates; here twice the rates, of the first 5 minutes'],
} as const;

type Shape = keyof typeof EXAMPLES;

const WIDTH = Math.max(...Object.values(EXAMPLES).map(([form]) => form.length));

/** A line of help for each shape. */
export const SHAPES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(EXAMPLES).map(([shape, [form, about]]) => [shape, `${form.padEnd(WIDTH)}  ${about}`]),
);

/** `+` joins two parts where a shape follows. */
const JOINT = /\+(?=[a-z]+:)/;
const DURATION = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h)?$/;
const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3_600 };
/** Numbers that no machine sends. */
const MAX_RATE = 1e7;

/**
 * A schedule from its form on the command line: `SHAPE:RATES/DURATION[,OPTION…]`, or several of them joined with `+`. Every shape takes the options `poisson` and `even`.
 * @param read the text of a file
 * @throws KedgeError `config-invalid` or `data-invalid` that says what to write instead
 */
export function parseSchedule(spec: string, read: (file: string) => string): Schedule {
  const schedule = inSequence(spec.split(JOINT).map((part) => parsePart(part, read)));
  if (peakOf(schedule) === 0) throw specError(spec, 'its rate is 0 throughout');
  return schedule;
}

/**
 * A recorded load alone, from its file, whatever that is called: in a form such as `trace:rates.csv,times=2` options follow the first comma.
 * @param read the text of a file
 * @throws KedgeError `config-invalid` or `data-invalid`
 */
export function traceSchedule(file: string, read: (file: string) => string): Schedule {
  const schedule = scheduleOf(recorded(readTrace(read(file), file)), false);
  if (peakOf(schedule) === 0) throw new KedgeError('data-invalid', `The trace ${file}: its rate is 0 throughout.`);
  return schedule;
}

/** Seconds from `500ms`, `30s`, `5m`, `1h` or plain seconds; undefined where it is none. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit = 's'] = DURATION.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * UNITS[unit]!;
}

function specError(part: string, problem: string, shape?: Shape): KedgeError {
  const known = Object.values(EXAMPLES).map(([form]) => form);
  const hint = shape ? `Write it as in ${EXAMPLES[shape][0]}` : `Shapes are ${known.join(' ')}`;
  return new KedgeError('config-invalid', `The load '${part}': ${problem}. ${hint}`);
}

function parsePart(part: string, read: (file: string) => string): Schedule {
  const [name = '', ...others] = part.split(':');
  const shape = Object.hasOwn(EXAMPLES, name) ? (name as Shape) : undefined;
  if (!shape) {
    const meant = nearest(name, Object.keys(EXAMPLES));
    throw specError(part, `there is no shape '${name}'`, meant as Shape | undefined);
  }
  const fail = (problem: string): never => {
    throw specError(part, problem, shape);
  };
  const rest = others.join(':');
  const reader = new Words(rest, shape, fail);
  const lines = shape === 'trace' ? recordedLines(reader, read) : linesOf(shape, reader, fail);
  const random = reader.random ?? shape === 'poisson';
  reader.end();
  return scheduleOf(lines, random);
}

function recordedLines(words: Words, read: (file: string) => string): ReturnType<typeof recorded> {
  const points = readTrace(textOf(words, read), words.head);
  const times = words.rate('times') ?? 1;
  const lines = recorded(points).map((line) => ({
    ...line,
    startRate: line.startRate * times,
    endRate: line.endRate * times,
  }));
  const seconds = words.duration('for');
  return seconds === undefined ? lines : cut(lines, seconds);
}

function textOf({ head, hasOptions }: Words, read: (file: string) => string): string {
  try {
    return read(head);
  } catch (error) {
    if (!hasOptions) throw error;
    const hint = 'What follows a comma is taken for options, so the name of the file must have none before a letter.';
    throw new KedgeError('config-invalid', `${messageOf(error)}. ${hint}`, { cause: error });
  }
}

function linesOf(shape: Exclude<Shape, 'trace'>, words: Words, fail: (problem: string) => never) {
  const { rates, seconds } = words.ratesAndDuration();
  const two = (what: string): readonly [number, number] =>
    rates.length === 2 ? [rates[0]!, rates[1]!] : fail(`it takes two rates, ${what}`);
  switch (shape) {
    case 'constant':
    case 'poisson':
      return rates.length === 1 ? steps(rates, seconds) : fail('it takes one rate');
    case 'steps':
      return steps(rates, seconds);
    case 'ramp':
      return rates.length > 1 ? ramp(rates, seconds) : fail('it takes two rates or more');
    case 'sine': {
      const [low, high] = two('the lowest and the highest');
      return sine({ low, high, period: words.duration('period') ?? seconds }, seconds);
    }
    case 'spike': {
      const [base, peak] = two('the base and the peak');
      const start = words.moment('at') ?? seconds / 3;
      const length = words.duration('for') ?? seconds / 6;
      if (start + length > seconds) fail(`its peak ends after ${start + length} s, and it lasts ${seconds} s`);
      return spike({ base, peak, start, length }, seconds);
    }
  }
}

/** What stands behind the name of a shape, taken word by word. */
class Words {
  /** What comes before the options. */
  readonly head: string;
  readonly #fail: (problem: string) => never;
  readonly #shape: Shape;
  readonly #options = new Map<string, string | undefined>();

  constructor(rest: string, shape: Shape, fail: (problem: string) => never) {
    this.#fail = fail;
    this.#shape = shape;
    const [, head = '', options] = /^(.*?)(?:,([a-z].*))?$/s.exec(rest)!;
    this.head = head;
    for (const word of options?.split(',') ?? []) {
      const [name = '', value] = word.split('=');
      if (this.#options.has(name)) fail(`${name} is given twice`);
      this.#options.set(name, value);
    }
  }

  get hasOptions(): boolean {
    return this.#options.size > 0;
  }

  /** Whether arrivals are at random, where it says so. */
  get random(): boolean | undefined {
    const poisson = this.#options.delete('poisson');
    const even = this.#options.delete('even');
    if (poisson && even) this.#fail('it cannot be both poisson and even');
    return poisson || even ? poisson : undefined;
  }

  ratesAndDuration(): { rates: number[]; seconds: number } {
    const [, ratesText = '', durationText] = /^([^/]*)(?:\/(.*))?$/s.exec(this.head)!;
    if (durationText === undefined) this.#fail('it does not say how long it takes');
    const seconds = this.#lengthOf(durationText!);
    const rates = ratesText.split(this.#shape === 'steps' ? ',' : '..').map((text) => this.#rateOf(text));
    return { rates, seconds };
  }

  rate(name: string): number | undefined {
    const text = this.#take(name);
    return text === undefined ? undefined : this.#rateOf(text);
  }

  duration(name: string): number | undefined {
    const text = this.#take(name);
    if (text === undefined) return undefined;
    return this.#lengthOf(text);
  }

  /** Seconds from the start, 0 included. */
  moment(name: string): number | undefined {
    const text = this.#take(name);
    return text === undefined ? undefined : (parseDuration(text) ?? this.#fail(`'${text}' is no time`));
  }

  end(): void {
    const [left] = this.#options.keys();
    if (left !== undefined) this.#fail(`there is no option '${left}' here`);
  }

  #take(name: string): string | undefined {
    if (!this.#options.has(name)) return undefined;
    const text = this.#options.get(name) ?? this.#fail(`${name} needs a value, as in ${name}=…`);
    this.#options.delete(name);
    return text;
  }

  #lengthOf(text: string): number {
    return parseDuration(text) || this.#fail(`'${text}' is no duration over 0`);
  }

  #rateOf(text: string): number {
    const rate = text.trim() === '' ? Number.NaN : Number(text);
    if (rate >= 0 && rate <= MAX_RATE) return rate;
    return this.#fail(`'${text}' is no rate in requests per second`);
  }
}
