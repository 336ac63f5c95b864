/** The ledger as the zones see it: through their institution's own peer, as identities that can do no more than they must. */
import { createPrivateKey } from 'node:crypto';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, signers, type Contract, type Gateway } from '@hyperledger/fabric-gateway';
import { z } from 'zod';
import { readPem } from './config.js';
import { StorageError } from './errors.js';
import type { LedgerProfile } from './external/config.js';
import type { GrantSource } from './grants/grant-cache.js';
import type { PrivateLedger } from './internal/private-ledger.js';
import type { Anchor } from './journal/verify.js';

const CALL_MS = 10_000;
const COMMIT_MS = 30_000;
const CONSORTIUM = 'consortium';
const RECORDS = 'records';

const decision = z.object({ granted: z.boolean() });
const anchorPage = z.object({
  items: z.array(z.object({ sequence: z.number(), head: z.string(), at: z.string() })),
  next: z.string().optional(),
});

/** A connection to the peer of a profile. */
export class ZoneLedger implements Disposable {
  private constructor(
    private readonly client: Client,
    private readonly gateway: Gateway,
    private readonly mspId: string,
  ) {}

  /** @throws StorageError `CONFIG_INVALID`. */
  static async connect(profile: LedgerProfile): Promise<ZoneLedger> {
    const [authority, certificate, key] = await Promise.all(
      [profile.tlsCaCertPath, profile.certPath, profile.keyPath].map(readPem),
    );
    const client = new Client(profile.peerEndpoint, credentials.createSsl(Buffer.from(authority ?? '')), {
      'grpc.ssl_target_name_override': profile.peerHostAlias,
      'grpc.default_authority': profile.peerHostAlias,
    });
    const within = (ms: number) => () => ({ deadline: Date.now() + ms });
    try {
      const gateway = connect({
        client,
        identity: { mspId: profile.mspId, credentials: Buffer.from(certificate ?? '') },
        signer: signers.newPrivateKeySigner(createPrivateKey(key ?? '')),
        evaluateOptions: within(CALL_MS),
        endorseOptions: within(CALL_MS),
        submitOptions: within(CALL_MS),
        commitStatusOptions: within(COMMIT_MS),
      });
      return new ZoneLedger(client, gateway, profile.mspId);
    } catch (cause) {
      client.close();
      throw new StorageError('CONFIG_INVALID', 'The ledger identity of the zone cannot be used.', { cause });
    }
  }

  /** Grants on the consortium channel; asks, and can write nothing. */
  grants(): GrantSource {
    const contract = this.gateway.getNetwork(CONSORTIUM).getContract(CONSORTIUM, 'GrantContract');
    return {
      check: async (question, signal) => {
        // A request that has no shape is no grant; the contract says so by an error, which must not look like an outage.
        try {
          const answer = contract.evaluateTransaction('Check', JSON.stringify(question));
          return decision.parse(parse(await raced(answer, signal))).granted;
        } catch (error) {
          if (/BAD_REQUEST: /.test(detailsOf(error))) return false;
          throw error;
        }
      },
    };
  }

  /** The institution's private channel. */
  records(channel: string): PrivateLedger {
    const contract = this.gateway.getNetwork(channel).getContract(RECORDS, 'RecordsContract');
    const submit = async (transaction: string, request: object): Promise<void> => {
      await contract.submit(transaction, {
        arguments: [JSON.stringify(request)],
        endorsingOrganizations: [this.mspId],
      });
    };
    return {
      anchor: (head) => submit('AnchorJournal', head),
      anchors: () => allAnchors(contract),
      recordDeletion: (record) => submit('RecordDeletion', record),
    };
  }

  [Symbol.dispose](): void {
    this.gateway.close();
    this.client.close();
  }
}

async function allAnchors(contract: Contract): Promise<Anchor[]> {
  const anchors: Anchor[] = [];
  let after: string | undefined;
  do {
    const request = JSON.stringify(after === undefined ? {} : { after });
    const page = anchorPage.parse(parse(await contract.evaluateTransaction('ListJournalAnchors', request)));
    anchors.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return anchors;
}

const parse = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown;

function raced<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([
    work,
    new Promise<never>((_, reject) => {
      const abort = (): void =>
        reject(new StorageError('UNAVAILABLE', 'The ledger does not answer in time.'));
      signal.addEventListener('abort', abort, { once: true });
    }),
  ]);
}

/** A gateway's error says what the contract said in its details. */
function detailsOf(error: unknown): string {
  const details = (error as { details?: unknown }).details;
  const list = Array.isArray(details) ? details : [];
  return [error instanceof Error ? error.message : '', ...list.map((one) => JSON.stringify(one))].join('\n');
}
