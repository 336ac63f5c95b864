import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { formatCompact, powState, targetOf, targetValue, expectedHashes } from '@strokeshare/chaincode';
import {
  connectLedger,
  institutionClient,
  readProfiles,
  recordsClient,
  type Ledger,
} from '../connect/index.js';
import {
  mine,
  MiningPool,
  powSealer,
  verifyEndorsement,
  type EndorsementClient,
} from '../endorsement/index.js';
import { Resources } from '../resources.js';
import { profileOption, withExample } from './options.js';

interface Place {
  profile: string;
  channel: string;
}

interface Choice extends Place {
  interval: number;
  hashes: number;
  easiest: number;
  window: number;
  depth: number;
}

/** More work than this nobody does: a target that low would stop the chain. */
const HARDEST_HASHES = 2 ** 80;
const FUTURE_MS = 120_000;

/** `strokeshare pow ...`: the blocks that seal sharing transactions. */
export function powCommand(signal: AbortSignal): Command {
  const pow = new Command('pow').description('seal sharing transactions by proof of work');
  const command = (name: string, description: string): Command =>
    withExample(
      pow
        .command(name)
        .description(description)
        .addOption(profileOption())
        .option('--channel <name>', 'the channel', 'consortium'),
      `pow ${name} --profile agent.json`,
    );

  command('choose', 'choose proof of work for a channel: once, and before anything is shared')
    .option('--interval <seconds>', 'the time that a block takes on average', positive, 10)
    .option('--hashes <number>', 'hashes that the first blocks take on average', positive, 2 ** 20)
    .option('--easiest <number>', 'hashes that every block takes at least on average', positive, 2 ** 12)
    .option('--window <blocks>', 'blocks between two adjustments of the target', whole, 16)
    .option('--depth <blocks>', 'blocks that an entry needs before it may be used', whole, 1)
    .action((options: Choice) => choose(options, signal));
  command('mine', 'mine: seal what is pending, and show the hash rate')
    .option('--threads <number>', 'threads that mine', whole, Math.max(1, availableParallelism() - 1))
    .option('--continuous', 'mine empty blocks as well, so that the interval holds all the time')
    .option('--blocks <number>', 'stop after so many own blocks', whole)
    .action((options: Place & Mining) => mineBlocks(options, signal));
  command('status', "show the channel's scheme, its tip and what is pending").action((options: Place) =>
    showStatus(options, signal),
  );
  command('verify', 'replay all blocks from the genesis, as read from every peer of the profile').action(
    (options: Place) => verify(options, signal),
  );
  return pow;
}

interface Mining {
  threads: number;
  continuous?: boolean;
  blocks?: number;
}

interface Opened {
  ledger: Ledger;
  endorsement: EndorsementClient;
}

/** Connects as the profile says, once for each of its peers. */
async function open({ profile, channel }: Place, resources: Resources): Promise<[Opened, ...Opened[]]> {
  const opened: Opened[] = [];
  for (const one of await readProfiles(profile)) {
    const ledger = resources.use(await connectLedger(one));
    const { endorsement } =
      channel === 'consortium' ? institutionClient(ledger) : recordsClient(ledger, channel);
    opened.push({ ledger, endorsement });
  }
  return opened as [Opened, ...Opened[]];
}

async function choose(options: Choice, signal: AbortSignal): Promise<void> {
  await using resources = new Resources();
  const [{ endorsement }] = await open(options, resources);
  const target = (hashes: number): string => formatCompact(targetOf(hashes));
  const parameters = {
    intervalMs: Math.round(1000 * options.interval),
    windowBlocks: options.window,
    target: target(Math.max(options.hashes, options.easiest)),
    easiestTarget: target(options.easiest),
    hardestTarget: target(HARDEST_HASHES),
    futureMs: FUTURE_MS,
  };
  await endorsement.choose({ scheme: 'pow', parameters, depth: options.depth }, { signal });
  console.log(`${options.channel} is sealed by proof of work from now on.`);
}

async function mineBlocks(options: Place & Mining, signal: AbortSignal): Promise<void> {
  await using resources = new Resources();
  const [{ ledger, endorsement }] = await open(options, resources);
  const pool = resources.use(new MiningPool(options.threads));
  const chaincode = options.channel === 'consortium' ? 'consortium' : 'records';
  const miner = {
    mspId: ledger.mspId,
    endorsement,
    events: ledger.events(options.channel, chaincode),
    sealers: [powSealer(pool)],
  };
  let won = 0;
  const blocks = mine(miner, {
    signal,
    ...(options.continuous && { continuous: true }),
    onProgress: ({ hashes, hashesPerSecond, expectedHashes: expected }) =>
      process.stderr.write(
        `\r${Math.round(hashesPerSecond / 1000)} kH/s, ${(hashes / expected).toFixed(2)} of the average work   `,
      ),
    onRace: (height) => process.stderr.write(`\nblock ${height} was another's\n`),
  });
  for await (const { height, hash, batch } of blocks) {
    console.log(`block ${height} ${hash} seals ${batch.length}`);
    if (++won === options.blocks) return;
  }
}

async function showStatus(options: Place, signal: AbortSignal): Promise<void> {
  await using resources = new Resources();
  const [{ endorsement }] = await open(options, resources);
  const { scheme, chosen } = await endorsement.scheme({}, { signal });
  console.log(`scheme   ${scheme}`);
  if (!chosen || scheme === 'none') return;
  const tip = await endorsement.tip({}, { signal });
  console.log(`depth    ${chosen.depth}`);
  console.log(`height   ${tip.height}\ntip      ${tip.hash}`);
  const state = powState.safeParse(tip.state);
  if (state.success) {
    const hashes = Math.round(expectedHashes(targetValue(state.data.target)));
    console.log(`target   ${state.data.target} (${hashes} hashes on average)`);
  }
  const { items, next } = await endorsement.pending({}, { signal });
  console.log(`pending  ${items.length}${next === undefined ? '' : ' or more'}`);
  for (const { kind, id, by, at } of items.slice(0, 20)) console.log(`  ${kind} ${id} by ${by} at ${at}`);
}

async function verify(options: Place, signal: AbortSignal): Promise<void> {
  await using resources = new Resources();
  const opened = await open(options, resources);
  const readers = opened.map(({ endorsement }) => endorsement);
  const { chosen, height, hash, entries } = await verifyEndorsement(readers, signal);
  console.log(
    `${options.channel}: ${height} blocks by ${chosen.scheme} follow the rules from the genesis to ${hash}; ` +
      `they seal ${entries} entries (read through ${readers.length === 1 ? 'one peer' : `${readers.length} peers`}).`,
  );
}

function whole(text: string): number {
  const value = Number(text);
  if (!(Number.isSafeInteger(value) && value > 0))
    throw new InvalidArgumentError('must be a whole number from 1 on');
  return value;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('must be a positive number');
  return value;
}
