import type { Log } from '../../platform/log.ts';
import type { Victim } from './room.ts';
import type { ServedModel } from './served-model.ts';
import type { ServedVersion } from './served-version.ts';

/** What could be released for the sake of `needy`: versions held for a quick way back alone, and lazy models, once nobody asks for them. */
export function victimsFor(
  needy: ServedVersion,
  models: Iterable<ServedModel>,
  bytesOf: (version: ServedVersion) => number | undefined,
): Victim<ServedVersion>[] {
  return [...models].flatMap((model) =>
    model.versions.flatMap((version): Victim<ServedVersion>[] => {
      const kind = version.isReady && version !== needy ? model.dispensable(version) : undefined;
      if (!kind) return [];
      const bytes = bytesOf(version) ?? 0;
      return [{ version, bytes, kind, own: model.name === needy.model, lastUsed: version.lastUsed }];
    }),
  );
}

/** Releases a version for its memory. With the one that answers all others go, so that an older one never takes its place. */
export function giveUp(model: ServedModel, version: ServedVersion, log: Log): void {
  log.info(
    { model: model.name, version: version.version, digest: version.digest },
    `${model.name} version ${version.version} is given up, as its memory is needed`,
  );
  const others = model.active === version ? model.versions.filter((one) => one.isReady && one !== version) : [];
  model.giveUp(version);
  for (const one of [version, ...others]) if (one.isReady) one.drain({ givenUp: true });
}
