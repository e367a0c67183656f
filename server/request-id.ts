import type { IncomingMessage, ServerResponse } from 'node:http';

/** What identifies a request in logs. Field names are those of OpenTelemetry's log records, in the spelling of this log. */
export interface RequestIds {
  requestId: string;
  traceId?: string;
  /** Of the caller's span: the server makes none of its own. */
  spanId?: string;
}

/** The caller's place in a distributed trace. */
export interface TraceContext {
  traceId: string;
  spanId: string;
  sampled: boolean;
}

const ID_HEADER = 'x-request-id';

/** UUIDs, hex, base64 and the paths that proxies make of them; nothing that would need quoting in a log or a header, and no lists. */
const ID = /^[\w.:/+=@~-]{1,128}$/;

/** `version-traceid-parentid-flags`; what later versions add comes behind another dash. */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** The id that a client or proxy gave a request; undefined for what is too long or has odd characters: it counts as absent. */
export function requestIdOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && ID.test(value) ? value : undefined;
}

/**
 * A `traceparent` header as W3C Trace Context has it (section 3.2): a later version is read as far as this one goes, and what is not
 * valid counts as absent.
 */
export function parseTraceparent(value: string | string[] | undefined): TraceContext | undefined {
  if (typeof value !== 'string') return undefined;
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(value) ?? [];
  if (traceId === undefined || (version === '00' && more !== undefined)) return undefined;
  return { traceId, spanId: spanId!, sampled: (Number.parseInt(flags!, 16) & SAMPLED) === SAMPLED };
}

/**
 * Gives an answer the ids of its request, whatever it answers; called when its head is about to be written. A request without them pays
 * two look-ups.
 *
 * The trace goes out as `traceresponse`, the header that W3C drafts for answers, and not as `traceparent`, which is one of requests. The
 * server records no span, so the caller's own is the one that it names, as OpenTelemetry's API does where nothing records. `tracestate`
 * belongs to requests that a service makes, and the server makes none.
 */
export function echoIds(
  { headers }: Pick<IncomingMessage, 'headers'>,
  response: Pick<ServerResponse, 'setHeader'>,
): void {
  const id = headers[ID_HEADER];
  const trace = headers['traceparent'];
  if (id !== undefined) {
    const own = requestIdOf(id);
    if (own !== undefined) response.setHeader(ID_HEADER, own);
  }
  if (trace === undefined) return;
  const context = parseTraceparent(trace);
  if (!context) return;
  const { traceId, spanId, sampled } = context;
  response.setHeader('traceresponse', `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`);
}

/**
 * The ids of a request that is to be logged. One without an id is given one, and the answer, if it is still to be written, tells it, so that
 * who got the answer can ask for the line.
 * @param random in [0, 1)
 */
export function idsOf(
  { headers }: Pick<IncomingMessage, 'headers'>,
  response: Pick<ServerResponse, 'getHeader' | 'setHeader' | 'headersSent'>,
  random: () => number,
): RequestIds {
  const trace = parseTraceparent(headers['traceparent']);
  return {
    requestId: requestIdOf(headers[ID_HEADER]) ?? givenId(response, random),
    ...(trace && { traceId: trace.traceId, spanId: trace.spanId }),
  };
}

function givenId(
  response: Pick<ServerResponse, 'getHeader' | 'setHeader' | 'headersSent'>,
  random: () => number,
): string {
  const given = response.getHeader(ID_HEADER);
  if (typeof given === 'string') return given;
  let id = '';
  while (id.length < 32)
    id += Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  if (!response.headersSent) response.setHeader(ID_HEADER, id);
  return id;
}
