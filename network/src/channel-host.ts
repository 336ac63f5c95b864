import { join } from 'node:path';
import {
  type BatchOptions,
  type ChannelOptions,
  defaultBatch,
  type EmbeddedOptions,
} from './embedded-options.js';
import { EmbeddedError } from './embedded-error.js';
import { explain } from './diagnosis/explanations.js';
import { type PeerChannel } from './endorser/channel.js';
import { PeerLedger } from './ledger/peer-ledger.js';
import { Signer } from './msp/identity.js';
import { MspManager } from './msp/manager.js';
import { Msp } from './msp/msp.js';
import { genesisEnvelope } from './orderer/genesis.js';
import { OrdererChannel } from './orderer/orderer.js';
import { ChannelPolicies, parsePolicy } from './policy/channel-policies.js';
import { type Block } from './protos/block.js';
import { errorMessage } from './protos/bytes.js';
import { Code, codeName, TransactionEnvelope, type ValidationCode } from './protos/transaction.js';

/** One channel of the network: its policies, its orderer and the ledgers of its peers. */
export class ChannelHost {
  readonly #ledgers = new Map<string, PeerLedger>();

  private constructor(
    readonly options: ChannelOptions,
    readonly policies: ChannelPolicies,
    readonly orderer: OrdererChannel,
    private readonly dir: string,
    private readonly log: (message: string) => void,
  ) {
    orderer.deliverTo((block, transactions) => void this.#distribute(block, transactions));
  }

  /** @throws EmbeddedError ORGANIZATION_UNKNOWN; PolicySyntaxError; LedgerError */
  static async open(
    options: ChannelOptions,
    network: EmbeddedOptions,
    log: (message: string) => void,
  ): Promise<ChannelHost> {
    const members: Msp[] = [];
    for (const mspId of options.members) {
      const organization = network.organizations.find((candidate) => candidate.mspId === mspId);
      if (!organization)
        throw new EmbeddedError('ORGANIZATION_UNKNOWN', `There is no organisation ${mspId} in the network.`);
      const lists = [...(organization.revocationLists ?? []), ...(network.revocationLists?.(mspId) ?? [])];
      members.push(await Msp.create({ ...organization, revocationLists: lists }));
    }
    const endorsement = parsePolicy(options.endorsement);
    const policies = new ChannelPolicies(new MspManager(members), options.members, {
      Endorsement: endorsement,
      LifecycleEndorsement: options.lifecycleEndorsement
        ? parsePolicy(options.lifecycleEndorsement)
        : endorsement,
      ...(options.admins ? { Admins: parsePolicy(options.admins) } : {}),
    });
    const batch: BatchOptions = { ...defaultBatch, ...options.batch };
    const { orderer, organizations } = network;
    const ordererChannel = await OrdererChannel.open({
      channel: options.name,
      dir: join(network.dir, 'orderer', options.name),
      signer: new Signer(orderer.mspId, orderer.signing),
      policies,
      batch,
      genesis: () =>
        genesisEnvelope({
          channel: options,
          organizations: organizations.filter(({ mspId }) => options.members.includes(mspId)),
          orderer,
          batch,
          policies,
        }),
      onError: (error) => log(`orderer of ${options.name}: ${errorMessage(error)}`),
    });
    return new ChannelHost(options, policies, ordererChannel, network.dir, log);
  }

  /** Opens the ledger of a member's peer and brings it up to the orderer's height. */
  async join(mspId: string): Promise<PeerChannel> {
    const { options, policies, orderer } = this;
    const ledger = await PeerLedger.open({
      dir: join(this.dir, 'peers', mspId, options.name),
      channel: options.name,
      policies,
      log: (message) => this.log(`${mspId}: ${options.name}: ${message}`),
      onInvalid: (txId, { code, reason }) => explain(txId, invalidSentence(code, reason)),
    });
    try {
      for (let number = orderer.height; number < ledger.height; number++) {
        this.log(`orderer of ${options.name}: takes block ${number} from the peer of ${mspId}`);
        await orderer.adopt((await ledger.block(number)).block);
      }
      // Also the peers that came before, for the orderer may only now have got what this one has.
      for (const behind of [...this.#ledgers.values(), ledger]) await this.#bringUpToDate(behind);
    } catch (error) {
      await ledger.close();
      throw error;
    }
    this.#ledgers.set(mspId, ledger);
    return { name: options.name, policies, ledger };
  }

  async #bringUpToDate(ledger: PeerLedger): Promise<void> {
    for (let number = ledger.height; number < this.orderer.height; number++) {
      const block = await this.orderer.block(number);
      const transactions = block.data.map((bytes) => new TransactionEnvelope(bytes));
      ledger.announce(await ledger.commit(block, transactions));
    }
  }

  /**
   * Lets every peer commit the block, and only then lets any of them tell: who hears of a commit finds it at every
   * peer, so that a following transaction is not endorsed on states of different heights.
   */
  async #distribute(block: Block, transactions: readonly TransactionEnvelope[]): Promise<void> {
    const ledgers = [...this.#ledgers];
    const results = await Promise.allSettled(ledgers.map(([, ledger]) => ledger.commit(block, transactions)));
    results.forEach((result, index) => {
      const [mspId, ledger] = ledgers[index] ?? [];
      if (result.status === 'fulfilled') ledger?.announce(result.value);
      else this.log(`${mspId ?? ''}: ${this.options.name}: commit failed: ${errorMessage(result.reason)}`);
    });
  }
}

function invalidSentence(code: ValidationCode, reason = ''): string {
  const retry: readonly ValidationCode[] = [Code.MVCC_READ_CONFLICT, Code.PHANTOM_READ_CONFLICT];
  const advice = retry.includes(code)
    ? ' since it was endorsed; another transaction was faster, so submit it again'
    : '';
  return `it is in the ledger as invalid, ${codeName(code)}: ${reason}${advice}`;
}
