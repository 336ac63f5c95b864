import { createPrivateKey } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as grpc from '@grpc/grpc-js';
import { connect, type Gateway, hash, type Network, signers } from '@hyperledger/fabric-gateway';
import { peer } from '@hyperledger/fabric-protos';
import { type EmbeddedOptions, type KeyPair } from '../../src/embedded-options.js';
import { createOrganization } from '../support/test-network.js';
import { Chain } from './chain.js';
import { type Announced, submitUntilGone } from './load.js';
import { Random } from './random.js';
import { tearFiles } from './tear.js';
import { Victim } from './victim.js';

const channel = 'torture';
const chaincode = 'torture';
const mspIds = ['Org1MSP', 'Org2MSP', 'Org3MSP'];

export interface TortureResult {
  readonly kills: number;
  readonly killsWhileStarting: number;
  readonly announced: number;
  readonly valid: number;
  readonly height: number;
  readonly damages: number;
}

/**
 * Kills a network again and again while clients submit, spoils what the end of a machine may spoil, and checks after
 * each restart, through the peers themselves, that nothing that was announced is lost and that every peer's state is
 * what its blocks lead to.
 *
 * @throws Error at the first thing that is wrong; the files are kept then
 */
export async function torture(options: {
  readonly seed: number;
  readonly kills: number;
  readonly report: (line: string) => void;
}): Promise<TortureResult> {
  const run = await Torture.prepare(options.seed, options.report);
  const result = await run.run(options.kills);
  rmSync(run.dir, { recursive: true, force: true });
  return result;
}

class Torture {
  readonly #chain = new Chain(channel, chaincode);
  readonly #random: Random;
  /** Announced since the last check. */
  #unchecked: Announced[] = [];
  #announced = 0;
  #valid = 0;
  #damages = 0;

  private constructor(
    readonly dir: string,
    seed: number,
    private readonly tlsRoots: Buffer,
    private readonly user: KeyPair,
    private readonly report: (line: string) => void,
  ) {
    this.#random = new Random(seed);
  }

  static async prepare(seed: number, report: (line: string) => void): Promise<Torture> {
    const organizations = await Promise.all(mspIds.map((mspId) => createOrganization(mspId, true)));
    const orderer = await createOrganization('OrdererMSP', false);
    const dir = mkdtempSync(join(tmpdir(), 'torture-'));
    report(`seed ${seed}, files in ${dir}`);
    const options: EmbeddedOptions = {
      dir: join(dir, 'ledger'),
      organizations: organizations.map((organization) => organization.options),
      orderer: {
        mspId: 'OrdererMSP',
        rootCertificates: orderer.options.rootCertificates,
        signing: await orderer.issue('orderer', 'orderer'),
      },
      channels: [
        {
          name: channel,
          members: mspIds,
          endorsement: "OutOf(2,'Org1MSP.peer','Org2MSP.peer','Org3MSP.peer')",
          batch: { timeoutMs: 15, maxMessageCount: 4 },
        },
      ],
    };
    mkdirSync(options.dir);
    writeFileSync(join(dir, 'options.json'), JSON.stringify(options), { mode: 0o600 });
    const roots = organizations.flatMap((organization) => organization.options.tlsRootCertificates);
    const user = await organizations[0]?.issue('User1', 'client');
    if (!user) throw new Error('no organisation');
    return new Torture(dir, seed, Buffer.from(roots.join('\n')), user, report);
  }

