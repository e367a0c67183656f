import { type Figure, never } from '../verdict.ts';

/** For each client: bytes of models that it had not fetched at the end of a round and another client had in some round, over all rounds. */
export function missingBytes(
  names: readonly string[],
  rounds: readonly ReadonlyMap<string, { bytes: number }>[],
): Figure[] {
  const most = Math.max(...rounds.flatMap((round) => [...round.values()].map(({ bytes }) => bytes)));
  return names.map((name) =>
    never(
      `${name}: bytes of models that are missing`,
      rounds.map((round) => most - round.get(name)!.bytes),
    ),
  );
}
