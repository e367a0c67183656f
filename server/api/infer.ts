import { answer, run } from './answer.ts';
import type { ApiContext } from './context.ts';
import type { Infer } from './direct.ts';
import { parseInferRequest } from './infer-request.ts';
import { inferResponse } from './infer-response.ts';
import { applyParameters } from './queue-parameters.ts';
import { LENGTH_HEADER } from './request-body.ts';
import { headerOf } from './routes.ts';

/** Answers inferences of the Open Inference Protocol, whoever hands them on. */
export function inference(context: ApiContext): Infer {
  return (env, target) =>
    answer(context, env, target, async (version, body, ticket) => {
      const length = headerOf(env, LENGTH_HEADER);
      const request = parseInferRequest(body, length, version.signature, context.maxJsonBytes);
      applyParameters(ticket, request.parameters);
      const names = request.outputs?.map(({ name }) => name);
      return inferResponse(version, request, await run(context, version, ticket, request.inputs, names));
    });
}
