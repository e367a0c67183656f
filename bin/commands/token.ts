import { randomBytes } from 'node:crypto';
import { KedgeError } from '../../contract/errors.ts';
import { isScope, sha256Of } from '../../server/gate/tokens.ts';
import { JSON_OPTION, writeJson } from '../bucket.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  summary: 'make a token for a server that asks for one',
  usage: '[--scope SCOPE,SCOPE] [--note TEXT]',
  about: `Prints a new token once, and the line that lets a server know it. The line holds only its hash: add it to the file that
KEDGE_TOKENS_FILE names, or to KEDGE_TOKENS. Servers read the file again when it changes.

Scopes: predict (every model), predict:MODEL, admin (load and unload).

Example: kedge token --scope predict:demand --note billing`,
  options: {
    scope: { type: 'string', value: 'SCOPES', about: 'what it is for, separated by commas (predict)' },
    note: { type: 'string', value: 'TEXT', about: 'stands behind the line, to know it by' },
    json: JSON_OPTION,
  },
  async run(context) {
    const scopes = String(context.values['scope'] ?? 'predict');
    const wrong = scopes.split(',').find((scope) => !isScope(scope));
    if (wrong !== undefined) {
      throw new KedgeError('config-invalid', `'${wrong}' is no scope: there are predict, predict:MODEL and admin.`);
    }
    const note = context.values['note'] === undefined ? '' : String(context.values['note']).replaceAll(/[\n;#]/g, ' ');
    const token = `kedge_${randomBytes(32).toString('base64url')}`;
    const line = `sha256:${sha256Of(token).toString('hex')} ${scopes}${note === '' ? '' : ` # ${note}`}`;
    if (context.values['json']) writeJson(context, { token, line });
    else
      context.out.write(
        `The token, which is shown this once:\n\n  ${token}\n\nThe line for KEDGE_TOKENS_FILE:\n\n  ${line}\n`,
      );
    return 0;
  },
};
