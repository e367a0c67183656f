import { type BenchIo, type BenchResult, tellFigures } from '../bench/verdict.ts';
import { type Command, type CommandOption, type Context, INTERRUPTED } from './command.ts';
import { asOptions, type NumberOptions, readNumbers } from './number-option.ts';

const FIGURES_OPTION: CommandOption = { type: 'string', value: 'FILE', about: 'the figures, and each round, as JSON' };

/** A bench whose figures are held against limits; ends with 1 where one is missed. */
export function figureCommand<Options extends NumberOptions>({
  numbers,
  options = {},
  bench,
  ...texts
}: Pick<Command, 'summary' | 'about' | 'options' | 'settings'> & {
  numbers: Options;
  bench(options: ReturnType<typeof readNumbers<Options>>, io: BenchIo, context: Context): Promise<BenchResult>;
}): Command {
  return {
    ...texts,
    usage: '[OPTIONS]',
    options: { ...options, ...asOptions(numbers), json: FIGURES_OPTION },
    async run(context) {
      const { values, out, err, signal } = context;
      try {
        const result = await bench(readNumbers(numbers, values), { out, signal }, context);
        return tellFigures(result, { out, json: values['json'] as string | undefined }) ? 0 : 1;
      } catch (error) {
        if (!signal.aborted) throw error;
        err.write('kedge: interrupted.\n');
        return INTERRUPTED;
      }
    },
  };
}
