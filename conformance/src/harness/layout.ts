import type { NetworkConfig } from '@strokeshare/network';

/** Organisations with peers, in the order of their names. */
export const hospitals = ['Org1MSP', 'Org2MSP', 'Org3MSP'] as const;
export type Hospital = (typeof hospitals)[number];

/** Organisations that run no peer. */
export const peerless = ['Research1MSP', 'Research2MSP', 'Research3MSP'] as const;

export const members = [...hospitals, ...peerless] as const;
export type Member = (typeof members)[number];

export const ordererMspId = 'OrdererMSP';

/** Every organisation is a member. */
export const shared = 'shared';
/** Org1 alone is a member. */
export const confined = 'confined';
/** Every organisation is a member, and endorsement is an implicit majority. */
export const majorityOfAll = 'majority-of-all';
/** The organisations with peers are members, and endorsement is an implicit majority. */
export const majorityOfPeers = 'majority-of-peers';

/** Two of the three organisations with peers. */
export const twoOfThree = "OutOf(2,'Org1MSP.peer','Org2MSP.peer','Org3MSP.peer')";

/** A chaincode of the suite and where it is deployed; all have the same code. */
export interface Deployed {
  readonly channel: string;
  readonly name: string;
  readonly organizations: readonly Hospital[];
  readonly endorsement?: string;
  /** Chaincodes with the same label are one package, hence one process for each organisation. */
  readonly label?: string;
}

/** Names of chaincodes, each with the policy that a scenario needs. */
export const chaincodes = {
  everything: { channel: shared, name: 'everything', organizations: hospitals },
  /** A second one beside it in processes of its own, for calls from chaincode to chaincode. */
  neighbour: {
    channel: shared,
    name: 'neighbour',
    label: 'neighbour',
    organizations: hospitals,
    endorsement: "AND('Org2MSP.peer','Org3MSP.peer')",
  },
  allThree: {
    channel: shared,
    name: 'all-three',
    organizations: hospitals,
    endorsement: "AND('Org1MSP.peer','Org2MSP.peer','Org3MSP.peer')",
  },
  /** Org1 and Org2 together, or Org3 alone. */
  nested: {
    channel: shared,
    name: 'nested',
    organizations: hospitals,
    endorsement: "OR(AND('Org1MSP.peer','Org2MSP.peer'),'Org3MSP.peer')",
  },
  /** Endorsed by one organisation, and not installed on the others. */
  onlyOrg1: {
    channel: shared,
    name: 'only-org1',
    organizations: ['Org1MSP'],
    endorsement: "OR('Org1MSP.peer')",
  },
  confined: { channel: confined, name: 'confined', organizations: ['Org1MSP'] },
  majorityOfAll: { channel: majorityOfAll, name: 'majority', organizations: hospitals },
  majorityOfPeers: { channel: majorityOfPeers, name: 'majority', organizations: hospitals },
} as const satisfies Record<string, Deployed>;

/** `org1.example` for `Org1MSP`. */
export function domainOf(mspId: string): string {
  return `${mspId.replace(/MSP$/, '').toLowerCase()}.conformance.example`;
}

/** The network that every scenario shares; the ports are those of the peers in the order of `hospitals`. */
export function networkConfig(
  dir: string,
  basePort: number,
  peerPorts: Readonly<Record<Hospital, number>>,
): NetworkConfig {
  const batchTimeoutMs = 50;
  return {
    dir,
    ordererMspId,
    basePort,
    organizations: members.map((mspId) => {
      const port = (peerPorts as Partial<Record<Member, number>>)[mspId];
      const users = [{ name: 'User1', attributes: { role: 'researcher' } }];
      return { mspId, domain: domainOf(mspId), peer: port !== undefined, users, ...(port ? { port } : {}) };
    }),
    channels: [
      { name: shared, members: [...members], endorsement: twoOfThree, batchTimeoutMs },
      { name: confined, members: ['Org1MSP'], endorsement: "OR('Org1MSP.peer')", batchTimeoutMs },
      {
        name: majorityOfAll,
        members: [...members],
        endorsement: 'MAJORITY Endorsement',
        lifecycleEndorsement: twoOfThree,
        batchTimeoutMs,
      },
      {
        name: majorityOfPeers,
        members: [...hospitals],
        endorsement: 'MAJORITY Endorsement',
        batchTimeoutMs,
      },
    ],
  };
}
