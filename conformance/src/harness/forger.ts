import { peer } from '@hyperledger/fabric-protos';
import type { Bed } from './bed.js';
import { shared } from './layout.js';
import { type Credentials, serializedIdentity } from './pki.js';
import { sign } from './signature.js';
import { alterTransaction, repack, type TransactionParts, unpackTransaction } from './transaction.js';

/** What an altered transaction calls, and who endorses it before it is altered. */
export interface ForgeryOptions {
  readonly args?: string[];
  readonly organizations?: string[];
  readonly chaincode?: string;
}

/** Code of an altered transaction after its commit, and the key that the honest one would have written. */
export interface Outcome {
  readonly code: number;
  readonly key: string;
}

/** Alters transactions after their endorsement; the creator signs them all the same. */
export class Forger {
  constructor(private readonly bed: () => Bed) {}

  /** Who signs the transactions. */
  get user(): Credentials {
    return this.bed().pki.user('Org1MSP');
  }

  /** Prepares an honest transaction, alters it, submits it and returns its validation code. */
  async commit(
    alter: (parts: TransactionParts) => Promise<void> | void,
    { args, organizations = ['Org1MSP', 'Org2MSP'], chaincode = 'everything' }: ForgeryOptions = {},
  ): Promise<Outcome> {
    const { user } = this;
    const key = this.bed().unique('forged');
    const { txId, envelope } = await this.bed()
      .raw()
      .prepare(
        { creator: user, channel: shared, chaincode, args: args ?? ['put', key, 'honest'] },
        organizations,
      );
    const parts = unpackTransaction(envelope);
    await alter(parts);
    const altered = alterTransaction(envelope, (fresh) => Object.assign(fresh, parts));
    const code = await this.bed().raw().commit({ txId, envelope: altered }, shared, user);
    return { code, key };
  }

  /** Alters a transaction and lets the peers of Org1 and Org2 sign what it became. */
  conspire(alter: (parts: TransactionParts) => void, options: ForgeryOptions = {}): Promise<Outcome> {
    return this.commit(async (parts) => {
      alter(parts);
      repack(parts);
      const peers = ['Org1MSP', 'Org2MSP'].map((mspId) => this.endorse(parts, this.bed().pki.peer(mspId)));
      parts.endorsed.setEndorsementsList(await Promise.all(peers));
    }, options);
  }

  /** Commits what some organisations endorsed, with one more endorsement by `endorser`. */
  commitWith(endorser: Credentials, organizations = ['Org1MSP']): Promise<Outcome> {
    return this.commit(
      async (parts) => void parts.endorsed.addEndorsements(await this.endorse(parts, endorser)),
      { organizations },
    );
  }

  private async endorse(parts: TransactionParts, endorser: Credentials): Promise<peer.Endorsement> {
    const identity = serializedIdentity(endorser);
    const payload = parts.endorsed.getProposalResponsePayload_asU8();
    const endorsement = new peer.Endorsement();
    endorsement.setEndorser(identity);
    endorsement.setSignature(await sign(endorser.key, Buffer.concat([payload, identity])));
    return endorsement;
  }
}
