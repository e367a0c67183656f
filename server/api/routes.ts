import type { HttpBindings } from '@hono/node-server';
import { KedgeError } from '../../contract/errors.ts';
import { readBody } from './body.ts';
import { limitOf } from './body-limit.ts';
import type { ApiContext, HttpContext } from './context.ts';
import { type JsonObject, parseObject } from './parse.ts';

export type Handler = (c: HttpContext) => Response | Promise<Response>;

/** Handlers by path and method. */
export type Routes = Readonly<Record<string, Partial<Record<'GET' | 'POST', Handler>>>>;

export function param(c: HttpContext, name: string): string {
  return c.req.param(name) ?? '';
}

export function targetOf(c: HttpContext): { model: string; version: string | undefined } {
  return { model: param(c, 'model'), version: c.req.param('version') };
}

/** Straight from Node: Hono would make an object of all headers first. */
export function headerOf({ incoming }: HttpBindings, name: string): string | undefined {
  const value = incoming.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** A body that may be left out, as tritonclient leaves it out. @throws KedgeError `request-invalid`, `body-too-large`, `overloaded` */
export async function readOptions({ env }: HttpContext, context: ApiContext): Promise<JsonObject> {
  const { bytes } = context.gate;
  const holding = { held: 0 };
  const take = (more: number): void => {
    if (bytes.take(holding, more)) return;
    throw new KedgeError('overloaded', 'Requests hold as many bytes as KEDGE_QUEUE_MB allows. Ask again later.');
  };
  try {
    const body = await readBody(env.incoming, limitOf(env.incoming.headers, context), take);
    return body.length === 0 ? {} : parseObject(body, context.maxJsonBytes);
  } finally {
    bytes.release(holding);
  }
}
