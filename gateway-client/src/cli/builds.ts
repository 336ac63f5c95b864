import {
  askBuilds,
  askRecordsBuild,
  type Build,
  connectLedger,
  differingFields,
  operatorClient,
  readProfile,
} from '../connect/index.js';
import { sentenceOf } from './ending.js';

/**
 * Prints what the consortium's contracts run at every organisation and, with `records`, what serves the own private
 * channel of that name: both are made from one source, so they have to be the same.
 * @param organizations MSP ids; none: every institution of the registry that runs a peer
 * @returns whether all answered and run the same
 */
export async function compareBuilds(
  organizations: readonly string[],
  { profile, records, json }: { profile: string; records?: string; json?: boolean },
  signal: AbortSignal,
): Promise<boolean> {
  using ledger = await connectLedger(await readProfile(profile));
  const asked = organizations.length > 0 ? organizations : await institutions(ledger, signal);
  const control = { signal, totalMs: 30_000 };
  const builds = await askBuilds(ledger, asked, control);
  if (records !== undefined) builds.push(await askRecordsBuild(ledger, records, control));
  const differing = differingFields(builds);
  const silent = builds.filter((build) => 'failure' in build).map(nameOf);
  if (json) {
    const shown = builds.map((build) =>
      'info' in build ? build : { ...build, failure: sentenceOf(build.failure) },
    );
    console.log(JSON.stringify({ builds: shown, differing, silent }, undefined, 2));
  } else {
    for (const build of builds) {
      const told =
        'info' in build
          ? `${build.info.version}  code ${build.info.codeDigest.slice(0, 12)}  node-seal ${build.info.nodeSeal}  Node ${build.info.node}`
          : sentenceOf(build.failure);
      console.log(`${nameOf(build)}  ${told}`);
    }
    console.log(
      differing.length > 0
        ? `They differ in ${differing.join(', ')}: results would not be endorsed by all.`
        : 'All that answered run the same.',
    );
    if (silent.length > 0) console.log(`No answer from ${silent.join(', ')}.`);
  }
  return differing.length === 0 && silent.length === 0;
}

const nameOf = ({ mspId, channel }: Build): string =>
  channel === undefined ? mspId : `${mspId} on ${channel}`;

async function institutions(
  ledger: Parameters<typeof operatorClient>[0],
  signal: AbortSignal,
): Promise<string[]> {
  const { items } = await operatorClient(ledger).institutions.list({ limit: 100 }, { signal });
  return items
    .filter(({ hostedBy, status }) => hostedBy === undefined && status === 'ACTIVE')
    .map(({ mspId }) => mspId);
}
