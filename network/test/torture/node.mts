/*
 * The process that is killed: a whole embedded network with scripted chaincodes. It loads everything, then waits to be
 * told to start, so that a test can have the next one ready.
 */
import { readFileSync } from 'node:fs';
import { startEmbedded, type EmbeddedNetwork } from '../../dist/embedded.js';
import type { EmbeddedOptions } from '../../dist/embedded-options.js';
import { type Script, ScriptedChaincode } from '../support/scripted-chaincode.ts';
import type { Answer, Request } from './messages.ts';

const script: Script = async (ledger, name, ...args) => {
  const [key = '', value = ''] = args;
  switch (name) {
    case 'put':
      await ledger.put(key, value);
      return value;
    case 'append': {
      const before = await ledger.get(key);
      await ledger.put(key, `${before.slice(-40)}+${value}`);
      return before;
    }
    case 'move': {
      const moved = await ledger.get(key);
      await ledger.delete(key);
      await ledger.put(value, moved === '' ? 'nothing' : moved);
      return moved;
    }
    case 'all':
      return JSON.stringify(await ledger.all());
    default:
      throw new Error(`there is no transaction ${name}`);
  }
};

let network: EmbeddedNetwork | undefined;

async function start(path: string): Promise<Answer> {
  const options = JSON.parse(readFileSync(path, 'utf8')) as EmbeddedOptions;
  const channel = options.channels[0]?.name ?? '';
  const log = (message: string): void => {
    console.log(message);
  };
  network = await startEmbedded({ ...options, log });
  const addresses: Record<string, string> = {};
  const organizations: Record<string, { address: string; packageId: string }> = {};
  for (const { mspId } of options.organizations) {
    const { address } = await ScriptedChaincode.start('torture:1', script);
    organizations[mspId] = { address, packageId: 'torture:1' };
    addresses[mspId] = network.peerAddress(mspId);
  }
  const definition = { name: 'torture', version: '1.0', sequence: 1, organizations };
  await network.defineChaincode(channel, definition);
  return { ready: addresses };
}

async function answer(request: Request): Promise<Answer> {
  if ('start' in request) return start(request.start);
  await network?.verify();
  return { verified: true };
}

function fail(error: unknown): void {
  console.log(error);
  process.exit(1);
}

process.on('message', (request: Request) => {
  answer(request).then((message) => process.send?.(message), fail);
});
process.on('disconnect', () => process.exit(0));
