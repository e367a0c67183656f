import type { Log } from '../../platform/log.ts';
import type { Wish } from './load-queue.ts';
import { type Action, nextActions, nextRetry, type PolicyOptions, wakeable } from './policy.ts';
import type { ServedModel } from './served-model.ts';
import type { ServedVersion } from './served-version.ts';

export interface Stepped {
  /** What is to be loaded, the most urgent first. */
  wishes: Wish[];
  /** When there is more to do though nothing changes but the time, in milliseconds since the epoch. */
  retryAt: number | undefined;
}

/** Asks the policy what to do next for a model, and does all of it but the loads, which have to wait for their turn. */
export function stepModel(model: ServedModel, options: PolicyOptions, log: Log): Stepped {
  const view = model.view();
  const wishes: Wish[] = [];
  for (const action of nextActions(view, options)) {
    const version = model.versions.find(({ digest }) => digest === action.id);
    if (action.do === 'load') wishes.push(wishOf(model, version!, wishes.length, action.spare));
    else act(model, action, version, log);
  }
  const wakes = wakeable(view, options);
  model.wakes = new Set(model.versions.filter(({ digest }) => wakes.ids.has(digest)));
  model.wakeTarget = model.versions.find(({ digest }) => digest === wakes.target);
  return { wishes, retryAt: nextRetry(view, options) };
}

function wishOf(model: ServedModel, version: ServedVersion, rank: number, spare: boolean): Wish {
  return { model: model.name, asked: version.demanded, dark: model.active === undefined, rank, spare, version };
}

function act(
  model: ServedModel,
  action: Exclude<Action, { do: 'load' }>,
  version: ServedVersion | undefined,
  log: Log,
): void {
  if (action.do === 'activate') {
    const before = model.active?.version;
    model.active = version;
    log.info(
      { model: model.name, version: version?.version, digest: version?.digest, before },
      version ? `${model.name} answers with version ${version.version}` : `${model.name} answers no more`,
    );
  } else if (action.do === 'drain') version!.drain();
  else if (action.do === 'resume') version!.resume();
  else if (action.do === 'fail') version!.fail();
  else model.versions = model.versions.filter((one) => one !== version);
}
