import { setTimeout } from 'node:timers/promises';
import { status as grpcStatus } from '@grpc/grpc-js';
import { type Contract, GatewayError } from '@hyperledger/fabric-gateway';
import { z } from 'zod';
import { callDaemon } from '../daemon/control.js';
import { layout } from '../daemon/layout.js';
import { explanationSchema } from '../daemon/protocol.js';
import { status } from '../operations/status.js';
import { didYouMean, nearest } from './nearest.js';

/** A call that failed. */
export interface FailedCall {
  readonly chaincode: string;
  readonly transaction: string;
  readonly txId: string;
  readonly contract: Contract;
  readonly error: unknown;
  /** Everything that Fabric said, the peers' own messages included. */
  readonly words: string;
}

/** What the network in a directory knows about a failed call besides Fabric's words, a sentence each. */
export async function hints(dir: string, call: FailedCall): Promise<string[]> {
  const known = await callDaemon(layout(dir).socket, { method: 'explain', txId: call.txId });
  return [
    ...explanationSchema.parse(known),
    ...(await processHints(dir, call)),
    ...(await functionHints(call)),
    ...sizeHints(call),
  ];
}

/** The daemon hears that a process's stream ended a moment before it hears that the process did. */
const EXIT_HEARD_MS = 2000;
const LOOK_AGAIN_MS = 50;

/** Whether the chaincode's processes run, and where they wrote why not. */
async function processHints(dir: string, { words }: FailedCall): Promise<string[]> {
  const ended = words.includes('chaincode stream terminated');
  if (!ended && !words.includes('could not launch chaincode')) return [];
  const until = Date.now() + (ended ? EXIT_HEARD_MS : 0);
  let troubled = await troubledProcesses(dir);
  while (troubled.length === 0 && Date.now() < until) {
    await setTimeout(LOOK_AGAIN_MS);
    troubled = await troubledProcesses(dir);
  }
  return troubled;
}

async function troubledProcesses(dir: string): Promise<string[]> {
  const found = await status(dir);
  if (found.state !== 'running') return [];
  return found.daemon.processes
    .filter(({ state, restarts }) => state !== 'running' || restarts > 0)
    .map(
      ({ label, mspId, state, lastExit, restarts, log }) =>
        `the process of ${label} for ${mspId} is ${state}, with ${restarts} restarts ` +
        `(it ended last with ${lastExit ?? 'nothing'}); its log is ${log}`,
    );
}

const metadataSchema = z.object({
  contracts: z.record(z.string(), z.object({ transactions: z.array(z.object({ name: z.string() })) })),
});

/** The function that was probably meant, where the contract has none of this name. */
async function functionHints({ words, transaction, contract }: FailedCall): Promise<string[]> {
  if (!/function that does not exist|Contract name is not known/.test(words)) return [];
  const functions = await functionsOf(contract);
  const wanted = transaction.slice(transaction.indexOf(':') + 1);
  if (functions.length === 0) return [];
  return nearest(wanted, functions) === undefined
    ? [`the contract has ${functions.join(', ')}`]
    : [`there is no function ${transaction}${didYouMean(wanted, functions)}`];
}

async function functionsOf(contract: Contract): Promise<string[]> {
  try {
    const metadata = await contract.evaluateTransaction('org.hyperledger.fabric:GetMetadata');
    const { contracts } = metadataSchema.parse(JSON.parse(Buffer.from(metadata).toString()));
    return Object.entries(contracts)
      .filter(([name]) => name !== 'org.hyperledger.fabric')
      .flatMap(([, { transactions }]) => transactions.map(({ name }) => name));
  } catch {
    // Not every chaincode is written with the contract API.
    return [];
  }
}

function sizeHints({ error }: FailedCall): string[] {
  if (!(error instanceof GatewayError) || error.code !== grpcStatus.RESOURCE_EXHAUSTED) return [];
  return [
    'the message is too large: a peer takes 100 MB, and a client of grpc-js 4 MB unless it sets ' +
      '"grpc.max_receive_message_length"',
  ];
}
