/** The consortium of the demo: four hospitals with peers, and a research organisation without one. */
import type { NetworkConfig } from '@strokeshare/network';
import type { PolicyBounds } from '../agent/index.js';
import type { ConnectionProfile } from '../connect/index.js';

/** One hospital of the demo. */
export interface Hospital {
  mspId: string;
  name: string;
  recordsChannel: string;
  datasetId: string;
}

/** A hospital of a network that is started here. */
export type OwnHospital = Hospital & { domain: string };

/** So many hospitals. */
export function hospitalsOf(count: number): OwnHospital[] {
  return Array.from({ length: count }, (_, i) => ({
    mspId: `Hospital${i + 1}MSP`,
    domain: `hospital${i + 1}.strokeshare.example`,
    name: `Hospital ${i + 1}`,
    recordsChannel: `hospital${i + 1}-records`,
    datasetId: `ist-hospital${i + 1}`,
  }));
}

export const HOSPITALS: readonly OwnHospital[] = hospitalsOf(4);

/** A network as the demo uses it: who takes part, and how each of them connects. */
export interface DemoNetwork {
  /** From where the ports of the demo's own storage nodes are counted; without any, agents share folders. */
  zonePort?: number;
  readonly hospitals: readonly Hospital[];
  /** What the hospitals set otherwise than the demo does. */
  readonly policy?: Partial<PolicyBounds>;
  /** How the agent of a hospital connects. */
  readonly institution: (mspId: string) => ConnectionProfile;
  /** How the researcher connects, through one peer each. */
  readonly researcher: () => ConnectionProfile[];
}

export const RESEARCH = { mspId: 'ResearchMSP', domain: 'research.strokeshare.example', user: 'Researcher1' };
export const AGENT_USER = 'Agent1';
/** The internal zone of a storage node writes to the private channel; the external one only asks. */
export const STORAGE_USER = 'Storage1';
export const GATE_USER = 'Gate1';
export const CONSORTIUM_CHANNEL = 'consortium';
export const EPOCH_ID = 'epoch-1';
export const KEY_THRESHOLD = 3;
export const PARAMETER_SET = 'standard';
export const MINIMUM_COHORT = 20;
export const MINIMUM_OWN_COUNT = 5;
export const AGREEMENT_ID = 'ist-outcomes';
export const PERMISSION_ID = 'ist-outcomes-request';
/** Disease-specific research, on stroke. */
export const PURPOSE = 'DUO:0000007';
export const DISEASE = 'MONDO:0005098';
/** What the agreement covers; the delay to randomisation is left out, so that a job can be refused. */
export const AGREED_VARIABLES = ['AGE', 'ID14', 'RCONSC', 'RSBP', 'RXASP', 'RXHEP', 'STYPE'];
export const RELEASE_BUDGET = 500;
export const AGREEMENT_DAYS = 90;
export const CONDITIONS = ['DUO:0000042'];

/**
 * How long the orderer waits for company before it cuts a block. A job is a chain of about nine transactions, each of
 * which rests on the one before, so that it waits for nine blocks: with Fabric's default of two seconds it would do so
 * for eighteen. Short is right where little is submitted at once.
 */
const BATCH_TIMEOUT_MS = 10;

/** Whose nodes the demo starts: those of the embedded network, or real orderers and peers. */
export type DemoBackend = NonNullable<NetworkConfig['backend']>;

/** The network of the demo. */
export function demoNetwork(
  dir: string,
  basePort: number,
  backend: DemoBackend = 'embedded',
  hospitals: readonly OwnHospital[] = HOSPITALS,
): NetworkConfig {
  const majority = Math.floor(hospitals.length / 2) + 1;
  const peers = hospitals.map(({ mspId }) => `'${mspId}.peer'`).join(', ');
  return {
    dir,
    basePort,
    backend,
    organizations: [
      ...hospitals.map(({ mspId, domain }) => ({
        mspId,
        domain,
        peer: true,
        users: [
          { name: AGENT_USER, attributes: { 'strokeshare.role': 'institution' } },
          { name: STORAGE_USER, attributes: { 'strokeshare.role': 'institution' } },
          { name: GATE_USER, attributes: { 'strokeshare.role': 'auditor' } },
        ],
      })),
      {
        mspId: RESEARCH.mspId,
        domain: RESEARCH.domain,
        peer: false,
        users: [{ name: RESEARCH.user, attributes: { 'strokeshare.role': 'researcher' } }],
      },
    ],
    channels: [
      {
        name: CONSORTIUM_CHANNEL,
        members: [...hospitals.map(({ mspId }) => mspId), RESEARCH.mspId],
        endorsement: `OutOf(${majority}, ${peers})`,
        batchTimeoutMs: BATCH_TIMEOUT_MS,
      },
      ...hospitals.map(({ mspId, recordsChannel }) => ({
        name: recordsChannel,
        members: [mspId],
        endorsement: `OR('${mspId}.peer')`,
        batchTimeoutMs: BATCH_TIMEOUT_MS,
      })),
    ],
  };
}
