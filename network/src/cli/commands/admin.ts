import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { NetworkError } from '../../errors.js';
import { openAdministrator, openNetwork } from '../../native/administration.js';
import type { AdministratorCli, Server } from '../../native/administrator.js';
import { majorityAfter, type ChannelChange } from '../../native/channel-update.js';
import { packChaincodeService, type ChaincodeTls } from '../../native/chaincode-package.js';
import { joinPeer } from '../../native/channels.js';
import type { FabricCli } from '../../native/cli.js';
import {
  approvalsOf,
  approveDefinition,
  commitDefinition,
  installPackage,
  keepPackage,
  type Definition,
} from '../../native/lifecycle.js';
import { definitionOf } from '../../native/members.js';
import { joinBySnapshot, takeSnapshot } from '../../native/snapshots.js';
import {
  currentConfig,
  describeUpdate,
  fetchGenesisBlock,
  proposeUpdate,
  readDefinition,
  signUpdate,
  submitUpdate,
} from '../../native/update-steps.js';
import { requireNetwork } from '../../operations/directory.js';
import { integer } from '../integer.js';
import { table, type Output } from '../output.js';

interface Common {
  dir: string;
  as?: string;
  administrator?: string;
}

/** Steps of one organisation's administrator on real Fabric nodes; what others need of a step is a file. */
export function adminCommand(output: Output): Command {
  const admin = new Command('admin')
    .description("one organisation's own steps on real Fabric nodes; files go from one to the next")
    .helpCommand(false);
  const steps = [
    describeStep(output),
    proposeStep(output),
    showStep(output),
    signStep(output),
    submitStep(output),
    joinStep(output),
    snapshotStep(output),
    installStep(output),
    approveStep(output),
    commitStep(output),
  ];
  for (const step of steps) admin.addCommand(withIdentity(step));
  return admin;
}

function describeStep(output: Output): Command {
  return new Command('describe')
    .description('describe the own organisation, without any secret, for the channels that it is to join')
    .requiredOption('--out <file>', 'where to write the description')
    .action(async (flags: Common & { out: string }) => {
      const { cli, mspId } = await localNetwork(flags);
      writeFileSync(flags.out, `${JSON.stringify(await definitionOf(cli, mspId), null, 2)}\n`);
      output.result(
        { mspId, file: flags.out },
        `${flags.out} describes ${mspId}; give it to a member of the channel.`,
      );
    });
}

interface ProposeFlags extends Common {
  channel: string;
  out: string;
  add: string[];
  remove: string[];
  endorsement?: string;
  lifecycle?: string;
  admins?: string;
}

function proposeStep(output: Output): Command {
  return new Command('propose')
    .description('propose a change of a channel: who joins, who leaves, the policies from then on')
    .requiredOption('-c, --channel <name>', 'the channel')
    .requiredOption('--out <file>', 'where to write the proposal')
    .option('--add <files...>', 'descriptions of organisations that join', [])
    .option('--remove <ids...>', 'MSP ids of organisations that leave', [])
    .option(
      '--endorsement <policy>',
      'endorsement policy (default: a majority of the organisations with peers)',
    )
    .option('--lifecycle <policy>', 'policy for chaincode definitions (default: the endorsement policy)')
    .option('--admins <policy>', 'policy for such changes (default: administrators of a majority with peers)')
    .action(async (flags: ProposeFlags) => {
      const admin = await administrator(flags);
      const members = { add: flags.add.map(readDefinition), remove: flags.remove };
      const current = await currentConfig(admin, flags.channel);
      const endorsement = flags.endorsement ?? majorityAfter(current, members, 'peer');
      const change: ChannelChange = {
        ...members,
        policies: {
          endorsement,
          lifecycleEndorsement: flags.lifecycle ?? endorsement,
          admins: flags.admins ?? majorityAfter(current, members, 'admin'),
        },
      };
      if (!(await proposeUpdate(admin, flags.channel, change, flags.out)))
        throw new NetworkError('CONFIG_INVALID', `The channel ${flags.channel} is so already.`);
      await showUpdate(output, admin, flags.out);
    });
}

function showStep(output: Output): Command {
  return new Command('show')
    .description('say what a proposal changes, and who has signed it')
    .argument('<file>', 'the proposal')
    .action(async (file: string, flags: Common) => showUpdate(output, await administrator(flags), file));
}

