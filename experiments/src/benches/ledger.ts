import { type BenchRow, table } from '../report.js';
import type { Bench } from './index.js';
import { drive, prepare } from './ledger/load.js';
import type { BenchNetwork } from './ledger/network.js';
import { NetworkPair } from './ledger/pair.js';

const SIZES = [
  { name: '100 B', size: 100 },
  { name: '64 KiB', size: 64 * 1024 },
  { name: '256 KiB', size: 256 * 1024 },
  { name: '1 MiB', size: 1024 * 1024 },
] as const;
const KINDS = ['submit', 'evaluate'] as const;
const IN_FLIGHT = [1, 50] as const;
const ORGANIZATIONS = [1, 2, 4, 8, 16] as const;
const WARM_UP_SECONDS = 3;

type Progress = (line: string) => void;

/**
 * Submits and evaluates on the embedded network and, where Fabric's programs are found, on a native network in the same
 * run. A rate is that of one client at the first organisation's peer; a submit is finished when it is committed.
 */
export const ledgerBench: Bench = {
  summary: 'submits and evaluates: the embedded network beside native Fabric',
  run: async (progress) => [...(await threeOrganizations(progress)), ...(await scaling(progress))],
};

/** Every size and number of open calls, with the policy "two of three". */
async function threeOrganizations(progress: Progress): Promise<BenchRow[]> {
  progress('three organisations');
  await using pair = await NetworkPair.start(3);
  const rows = [
    await pair.row('start of 3 organisations', 's', ({ startSeconds }) => startSeconds),
    await pair.row('memory before the load', 'MiB', memory),
  ];
  await pair.each(warmUp);
  for (const { name, size } of SIZES) {
    await pair.each(({ contract }) => prepare(contract, size));
    for (const kind of KINDS)
      for (const inFlight of IN_FLIGHT) {
        const measured = await pair.rate(`${kind} ${name}, ${inFlight} in flight`, { kind, size, inFlight });
        progress(table([measured]));
        rows.push(measured);
      }
  }
  return [...rows, await pair.row('memory after the load', 'MiB', memory)];
}

/** The smallest value, many calls open, more and more organisations; a majority endorses. */
async function scaling(progress: Progress): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const organizations of ORGANIZATIONS) {
    progress(`${organizations} organisations`);
    await using pair = await NetworkPair.start(organizations);
    await pair.each(warmUp);
    for (const kind of KINDS)
      rows.push(
        await pair.rate(`${kind} 100 B, 50 in flight, ${organizations} organisations`, {
          kind,
          size: 100,
          inFlight: 50,
        }),
      );
    progress(table(rows.slice(-KINDS.length)));
  }
  return rows;
}

/** A service that runs for long has been compiled; so are these when their turn comes. */
async function warmUp({ contract }: BenchNetwork): Promise<void> {
  await prepare(contract, 100);
  for (const kind of KINDS) await drive(contract, { kind, size: 100, inFlight: 50 }, WARM_UP_SECONDS);
}

async function memory(network: BenchNetwork): Promise<number> {
  return (await network.memory()) / 2 ** 20;
}
