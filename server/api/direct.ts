import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import type { Target } from './answer.ts';
import { drain } from './body.ts';
import type { ApiContext } from './context.ts';
import { type Reply, sendReply } from './reply.ts';

/** Answers an inference; never rejects. */
export type Infer = (env: HttpBindings, target: Target) => Promise<Reply>;

/** Takes a request, or says that it does not. */
export type Direct = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;

/** The path of an inference as clients write it, with nothing in it that would have to be decoded. */
const INFER = /^\/v2\/models\/([a-z0-9][a-z0-9._-]{0,127})(?:\/versions\/(\d{1,16}))?\/infer$/;
/** With a port below 65000, if any: others are the adapter's to judge. */
const PLAIN_HOST = /^[a-z0-9._-]+(?::(?:\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}))?$/;

/**
 * Takes inferences straight from Node and writes their answers to it, past the adapter and Hono, whose request, context, router and response
 * cost as much as the inference of a small model. Whatever is not plain here, and whoever may not ask, goes on to Hono, which
 * decides it.
 * @returns whether a request was taken
 */
export function directInference({ access, log }: Pick<ApiContext, 'access' | 'log'>, infer: Infer): Direct {
  const serve = async (env: HttpBindings, target: Target): Promise<void> => {
    const { incoming, outgoing } = env;
    try {
      sendReply(outgoing, await infer(env, target));
      if (!incoming.complete) drain(incoming);
    } catch (error) {
      log.error({ err: error }, 'unexpected error while writing an answer');
      outgoing.destroy();
    }
  };
  return (incoming, outgoing) => {
    if (incoming.method !== 'POST') return false;
    const match = INFER.exec(incoming.url!);
    if (!match || !PLAIN_HOST.test(incoming.headers.host ?? '')) return false;
    const model = match[1]!;
    if (!access.allows(incoming, { scope: 'predict', model })) return false;
    void serve({ incoming, outgoing }, { model, version: match[2] });
    return true;
  };
}
