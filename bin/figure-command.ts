import { type BenchIo, type BenchResult, tellFigures } from '../bench/verdict.ts';
import type { Command, CommandOption } from './command.ts';
import { asOptions, type NumberOptions, readNumbers } from './number-option.ts';

/** What a shell reports for a program that Ctrl-C ended. */
const INTERRUPTED = 130;

const FIGURES_OPTION: CommandOption = { type: 'string', value: 'FILE', about: 'the figures, and each round, as JSON' };

/** A bench whose figures are held against limits; ends with 1 where one is missed. */
export function figureCommand<Options extends NumberOptions>({
  numbers,
  bench,
  ...texts
}: Pick<Command, 'summary' | 'about'> & {
  numbers: Options;
  bench(options: ReturnType<typeof readNumbers<Options>>, io: BenchIo): Promise<BenchResult>;
}): Command {
  return {
    ...texts,
    usage: '[OPTIONS]',
    options: { ...asOptions(numbers), json: FIGURES_OPTION },
    async run({ values, out, err, signal }) {
      try {
        const result = await bench(readNumbers(numbers, values), { out, signal });
        return tellFigures(result, { out, json: values['json'] as string | undefined }) ? 0 : 1;
      } catch (error) {
        if (!signal.aborted) throw error;
        err.write('kedge: interrupted.\n');
        return INTERRUPTED;
      }
    },
  };
}
