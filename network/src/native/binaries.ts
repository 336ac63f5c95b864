import { delimiter, join, resolve } from 'node:path';
import { isExecutable } from '../daemon/files.js';
import { NetworkError } from '../errors.js';
import { runCommand } from './command.js';

/** The programs of Fabric's release that a native network needs. */
const PROGRAMS = ['peer', 'orderer', 'osnadmin', 'configtxgen', 'configtxlator'] as const;
export type FabricProgram = (typeof PROGRAMS)[number];

/** Release lines that this backend was written for; a later patch or minor release of 3 is taken as well. */
const SUPPORTED = [
  { major: 2, minor: 5 },
  { major: 3, minor: 1 },
] as const;

/** Fabric's programs on this machine. */
export interface FabricBinaries {
  /** Absolute paths. */
  readonly programs: Readonly<Record<FabricProgram, string>>;
  /** For example `3.1.5`. */
  readonly version: string;
  /** Since Fabric 3.0: SmartBFT and the channel capability V3_0. */
  readonly bft: boolean;
  /** Since Fabric 3.0: peers compare the time of a proposal with their own clock. */
  readonly timeWindowCheck: boolean;
}

/** Where Fabric's programs are looked for: `FABRIC_BIN_DIR` alone where it is set, otherwise PATH. */
export function findPrograms(
  env: NodeJS.ProcessEnv = process.env,
): { programs: Readonly<Record<FabricProgram, string>> } | { missing: readonly FabricProgram[] } {
  const chosen = env['FABRIC_BIN_DIR'];
  const folders = chosen ? [resolve(chosen)] : (env['PATH'] ?? '').split(delimiter).filter((p) => p !== '');
  const found = PROGRAMS.map(
    (program) =>
      [program, folders.map((folder) => resolve(join(folder, program))).find(isExecutable)] as const,
  );
  const missing = found.filter(([, path]) => path === undefined).map(([program]) => program);
  if (missing.length > 0) return { missing };
  return { programs: Object.fromEntries(found) as Record<FabricProgram, string> };
}

/**
 * Finds Fabric's programs and asks each node program for its version.
 * @throws NetworkError FABRIC_MISSING, FABRIC_VERSION
 */
export async function findFabric(env: NodeJS.ProcessEnv = process.env): Promise<FabricBinaries> {
  const found = findPrograms(env);
  if ('missing' in found) {
    const place = env['FABRIC_BIN_DIR']
      ? `in FABRIC_BIN_DIR (${env['FABRIC_BIN_DIR']})`
      : 'on PATH or in FABRIC_BIN_DIR';
    throw new NetworkError(
      'FABRIC_MISSING',
      `Fabric's ${list(found.missing)} ${found.missing.length === 1 ? 'was' : 'were'} not found ${place}: ` +
        `Fabric's documentation ("Install Fabric and Fabric Samples", or the releases page of hyperledger/fabric) ` +
        `has the binaries of 3.1 and 2.5, and the embedded network (--backend embedded) needs none.`,
    );
  }
  const { programs } = found;
  const [peer, orderer] = await Promise.all([
    programVersion(programs.peer),
    programVersion(programs.orderer),
  ]);
  if (peer.text !== orderer.text) {
    throw new NetworkError(
      'FABRIC_VERSION',
      `The peer is Fabric ${peer.text} and the orderer Fabric ${orderer.text}: install both from one release.`,
    );
  }
  const supported = SUPPORTED.some(({ major, minor }) =>
    major === 2 ? peer.major === 2 && peer.minor === minor : peer.major === major && peer.minor >= minor,
  );
  if (!supported) {
    throw new NetworkError(
      'FABRIC_VERSION',
      `Fabric ${peer.text} is not supported: install a release of 3.1 or 2.5, or use --backend embedded.`,
    );
  }
  return { programs, version: peer.text, bft: peer.major >= 3, timeWindowCheck: peer.major >= 3 };
}

async function programVersion(path: string): Promise<{ text: string; major: number; minor: number }> {
  const { stdout, stderr } = await runCommand({ program: path, args: ['version'] });
  const match = /Version:\s*v?((\d+)\.(\d+)\.\d+\S*)/.exec(`${stdout}\n${stderr}`);
  if (!match) throw new NetworkError('FABRIC_VERSION', `${path} does not tell its version.`);
  return { text: match[1] ?? '', major: Number(match[2]), minor: Number(match[3]) };
}

function list(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}
