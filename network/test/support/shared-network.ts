import { GatewayError } from '@hyperledger/fabric-gateway';
import { TestNetwork } from './test-network.js';

/** Three organisations with peers and one without on the channel `shared`; `org1-only` is of the first alone. */
export async function startSharedNetwork(): Promise<TestNetwork> {
  const test = await TestNetwork.start({
    peers: ['Org1MSP', 'Org2MSP', 'Org3MSP'],
    peerless: ['ResearchMSP'],
    channels: [
      {
        name: 'shared',
        members: ['Org1MSP', 'Org2MSP', 'Org3MSP', 'ResearchMSP'],
        endorsement: "OutOf(2,'Org1MSP.peer','Org2MSP.peer','Org3MSP.peer')",
      },
      { name: 'org1-only', members: ['Org1MSP'], endorsement: "OR('Org1MSP.peer')" },
    ],
  });
  await test.deploy('shared', 'everything', ['Org1MSP', 'Org2MSP', 'Org3MSP']);
  return test;
}

const decoder = new TextDecoder();
export const text = (bytes: Uint8Array): string => decoder.decode(bytes);
export const json = (bytes: Uint8Array): unknown => JSON.parse(text(bytes));

/** The error of a promise that must fail. */
export async function failure(work: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof GatewayError) return error;
  throw new Error('nothing failed in the words of the gateway', { cause: error });
}
