import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { definitionEntries, lifecycleNamespace } from '../../src/ledger/lifecycle-state.js';
import { PeerLedger } from '../../src/ledger/peer-ledger.js';
import { type ReadWriteSetBuilder } from '../../src/ledger/read-write-set.js';
import { Signer } from '../../src/msp/identity.js';
import { MspManager } from '../../src/msp/manager.js';
import { Msp } from '../../src/msp/msp.js';
import { ChannelPolicies, encodeApplicationPolicy, parsePolicy } from '../../src/policy/channel-policies.js';
import { newBlock } from '../../src/protos/block.js';
import { type TransactionEnvelope } from '../../src/protos/transaction.js';
import { craft, type CraftOptions } from './craft.js';
import { createOrganization, type TestOrganization } from './test-network.js';

/** The ledger of a peer on a channel of three organisations, two of which endorse, with the chaincode `cc`. */
export class TestLedger {
  ledger!: PeerLedger;
  dir!: string;
  organizations: TestOrganization[] = [];
  peers: Signer[] = [];
  client!: Signer;
  readonly log: string[] = [];
  private policies!: ChannelPolicies;

  /** Issues the identities; once. */
  async prepare(): Promise<void> {
    this.organizations = await Promise.all(['A', 'B', 'C'].map((mspId) => createOrganization(mspId, true)));
    const manager = new MspManager(
      await Promise.all(this.organizations.map(({ options }) => Msp.create(options))),
    );
    const endorsement = parsePolicy("OutOf(2,'A.peer','B.peer','C.peer')");
    this.policies = new ChannelPolicies(manager, ['A', 'B', 'C'], {
      Endorsement: endorsement,
      LifecycleEndorsement: endorsement,
    });
    this.peers = this.organizations.flatMap(({ mspId, options }) =>
      options.peer ? [new Signer(mspId, options.peer.signing)] : [],
    );
    const [first] = this.organizations;
    if (!first) throw new Error('no organisation');
    this.client = new Signer('A', await first.issue('user', 'client'));
  }

  /** Starts a ledger of its own for a test. */
  async begin(): Promise<void> {
    this.dir = mkdtempSync(join(tmpdir(), 'ledger-'));
    await this.open();
    await this.commit(this.define('cc', '/Channel/Application/Endorsement'));
  }

  async end(): Promise<void> {
    await this.ledger.close();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Opens the ledger in its folder, again after it was closed. */
  async open(): Promise<void> {
    this.ledger = await PeerLedger.open({
      dir: this.dir,
      channel: 'ch',
      policies: this.policies,
      log: (message) => this.log.push(message),
    });
  }

  readonly transaction = (
    readWriteSet: (set: ReadWriteSetBuilder) => void,
    options: Partial<CraftOptions> = {},
  ): TransactionEnvelope =>
    craft({
      channel: 'ch',
      creator: this.client,
      endorsers: this.peers.slice(0, 2),
      chaincode: 'cc',
      readWriteSet,
      ...options,
    });

  /** Commits a block of these transactions and returns their codes. */
  readonly commit = async (...transactions: TransactionEnvelope[]): Promise<number[]> => {
    const { ledger } = this;
    const data = transactions.map(({ bytes }) => bytes);
    const number = ledger.height;
    ledger.announce(await ledger.commit(newBlock(number, ledger.lastHash, data), transactions));
    return [...(await ledger.block(number)).codes];
  };

  readonly state = (key: string): string | undefined => {
    const value = this.ledger.state.get('cc', key)?.value;
    return value && Buffer.from(value).toString();
  };

  private define(name: string, policy: string): TransactionEnvelope {
    return this.transaction(
      (set) => {
        const entries = definitionEntries({
          name,
          version: '1.0',
          sequence: 1,
          validationParameter: encodeApplicationPolicy(policy),
        });
        for (const [key, value] of entries) set.addWrite(lifecycleNamespace, key, value);
      },
      { chaincode: lifecycleNamespace },
    );
  }
}

export const put =
  (key: string, value: string, namespace = 'cc') =>
  (set: ReadWriteSetBuilder): void =>
    set.addWrite(namespace, key, Buffer.from(value));
