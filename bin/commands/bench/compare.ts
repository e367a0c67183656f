import { readFileSync } from 'node:fs';
import { benchCompare, type CompareOptions } from '../../../bench/compare/compare.ts';
import { PEERS, type Peer, parseThere } from '../../../bench/compare/contenders.ts';
import { KedgeError, messageOf } from '../../../contract/errors.ts';
import type { Context } from '../../command.ts';
import { figureCommand } from '../../figure-command.ts';
import { COMPARE_IDLE } from '../../idle/compare.ts';
import { refuseByRules } from '../../idle-options.ts';

const KNOWN = Object.keys(PEERS) as Peer[];

export const command = figureCommand({
  summary: 'hold Kedge against other servers: same model, same body, in turns',
  about: `Starts Kedge and the peers that are installed over one model, and has each answer the same request: in a closed loop, as fast as it can, and in an open loop at one
rate for all, half of what the slowest bears unless --rate says otherwise. Tells answers a second, latency, CPU and memory of processes that it started, and how many times Kedge's figures are
those of the others, in each round. Every answer of the open loop is checked against Kedge's. Ends with 1 where one was wrong or missing.

Peers that it starts, in a clone (--install makes their Python environments in the cache folder):
${KNOWN.map((peer) => `  ${peer.padEnd(10)}${PEERS[peer]}`).join('\n')}
Others are named by where they answer; they must serve the same model under the body's names:
  kedge bench compare --url triton=http://127.0.0.1:8000/v2/models/demand/infer --onnx model.onnx --body request.json

Without --onnx the model is an ensemble of trees where the folder shared/ stands beside a clone, else a perceptron of 22 MB.`,
  options: {
    peers: {
      type: 'string',
      value: 'LIST',
      about: `which are started: ${KNOWN.join(',')}, or none (${KNOWN.join(',')})`,
    },
    install: { type: 'boolean', about: 'make the Python environment of a peer that has none' },
    url: {
      type: 'string',
      multiple: true,
      value: 'NAME=URL',
      about: 'a server that is there; may be given several times',
    },
    onnx: { type: 'string', value: 'FILE', about: 'the model' },
    body: { type: 'string', value: 'FILE', about: 'with --onnx: the body of a request, JSON' },
  },
  numbers: {
    rounds: { value: 'N', about: 'rounds', default: 5, min: 1, max: 1_000, integer: true },
    seconds: { value: 'S', about: 'of each load', default: 3, min: 0.5, max: 600 },
    connections: { value: 'N', about: 'of the closed loop', default: 64, min: 1, max: 10_000, integer: true },
    rate: { value: 'RATE', about: 'requests a second of the open loop', min: 0.1, max: 100_000 },
  },
  async bench({ rounds, seconds, connections, rate }, io, { values }) {
    const peers = peersOf(values['peers'] as string | undefined);
    refuseByRules(values, COMPARE_IDLE, { peers: peers.length });
    const options = {
      ...{ rounds, seconds, connections, rate, peers },
      model: modelOf(values),
      install: values['install'] === true,
      there: ((values['url'] ?? []) as string[]).map(parseThere),
    };
    return benchCompare(options, io);
  },
});

function peersOf(text: string | undefined): Peer[] {
  if (text === 'none') return [];
  if (text === undefined) return KNOWN;
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !(KNOWN as string[]).includes(name));
  if (unknown === undefined) return names as Peer[];
  throw new KedgeError('config-invalid', `--peers takes ${KNOWN.join(', ')} or none, not '${unknown}'.`);
}

function modelOf({ onnx, body }: Context['values']): CompareOptions['model'] {
  if (onnx === undefined && body === undefined) return undefined;
  if (onnx === undefined || body === undefined)
    throw new KedgeError('config-invalid', '--onnx FILE and --body FILE go together.');
  try {
    return { name: 'model', bytes: readFileSync(String(onnx)), body: readFileSync(String(body), 'utf8') };
  } catch (error) {
    throw new KedgeError('config-invalid', `The model or its request cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
