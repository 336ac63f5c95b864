import { type BuildInfo } from '@strokeshare/chaincode';
import { operatorClient, recordsClient } from './clients.js';
import type { CallControl, Ledger } from './ledger.js';

/** What contracts run at one organisation, or why it did not answer; with `channel`, those of its private channel. */
export type Build = { mspId: string; channel?: string } & ({ info: BuildInfo } | { failure: Error });

/** Asks the peer of each organisation; one that does not answer hinders nobody. */
export async function askBuilds(
  ledger: Ledger,
  organizations: readonly string[],
  control: CallControl = {},
): Promise<Build[]> {
  const { buildInfo } = operatorClient(ledger);
  return Promise.all(organizations.map((mspId) => ask(buildInfo, { mspId }, control)));
}

/** Asks the caller's own peer what serves its private channel, which nobody else can ask. */
export async function askRecordsBuild(
  ledger: Ledger,
  channel: string,
  control: CallControl = {},
): Promise<Build> {
  return ask(recordsClient(ledger, channel).buildInfo, { mspId: ledger.mspId, channel }, control);
}

async function ask(
  buildInfo: ReturnType<typeof operatorClient>['buildInfo'],
  asked: { mspId: string; channel?: string },
  control: CallControl,
): Promise<Build> {
  try {
    const info = await buildInfo.get({}, { ...control, endorsingOrganizations: [asked.mspId] });
    return { ...asked, info };
  } catch (error) {
    return { ...asked, failure: error instanceof Error ? error : new Error(String(error)) };
  }
}

const FIELDS = ['version', 'codeDigest', 'nodeSeal', 'node', 'parameterSets'] as const;

/**
 * The fields in which the answers differ. Different code or arithmetic gives different bytes, so that organisations
 * would no longer endorse each other's results.
 */
export function differingFields(builds: readonly Build[]): (typeof FIELDS)[number][] {
  const infos = builds.flatMap((build) => ('info' in build ? [build.info] : []));
  return FIELDS.filter((name) => new Set(infos.map((info) => canonical(info[name]))).size > 1);
}

const canonical = (value: BuildInfo[(typeof FIELDS)[number]]): string =>
  typeof value === 'string' ? value : JSON.stringify(Object.entries(value).sort());
