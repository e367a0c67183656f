import type { HttpBindings } from '@hono/node-server';
import { hasCode } from '../../contract/errors.ts';
import type { Tensors } from '../../contract/tensor.ts';
import { ClientGone } from '../gate/client-gone.ts';
import type { Ticket } from '../gate/ticket.ts';
import type { ServedVersion } from '../lifecycle/served-version.ts';
import { failureOf, type RequestWork } from '../work-stats.ts';
import { readBody } from './body.ts';
import { limitOf } from './body-limit.ts';
import type { ApiContext } from './context.ts';
import { answerEncoding, compress, type Encoding } from './encoding.ts';
import { errorReply, statusOf } from './errors.ts';
import type { BinaryReply } from './infer-response.ts';
import { pickVersion } from './pick.ts';
import type { Reply } from './reply.ts';
import { headerOf } from './routes.ts';

/** Who is asked: a model, and a version of it if the path names one. A label says so when it is asked, or throws. */
export interface Target {
  model: string;
  version: string | undefined | (() => string);
}

/**
 * Answers one request for a prediction: reads the body, holds the version that answers from before its body is understood
 * until its answer is made, so that answer and version always agree, and counts what came of it.
 * @param respond the JSON of the answer
 */
export async function answer(
  context: ApiContext,
  env: HttpBindings,
  target: Target,
  respond: (version: ServedVersion, body: Buffer, ticket: Ticket) => Promise<string | BinaryReply>,
): Promise<Reply> {
  const { stats, table, gate, accessLog } = context;
  const began = stats.now();
  stats.inflight.begin(began);
  let asked: ServedVersion | undefined;
  /** Held until the answer is made. */
  let version: ServedVersion | undefined;
  let ticket: Ticket | undefined;
  let error: unknown;
  let status = 200;
  try {
    // Who asks for nothing that is here shall not send its body first.
    const named = typeof target.version === 'function' ? target.version() : target.version;
    asked = pickVersion(table, target.model, named);
    ticket = gate.ask(env.outgoing, asked.model, headerOf(env, 'kedge-timeout-ms'), began * 1_000);
    gate.check(ticket, asked, began * 1_000);
    const [first, admitted] = [asked, ticket];
    const take = (bytes: number): void => gate.take(admitted, first, bytes);
    const body = await readBody(env.incoming, limitOf(env.incoming.headers, context), take);
    const chosen = pickVersion(table, target.model, named);
    if (!chosen.isReady) await table.wake(chosen, ticket.leftMs(stats.now() * 1_000));
    chosen.enter();
    version = chosen;
    ticket.bytes = body.length;
    ticket.readAt = stats.now();
    const said = await respond(chosen, body, ticket);
    const reply = replyOf(said, chosen, headerOf(env, 'accept-encoding'));
    const whole = reply instanceof Promise ? await reply : reply;
    if (ticket.aborted) throw new ClientGone();
    return whole;
  } catch (thrown) {
    if (ticket) gate.bytes.release(ticket);
    if (hasCode(thrown, 'overloaded')) await context.pace.hold(gate.requestMs(stats.now() * 1_000));
    error = thrown;
    // Of a client that is gone nobody reads what became of its request.
    status = env.outgoing.destroyed ? 499 : statusOf(thrown);
    return errorReply(thrown, accessLog.logOf(env, status), { headers: version?.headers });
  } finally {
    if (ticket) gate.bytes.release(ticket);
    version?.leave();
    const ended = stats.now();
    stats.inflight.end(ended);
    const counted = version ?? asked;
    const counts = counted
      ? stats.of(counted.model, String(counted.version))
      : stats.of(table.model(target.model) ? target.model : '', '');
    counts.count(status, ended - began);
    if (ticket && ticket.ranAt > 0) counts.inference.observe(ticket.ranAt - ticket.runAt);
    if (version && ticket && error === undefined) {
      counts.work.succeed(workOf(ticket, { began, ended }), ended);
      if (ticket.ranAt > 0) gate.answered(ticket, version, ended * 1_000);
    } else if (counted) counts.work.failed(failureOf(error, ticket?.leftMs(ended * 1_000)), (ended - began) * 1_000);
    if (accessLog.wants(status)) {
      accessLog.write(env, { model: counts.model, version: counts.version, status, began, ticket, error });
    }
  }
}

/** Where the time of an answered request went. A request that needed no run spent it all on being read. */
function workOf(
  { readAt, runAt, ranAt, rows, times }: Ticket,
  { began, ended }: { began: number; ended: number },
): RequestWork {
  return {
    totalMs: (ended - began) * 1_000,
    inputMs: ((runAt || ended) - readAt) * 1_000,
    outputMs: ranAt === 0 ? 0 : (ended - ranAt) * 1_000,
    rows,
    times,
  };
}

/** Plain JSON goes out as it is, unless the client takes it compressed and it is long. */
function replyOf(
  said: string | BinaryReply,
  { headers }: ServedVersion,
  accepted: string | undefined,
): Reply | Promise<Reply> {
  const body = typeof said === 'string' ? said : said.body;
  const all = typeof said === 'string' ? headers : { ...headers, ...said.headers };
  const encoding = answerEncoding(accepted, body.length);
  return encoding ? compressed(body, encoding, all) : { status: 200, headers: all, body };
}

async function compressed(
  body: string | Uint8Array,
  encoding: Encoding,
  headers: Readonly<Record<string, string>>,
): Promise<Reply> {
  const packed = await compress(body, encoding);
  return { status: 200, headers: { ...headers, 'content-encoding': encoding, vary: 'accept-encoding' }, body: packed };
}

/** One inference, admitted and timed. @throws KedgeError `overloaded`, and as {@link ServedVersion.run} does */
export async function run(
  { gate, stats }: ApiContext,
  version: ServedVersion,
  ticket: Ticket,
  inputs: Tensors,
  outputs?: readonly string[],
): Promise<Tensors> {
  const began = stats.now();
  ticket.runAt = began;
  gate.enter(ticket, version, inputs, began * 1_000);
  let failure: unknown;
  try {
    return await version.run(inputs, outputs, ticket);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    const ended = stats.now();
    ticket.ranAt = ended;
    gate.leave(ticket, ended * 1_000, failure);
  }
}
