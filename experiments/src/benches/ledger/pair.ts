import { NetworkError } from '@strokeshare/network';
import { type BenchRow, row } from '../../report.js';
import { drive, type Load } from './load.js';
import { BenchNetwork } from './network.js';

/** Each backend's turn at a load; the turns alternate, so that what else the machine does hits both. */
const TURN_SECONDS = 3;
const TURNS = 2;
const BASE_PORT = { embedded: 24_000, native: 26_000 };

/** The embedded network and, where this machine has Fabric's programs, a native one of the same description. */
export class NetworkPair implements AsyncDisposable {
  private constructor(
    readonly embedded: BenchNetwork,
    readonly native: BenchNetwork | undefined,
    private readonly peerName: string,
  ) {}

  static async start(organizations: number): Promise<NetworkPair> {
    const embedded = await BenchNetwork.start('embedded', organizations, BASE_PORT.embedded);
    try {
      const native = await BenchNetwork.start('native', organizations, BASE_PORT.native);
      return new NetworkPair(embedded, native, 'native Fabric');
    } catch (error) {
      if (
        error instanceof NetworkError &&
        (error.code === 'FABRIC_MISSING' || error.code === 'FABRIC_VERSION')
      )
        return new NetworkPair(embedded, undefined, `no native Fabric: ${error.message}`);
      await embedded[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Does the same on each network, one after the other. */
  async each(action: (network: BenchNetwork) => Promise<void>): Promise<void> {
    for (const network of [this.embedded, this.native]) if (network) await action(network);
  }

  /** A row of a figure that every network has. */
  async row(
    name: string,
    unit: string,
    figure: (network: BenchNetwork) => number | Promise<number>,
    better: 'lower' | 'higher' = 'lower',
  ): Promise<BenchRow> {
    const peer = this.native ? await figure(this.native) : null;
    return row(name, unit, await figure(this.embedded), peer, this.peerName, better);
  }

  /** Calls per second under a load: the mean of alternating turns. */
  async rate(name: string, load: Load): Promise<BenchRow> {
    const rates = new Map<BenchNetwork, number>();
    for (let turn = 0; turn < TURNS; turn++) {
      await this.each(async (network) => {
        const rate = await drive(network.contract, load, TURN_SECONDS);
        rates.set(network, (rates.get(network) ?? 0) + rate / TURNS);
      });
    }
    return this.row(name, 'calls/s', (network) => rates.get(network) ?? 0, 'higher');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.embedded[Symbol.asyncDispose]();
    await this.native?.[Symbol.asyncDispose]();
  }
}
