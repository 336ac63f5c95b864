import { readFile } from 'node:fs/promises';
import { ROLE_ATTRIBUTE, roles, type Role } from '@strokeshare/chaincode';
import { attributesOfPem } from '@strokeshare/network';
import { ClientError } from '../errors.js';
import {
  auditorClient,
  institutionClient,
  operatorClient,
  recordsClient,
  researcherClient,
  type AuditorClient,
  type ConsortiumNames,
  type InstitutionClient,
  type OperatorClient,
  type RecordsClient,
  type ResearcherClient,
} from './clients.js';
import type { EventOptions, LedgerEvents } from './events.js';
import { connectLedger, type Ledger } from './ledger.js';
import { readProfile, type ConnectionProfile } from './profile.js';
import type { DigestSigner } from './signer.js';

/** Options of {@link connect}. */
export interface ConnectOptions extends ConsortiumNames {
  /** Signs in the place of the profile's key file: for hardware keys, and keys on another machine. */
  sign?: DigestSigner;
}

/** One identity's connection to the consortium, and the clients of the roles that it may act in. */
export interface Connection extends Disposable {
  readonly mspId: string;
  /** What the certificate says: its attribute `strokeshare.role`. */
  readonly role: Role | undefined;
  /** For calls that no client has. */
  readonly ledger: Ledger;
  /** @throws ClientError `ROLE_DIFFERS` where the certificate is not an operator's. */
  operator(): OperatorClient;
  /** @throws ClientError `ROLE_DIFFERS` where the certificate is not an institution's. */
  institution(): InstitutionClient;
  /**
   * The institution's own private channel, `hospital1-records` for example.
   *
   * @throws ClientError `ROLE_DIFFERS`: institutions and auditors read there.
   */
  records(channel: string): RecordsClient;
  /** @throws ClientError `ROLE_DIFFERS` where the certificate is not a researcher's. */
  researcher(): ResearcherClient;
  /** What everybody in the consortium may look up. */
  auditor(): AuditorClient;
  /** The events of the consortium's contracts; they survive lost peers and, with a checkpoint, restarts. */
  events(options?: EventOptions): LedgerEvents;
}

/**
 * Connects to a consortium. Nothing is sent before a client is used, and two connections share nothing; dispose of the
 * connection to close it.
 *
 * @param profile - a connection profile, or the path of a file that holds one.
 * @throws ClientError `PROFILE_INVALID`.
 * @example
 * ```ts
 * using connection = await connect('researcher.json');
 * const { items } = await connection.researcher().datasets.list({}, { signal: AbortSignal.timeout(10_000) });
 * ```
 */
export async function connect(
  profile: string | ConnectionProfile,
  { sign, ...names }: ConnectOptions = {},
): Promise<Connection> {
  const { channel = 'consortium', chaincode = 'consortium' } = names;
  const known = typeof profile === 'string' ? await readProfile(profile) : profile;
  const ledger = await connectLedger(known, sign);
  const role = roleOf(await readFile(known.certPath, 'utf8'));
  const requireRole = (...allowed: Role[]): void => {
    if (role !== undefined && allowed.includes(role)) return;
    throw new ClientError(
      'ROLE_DIFFERS',
      `The certificate of ${known.mspId} has ${role === undefined ? 'no role' : `the role ${role}`}; this client is for ${allowed.join(' or ')}.`,
    );
  };
  const as =
    <T>(client: () => T, ...allowed: Role[]) =>
    (): T => {
      requireRole(...allowed);
      return client();
    };
  return {
    mspId: known.mspId,
    role,
    ledger,
    operator: as(() => operatorClient(ledger, names), 'operator'),
    institution: as(() => institutionClient(ledger, names), 'institution'),
    researcher: as(() => researcherClient(ledger, names), 'researcher'),
    auditor: () => auditorClient(ledger, names),
    records: (own) => as(() => recordsClient(ledger, own), 'institution', 'auditor')(),
    events: (options) => ledger.events(channel, chaincode, options),
    [Symbol.dispose]: () => ledger[Symbol.dispose](),
  };
}

function roleOf(certificate: string): Role | undefined {
  const value = attributesOfPem(certificate)[ROLE_ATTRIBUTE];
  return roles.find((role) => role === value);
}
