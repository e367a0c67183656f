import { expect, it } from 'vitest';
import { runKedge } from '../tests/e2e/programs.ts';
import { unknownSettings } from './unknown-settings.ts';

it.each<[Record<string, string>, string[]]>([
  [{ KEDGE_PORT: '1', KEDGE_KEEP: '2', KEDGE_PUBLISHER: 'ci', PATH: '/bin', KEDGED: 'x' }, []],
  [{ KEDGE_KEEP_REDY: '2' }, ['KEDGE_KEEP_REDY is no setting and does nothing; did you mean KEDGE_KEEP_READY?']],
  [{ KEDGE_COLOUR_OF_SAILS: 'red' }, ['KEDGE_COLOUR_OF_SAILS is no setting and does nothing.']],
  [{ KEDGE_BUKET: '' }, []],
  [{ KEDGE_SERVICE_HOST: '10.0.0.1', KEDGE_SERVICE_PORT_HTTP: '80', KEDGE_PORT_8080_TCP_ADDR: '10.0.0.1' }, []],
  [{ KEDGE_ADMIN_SERVICE_PORT: '81', KEDGE_ADMIN_PORT_81_TCP_PROTO: 'tcp', KEDGE_OTHER_PORT: 'tcp://10.0.0.1:81' }, []],
])('%j', (env, sentences) => expect(unknownSettings(env)).toEqual(sentences));

it.each(['load', 'serve'])('kedge %s warns of a misspelt setting', async (program) => {
  const { err } = await runKedge([program], { KEDGE_VOLUMES: '/nowhere', KEDGE_BUCKET: 'file:///nowhere' });
  expect(err.match(/did you mean KEDGE_VOLUME\?/g)).toHaveLength(1);
  expect(err).toContain('KEDGE_VOLUME is not set');
});