  async run(kills: number): Promise<TortureResult> {
    let killsWhileStarting = 0;
    let victim = this.#load();
    for (let kill = 1; kill <= kills; kill++) {
      const spare = this.#load();
      try {
        // The first start creates the ledgers; what a kill may leave of that is worth a look, too.
        if (this.#random.chance(0.25)) {
          killsWhileStarting++;
          await this.#killWhileStarting(victim);
        } else {
          await this.#killUnderLoad(victim);
        }
        this.#tear(kill);
      } catch (error) {
        await Promise.all([victim.kill(), spare.kill()]);
        throw new Error(`after ${kill - 1} kills: ${String(error)}; the files are kept in ${this.dir}`, {
          cause: error,
        });
      }
      victim = spare;
      if (kill % 20 === 0) this.report(`${kill} kills, ${this.#valid} valid, ${this.#chain.height} blocks`);
    }
    try {
      await this.#use(victim, async (networks) => {
        await this.#check(networks, 0);
        await victim.verify();
      });
    } finally {
      await victim.kill();
    }
    return {
      kills,
      killsWhileStarting,
      announced: this.#announced,
      valid: this.#valid,
      height: this.#chain.height,
      damages: this.#damages,
    };
  }

  #load(): Victim {
    return new Victim(join(this.dir, 'network.log'));
  }

  async #killWhileStarting(victim: Victim): Promise<void> {
    const starting = victim.start(join(this.dir, 'options.json')).catch(() => undefined);
    await delay(this.#random.below(200));
    await victim.kill();
    await starting;
  }

  async #killUnderLoad(victim: Victim): Promise<void> {
    await this.#use(victim, async (networks) => {
      await this.#check(networks);
      let gone = false;
      let enough: () => void = () => undefined;
      const busy = new Promise<void>((resolve) => (enough = resolve));
      let left = 1 + this.#random.below(15);
      const note = (transaction: Announced): void => {
        this.#announced++;
        if (transaction.code === 0) this.#valid++;
        this.#unchecked.push(transaction);
        if (--left === 0) enough();
      };
      const contracts = networks.map((network) => network.getContract(chaincode));
      const load = submitUntilGone(contracts, this.#random, note, () => gone);
      await Promise.race([busy, load]);
      await delay(this.#random.fraction() * 40);
      gone = true;
      await victim.kill();
      await load;
    });
  }

  /** Starts the network and connects a client to each peer. */
  async #use(victim: Victim, work: (networks: Network[]) => Promise<void>): Promise<void> {
    const addresses = await victim.start(join(this.dir, 'options.json'));
    const clients: grpc.Client[] = [];
    const gateways: Gateway[] = [];
    for (const mspId of mspIds) {
      const client = new grpc.Client(
        (addresses[mspId] ?? '').replace('127.0.0.1', 'localhost'),
        grpc.credentials.createSsl(this.tlsRoots),
        { 'grpc.max_receive_message_length': -1 },
      );
      clients.push(client);
      gateways.push(
        connect({
          client,
          identity: { mspId: 'Org1MSP', credentials: Buffer.from(this.user.certificate) },
          signer: signers.newPrivateKeySigner(createPrivateKey(this.user.privateKey)),
          hash: hash.sha256,
        }),
      );
    }
    try {
      await work(gateways.map((gateway) => gateway.getNetwork(channel)));
    } finally {
      for (const gateway of gateways) gateway.close();
      for (const client of clients) client.close();
    }
  }

  /** Compares every peer with what was announced and with what its blocks say, from one block on. */
  async #check(networks: readonly Network[], from = Math.max(0, this.#chain.height - 2)): Promise<void> {
    const heights: number[] = [];
    for (const network of networks) heights.push(await this.#chain.follow(network, from));
    if (new Set(heights).size > 1) throw new Error(`the peers stand at different heights: ${heights.join()}`);
    for (const { txId, block, code } of this.#unchecked) {
      const found = this.#chain.transaction(txId);
      if (found?.block !== block || found.code !== code) {
        throw new Error(
          `transaction ${txId} was announced in block ${block} with code ${code}, but is ` +
            (found ? `in block ${found.block} with code ${found.code}` : 'gone'),
        );
      }
    }
    const expected = JSON.stringify(this.#chain.state);
    for (const network of networks) {
      const state = await network.getContract(chaincode).evaluateTransaction('all');
      if (Buffer.from(state).toString() !== expected)
        throw new Error(`a peer's state is not what its blocks lead to at height ${this.#chain.height}`);
      for (const { txId, code } of this.#unchecked.slice(-3)) {
        const found = await network
          .getContract('qscc')
          .evaluateTransaction('GetTransactionByID', channel, txId);
        if (peer.ProcessedTransaction.deserializeBinary(found).getValidationcode() !== code)
          throw new Error(`a peer has another code for transaction ${txId} in its index`);
      }
    }
    this.#unchecked = [];
  }

  #tear(kill: number): void {
    if (this.#chain.height === 0 || !this.#random.chance(0.5)) return;
    const damages = tearFiles(join(this.dir, 'ledger'), channel, mspIds, this.#random);
    this.#damages += damages.length;
    writeFileSync(join(this.dir, 'network.log'), `kill ${kill}: ${damages.join('; ')}\n`, { flag: 'a' });
  }
}