function signStep(output: Output): Command {
  return new Command('sign')
    .description('sign a proposal')
    .argument('<file>', 'the proposal; the signature is added to it')
    .option('--out <file>', 'write the signed proposal there instead')
    .action(async (file: string, flags: Common & { out?: string }) => {
      const admin = await administrator(flags);
      if (flags.out !== undefined) copyFileSync(file, flags.out);
      await signUpdate(admin, flags.out ?? file);
      await showUpdate(output, admin, flags.out ?? file);
    });
}

function submitStep(output: Output): Command {
  return new Command('submit')
    .description('sign a proposal and submit it')
    .argument('<file>', 'the proposal, signed by enough of the others')
    .action(async (file: string, flags: Common) => {
      const admin = await administrator(flags);
      const { channel } = await describeUpdate(admin, file);
      await submitUpdate(admin, channel, file);
      output.result({ channel }, `The change of ${channel} is submitted.`);
    });
}

function joinStep(output: Output): Command {
  return new Command('join')
    .description('join the own peer to a channel')
    .requiredOption('-c, --channel <name>', 'the channel')
    .option('--snapshot <folder>', 'take the state from this snapshot, without the history before it')
    .action(async (flags: Common & { channel: string; snapshot?: string }) => {
      const admin = await administrator(flags);
      if (flags.snapshot === undefined) {
        const block = join(admin.folder, `${flags.channel}.block`);
        await fetchGenesisBlock(admin, flags.channel, block);
        await joinPeer(admin, flags.channel, block);
      } else await joinBySnapshot(admin, resolve(flags.snapshot));
      const { mspId } = admin.administrator;
      output.result({ mspId, channel: flags.channel }, `The peer of ${mspId} is on ${flags.channel}.`);
    });
}

function snapshotStep(output: Output): Command {
  return new Command('snapshot')
    .description('have the own peer write a snapshot of a channel, for peers that join later')
    .requiredOption('-c, --channel <name>', 'the channel')
    .option(
      '--root <folder>',
      "the peer's ledger.snapshots.rootDir, where the network is not on this machine",
    )
    .action(async (flags: Common & { channel: string; root?: string }) => {
      const admin = await administrator(flags);
      const root = flags.root ?? (await localSnapshots(flags));
      if (!existsSync(root)) throw new NetworkError('CONFIG_INVALID', `There is no folder ${root}.`);
      const folder = await takeSnapshot(admin, flags.channel, root);
      output.result({ folder }, `The snapshot is in ${folder}.`);
    });
}

interface InstallFlags extends Common {
  label: string;
  address: string;
  tlsRoot?: string;
  tlsCert?: string;
  tlsKey?: string;
}

function installStep(output: Output): Command {
  return new Command('install')
    .description('install the package of a chaincode service on the own peer')
    .requiredOption('--label <label>', "the package's label, which should carry the code's digest")
    .requiredOption('--address <address>', "host:port of the own organisation's chaincode process")
    .option('--tls-root <file>', 'authority of its TLS certificate, with the next two')
    .option('--tls-cert <file>', 'TLS certificate by which the peer makes itself known to it')
    .option('--tls-key <file>', 'private key of that certificate')
    .action(async (flags: InstallFlags) => {
      const admin = await administrator(flags);
      const packed = await packChaincodeService({ ...flags, ...tlsOf(flags) });
      keepPackage(admin, packed);
      await installPackage(admin, packed.packageId);
      output.result({ packageId: packed.packageId }, packed.packageId);
    });
}

function tlsOf({ tlsRoot, tlsCert, tlsKey }: InstallFlags): { tls?: ChaincodeTls } {
  if (tlsRoot === undefined && tlsCert === undefined && tlsKey === undefined) return {};
  if (tlsRoot === undefined || tlsCert === undefined || tlsKey === undefined)
    throw new NetworkError('CONFIG_INVALID', 'TLS needs all of --tls-root, --tls-cert and --tls-key.');
  const [rootCertificate, clientCertificate, clientKey] = [tlsRoot, tlsCert, tlsKey].map((file) =>
    readFileSync(file, 'utf8'),
  ) as [string, string, string];
  return { tls: { rootCertificate, clientCertificate, clientKey } };
}

interface DefinitionFlags extends Common {
  channel: string;
  ccn: string;
  ccv: string;
  ccs: number;
  ccep?: string;
}

