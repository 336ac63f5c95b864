import {
  encodeHeader,
  type Header,
  minerId,
  parseCompact,
  privateRecords,
  powState,
  sealedRoot,
  type SealedItem,
  targetOf,
  targetValue,
} from '@strokeshare/chaincode';
import { search, targetBytes } from '@strokeshare/gateway-client';
import { type BenchRow, row } from '../report.js';
import { shareMany } from '../sealing/load.js';
import { SealingNetwork } from '../sealing/network.js';
import type { Bench } from './index.js';

const ENTRIES = 100;
const ROUNDS = 40;
const SHARES = 60;
const IN_FLIGHT = 10;

/** What a flood of worthless headers costs a peer, beside what it does anyway. */
export const floodBench: Bench = {
  summary: 'refused headers: their cost beside honest seals, and beside the sharing that they disturb',
  async run(progress) {
    await using network = await SealingNetwork.start({ backend: 'embedded', institutions: 1 });
    await network.choosePow(4);
    await shareMany(network, ENTRIES, 20);
    const { client, mspId, contract } = network.first;
    const { items } = await client.endorsement.pending({});
    const batch = items.map(({ kind, id, digest }) => ({ kind, id, digest }));
    const tip = await client.endorsement.tip({});
    const { target, times } = powState.parse(tip.state);
    const header: Header = {
      version: 1,
      height: tip.height + 1,
      previous: tip.hash,
      merkleRoot: sealedRoot(batch),
      miner: minerId(mspId),
      timestamp: (times[0] ?? 0) + 1,
      target: parseCompact(target),
      nonce: 0n,
    };
    const honest = Buffer.from(encodeHeader(header));
    search(honest, targetBytes(targetValue(target)), 1e6);
    const forgeries: [string, Uint8Array][] = [
      ['no header at all', new Uint8Array(4)],
      ['a stale tip', encodeHeader({ ...header, height: 7 })],
      ['an easy target', encodeHeader({ ...header, target: targetOf(2) })],
      ['forged work', withoutWork(honest, targetValue(target))],
    ];
    const endorse = async (proof: Uint8Array, items: readonly SealedItem[]): Promise<boolean> => {
      const request = JSON.stringify({ proof: Buffer.from(proof).toString('base64'), batch: items });
      const { name } = privateRecords.EndorsementContract.Seal;
      return contract
        .newProposal(name, { arguments: [request] })
        .endorse()
        .then(
          () => true,
          () => false,
        );
    };
    const rows: BenchRow[] = [];
    const honestMs = await milliseconds(() => endorse(honest, batch), true);
    for (const [what, proof] of forgeries) {
      const ms = await milliseconds(() => endorse(proof, batch), false);
      rows.push(
        row(`refusal: ${what}, ${ENTRIES} entries named`, 'ms', ms, honestMs, 'an honest seal of them'),
      );
      progress(`${what}: ${ms.toFixed(1)} ms`);
    }
    const rate = async (): Promise<number> => {
      const started = performance.now();
      await shareMany(network, SHARES, IN_FLIGHT);
      return (1000 * SHARES) / (performance.now() - started);
    };
    const [, , , forged] = forgeries;
    const quiet = await rate();
    let flooding = true;
    const flood = Promise.all(
      Array.from({ length: IN_FLIGHT }, async () => {
        while (flooding) await endorse(forged?.[1] ?? new Uint8Array(), batch);
      }),
    );
    const flooded = await rate();
    flooding = false;
    await flood;
    return [
      ...rows,
      row(
        `sharing under a flood, ${IN_FLIGHT} refusals in flight`,
        '1/s',
        flooded,
        quiet,
        'no flood',
        'higher',
      ),
    ];
  },
};

/** The same header with the first nonce that does not fit. */
function withoutWork(honest: Buffer, target: bigint): Uint8Array {
  const forged = Buffer.from(honest);
  do forged.writeUInt32LE((forged.readUInt32LE(116) + 1) >>> 0, 116);
  while (search(Buffer.from(forged), targetBytes(target), 1).found);
  return forged;
}

/** Time of one call, the mean of some; every answer must be the expected one. */
async function milliseconds(call: () => Promise<boolean>, expected: boolean): Promise<number> {
  await call();
  const started = performance.now();
  for (let i = 0; i < ROUNDS; i++)
    if ((await call()) !== expected) throw new Error('A seal was answered otherwise than expected.');
  return (performance.now() - started) / ROUNDS;
}
