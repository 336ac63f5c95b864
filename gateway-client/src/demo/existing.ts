import { connectLedger, operatorClient, readProfileFolder, type ProfiledUser } from '../connect/index.js';
import { ClientError } from '../errors.js';
import { KEY_THRESHOLD, type DemoNetwork } from './consortium.js';

/**
 * A network that runs already, as a folder of connection profiles describes it: its institutions are those with an
 * identity whose role is `institution`, each with the private channel `<name>-records`.
 *
 * @throws ClientError `PROFILE_INVALID` where somebody is missing, `NETWORK_IN_USE` where institutions are enrolled:
 *   the demo would enter its own keys.
 */
export async function existingNetwork(folder: string): Promise<DemoNetwork> {
  const profiles = await readProfileFolder(folder);
  const institutions = profiles.withRole('institution');
  const [researcher] = profiles.withRole('researcher');
  if (institutions.length < KEY_THRESHOLD) {
    throw new ClientError(
      'PROFILE_INVALID',
      `${folder} has identities of ${institutions.length} institutions (certificate attribute strokeshare.role=institution); the demo needs ${KEY_THRESHOLD}.`,
    );
  }
  if (!researcher) {
    throw new ClientError(
      'PROFILE_INVALID',
      `${folder} has no identity of a researcher (certificate attribute strokeshare.role=researcher).`,
    );
  }
  await refuseUsed(institutions[0]);
  const byMspId = new Map(institutions.map((member) => [member.mspId, member]));
  return {
    hospitals: institutions.map(({ name, mspId }) => ({
      mspId,
      name,
      recordsChannel: `${name}-records`,
      datasetId: `ist-${name}`,
    })),
    institution: (mspId) => {
      const member = byMspId.get(mspId);
      if (!member) throw new TypeError(`${mspId} is an institution of the network`);
      return member.profile();
    },
    // Results are read from two organisations' peers and compared.
    researcher: () => researcher.profilesOfEachPeer().slice(0, 2),
  };
}

async function refuseUsed(member: ProfiledUser | undefined): Promise<void> {
  if (!member) return;
  using ledger = await connectLedger(member.profile());
  const { items } = await operatorClient(ledger).institutions.list({});
  if (items.length === 0) return;
  throw new ClientError(
    'NETWORK_IN_USE',
    `${items.map(({ mspId }) => mspId).join(', ')} are enrolled on this network already; the demo enters keys of its own and needs a consortium where nobody is. Ask this one with "strokeshare query run".`,
  );
}