function approveStep(output: Output): Command {
  return withDefinition(new Command('approve'))
    .description('approve a chaincode definition for the own organisation')
    .option('--package <id>', 'package id that the own peer runs')
    .action(async (flags: DefinitionFlags & { package?: string }) => {
      const admin = await administrator(flags);
      await approveDefinition(admin, flags.channel, definition(flags), flags.package);
      const approvals = await approvalsOf(admin, flags.channel, definition(flags));
      const rows = Object.entries(approvals).map(([mspId, approved]) => [
        mspId,
        approved ? 'approved' : 'not yet',
      ]);
      output.result(approvals, table(rows));
    });
}

function commitStep(output: Output): Command {
  return withDefinition(new Command('commit'))
    .description('commit a chaincode definition that enough have approved')
    .option(
      '--endorsers <peers...>',
      "peers that endorse it, each as host:port=FILE with its TLS authority (default: every member's)",
    )
    .action(async (flags: DefinitionFlags & { endorsers?: string[] }) => {
      const admin = await administrator(flags);
      const endorsers = flags.endorsers?.map(parseEndorser) ?? (await localPeers(flags));
      await commitDefinition(admin, flags.channel, definition(flags), endorsers);
      output.result(definition(flags), `${flags.ccn} ${flags.ccv} is committed on ${flags.channel}.`);
    });
}

function parseEndorser(text: string): Server {
  const [address = '', tlsCa] = text.split('=', 2);
  if (tlsCa === undefined || !/^[^:]+:\d+$/.test(address))
    throw new NetworkError('CONFIG_INVALID', `"${text}" is not host:port=FILE.`);
  return { address, tlsCa: resolve(tlsCa) };
}

async function localPeers(flags: DefinitionFlags): Promise<Server[]> {
  const { cli } = await localNetwork(flags);
  const members = cli.config.channels.find(({ name }) => name === flags.channel)?.members ?? [];
  return cli.withPeers(members).map((admin) => admin.ownPeer);
}

async function showUpdate(output: Output, admin: AdministratorCli, file: string): Promise<void> {
  const found = await describeUpdate(admin, file);
  const lines = [
    `Channel   ${found.channel}`,
    `Joins     ${found.adds.join(', ') || 'nobody'}`,
    `Leaves    ${found.removes.join(', ') || 'nobody'}`,
    ...found.policies.map(({ name, before, after }) => `${name}\n  now     ${before}\n  then    ${after}`),
    ...found.others.map((path) => `Changes   ${path}`),
    `Signed by ${found.signedBy.join(', ') || 'nobody'}`,
  ];
  output.result(found, lines.join('\n'));
}

function definition({ ccn, ccv, ccs, ccep }: DefinitionFlags): Definition {
  return {
    name: ccn,
    version: ccv,
    sequence: ccs,
    ...(ccep === undefined ? {} : { endorsementPolicy: ccep }),
  };
}

function withDefinition(command: Command): Command {
  return command
    .requiredOption('-c, --channel <name>', 'the channel')
    .requiredOption('--ccn <name>', 'name of the chaincode (-ccn)')
    .requiredOption('--ccv <version>', 'version (-ccv)')
    .requiredOption('--ccs <number>', 'sequence (-ccs)', integer(1, 1_000_000))
    .option('--ccep <policy>', "endorsement policy (-ccep; default: the channel's)");
}

function withIdentity(command: Command): Command {
  return command
    .addOption(new Option('--as <id>', 'MSP id of the organisation whose administrator acts'))
    .option('--administrator <file>', 'YAML file that describes the administrator, for a network elsewhere');
}

async function administrator(flags: Common): Promise<AdministratorCli> {
  if (flags.administrator !== undefined) return openAdministrator(flags.administrator);
  const { cli, mspId } = await localNetwork(flags);
  return cli.as(mspId);
}

async function localNetwork(flags: Common): Promise<{ cli: FabricCli; mspId: string }> {
  if (flags.as === undefined)
    throw new NetworkError('CONFIG_INVALID', 'Say with --as whose administrator acts.');
  const { config } = requireNetwork(resolve(flags.dir)).marker;
  return { cli: await openNetwork(config), mspId: flags.as };
}

async function localSnapshots(flags: Common): Promise<string> {
  const { cli, mspId } = await localNetwork(flags);
  return join(cli.paths.node(cli.peerOf(mspId).name), 'data', 'snapshots');
}
