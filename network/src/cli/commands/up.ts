import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { readConfigFile, type NetworkConfig } from '../../config/index.js';
import { readMarker } from '../../daemon/marker.js';
import { NetworkError } from '../../errors.js';
import { up } from '../../operations/up.js';
import { DEFAULT_CHANNEL, DEFAULT_DIRECTORY, DEFAULT_ORGANIZATIONS, sampleNetwork } from '../defaults.js';
import { integer } from '../integer.js';
import { table, type Output } from '../output.js';

interface Flags {
  dir: string;
  orgs?: number;
  institutions?: number;
  peers?: number;
  channel?: string;
  config?: string;
  basePort?: number;
  s?: string;
  ca?: boolean;
  bft?: boolean;
  backend?: NetworkConfig['backend'];
  orderers?: number;
}

export function upCommand(output: Output): Command {
  return new Command('up')
    .description('start a network, or go on with the stopped one of this directory')
    .argument('[createChannel]', 'also create the channel that -c names')
    .option(
      '--orgs <number>',
      `organisations, each with a peer (default: ${DEFAULT_ORGANIZATIONS})`,
      integer(1, 28),
    )
    .option('--institutions <number>', 'the same as --orgs', integer(1, 28))
    .option('-c, --channel <name>', 'create this channel of all organisations')
    .option('--config <file>', 'description of the network in YAML, instead of the flags above')
    .option(
      '--base-port <port>',
      'peers take the ports from here on (default: 7051, 9051, ...)',
      integer(1, 65535),
    )
    .option('-s <database>', 'state database; leveldb is the only one')
    .addOption(
      new Option(
        '--backend <kind>',
        "embedded: in Node, needs nothing else (default); native: Fabric's own orderer and peer, found on PATH or in FABRIC_BIN_DIR",
      ).choices(['embedded', 'native']),
    )
    .option('--bft', 'native: SmartBFT with four orderers instead of Raft (-bft)')
    .option('--orderers <number>', 'native: number of orderers', integer(1, 16))
    .option('--peers <number>', 'native: peers of each organisation (default: 1)', integer(1, 9))
    .option('--ca', 'identities from a fabric-ca-server for each organisation, as in fabric-samples (-ca)')
    .action(async (verb: string | undefined, flags: Flags) => {
      refuseUnsupported(verb, flags);
      const interrupt = new AbortController();
      const onSignal = (): void => interrupt.abort();
      process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
      try {
        const config = describe(flags, verb !== undefined);
        const info = await up(config, { onProgress: output.progress, signal: interrupt.signal });
        const peers = info.organizations.map(({ mspId, peer }) => [mspId, peer?.endpoint ?? 'no peer']);
        output.result(
          info,
          `The network in ${info.dir} is running.\n${table(peers)}\nChannels: ${info.channels.join(', ') || 'none'}`,
        );
      } finally {
        process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
      }
    });
}

function describe(flags: Flags, withChannel: boolean): NetworkConfig {
  const { config, orgs, institutions, peers, basePort, backend, bft, orderers, ca } = flags;
  const channel = flags.channel ?? (withChannel ? DEFAULT_CHANNEL : undefined);
  const given = [orgs, institutions, peers, channel, basePort, backend, bft, orderers, ca].filter(
    (flag) => flag !== undefined,
  );
  if (config !== undefined) {
    if (given.length > 0)
      throw new NetworkError('CONFIG_INVALID', 'With --config the file alone describes the network.');
    const described = readConfigFile(config);
    return flags.dir === DEFAULT_DIRECTORY ? described : { ...described, dir: resolve(flags.dir) };
  }
  const dir = resolve(flags.dir);
  // Without any description the stopped network goes on, whatever it was made from.
  if (given.length === 0) {
    const marker = readMarker(dir);
    if (marker) return marker.requested;
  }
  return {
    ...sampleNetwork({
      dir,
      organizations: orgs ?? institutions ?? DEFAULT_ORGANIZATIONS,
      peers,
      channel,
      basePort,
    }),
    ...(backend === undefined ? {} : { backend }),
    ...(bft ? { consensus: 'bft' } : {}),
    ...(orderers === undefined ? {} : { orderers }),
    ...(ca ? { fabricCa: true } : {}),
  };
}

function refuseUnsupported(verb: string | undefined, flags: Flags): void {
  const refuse = (sentence: string): never => {
    throw new NetworkError('CONFIG_INVALID', sentence);
  };
  if (verb !== undefined && verb !== 'createChannel')
    refuse(`"up ${verb}" is not known; "up createChannel" is.`);
  if (flags.s !== undefined && flags.s !== 'leveldb')
    refuse('A network keeps its state in LevelDB here; CouchDB needs a Fabric network of your own.');
  if (flags.backend !== 'native' && flags.config === undefined) {
    if (flags.bft) refuse('The embedded network has a single orderer; -bft needs --backend native.');
    if (flags.orderers !== undefined)
      refuse('The embedded network has a single orderer; --orderers needs --backend native.');
    if ((flags.peers ?? 1) > 1)
      refuse('An organisation of the embedded network has one peer; --peers needs --backend native.');
  }
}
