import { judgeAccess, needOfRoute, type Sender } from './access.ts';
import type { Need, TokenEntry } from './tokens.ts';

/** Who may ask this server for what. */
export class Access {
  /** Undefined where none are configured. Replaced whole when they change. */
  tokens: readonly TokenEntry[] | undefined;
  /** Requests that were turned away, by code. */
  readonly denied = new Map<string, number>();

  constructor(tokens?: readonly TokenEntry[]) {
    this.tokens = tokens;
  }

  /** Whether a request may have what it needs; who asks to be told why not is not counted here. */
  allows(sender: Sender, need: Need): boolean {
    if (need.scope === 'predict' && this.tokens === undefined) return true;
    return judgeAccess(sender, need, this.tokens) === undefined;
  }

  /**
   * A handler that asks first, or the handler itself where there is nothing to ask: a prediction without tokens pays nothing.
   * @param modelOf the model that a request for a prediction names
   * @throws KedgeError `unauthenticated`, `forbidden`, each time that it is called
   */
  guard<C extends { env: { incoming: Sender } }, T>(
    method: string,
    pattern: string,
    handler: (c: C) => T,
    modelOf: (c: C) => string,
  ): (c: C) => T {
    const scope = needOfRoute(method, pattern);
    if (scope === undefined || (scope === 'predict' && this.tokens === undefined)) return handler;
    return (c) => {
      const need = scope === 'admin' ? ({ scope } as const) : { scope, model: modelOf(c) };
      const error = judgeAccess(c.env.incoming, need, this.tokens);
      if (!error) return handler(c);
      this.denied.set(error.code, (this.denied.get(error.code) ?? 0) + 1);
      throw error;
    };
  }
}
