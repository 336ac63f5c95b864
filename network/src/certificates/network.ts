import type { ResolvedConfig } from '../config/schema.js';
import { writeConnectionProfile } from './connectionProfile.js';
import { issueOrdererOrganization, issuePeerOrganization } from './organization.js';
import { ordererDomain } from './paths.js';

/** Issues the identity trees of every organisation of a network, the ordering one included, and their profiles. */
export async function issueNetwork(
  config: ResolvedConfig,
  onOrganization: (domain: string) => void = () => undefined,
): Promise<void> {
  const orderer = ordererDomain(config);
  onOrganization(orderer);
  await issueOrdererOrganization(config.dir, orderer);
  for (const organization of config.organizations) {
    onOrganization(organization.domain);
    await issuePeerOrganization(config.dir, organization);
    writeConnectionProfile(config, organization);
  }
}
