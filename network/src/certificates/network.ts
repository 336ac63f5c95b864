import { ordererNames, type ResolvedConfig } from '../config/schema.js';
import { writeConnectionProfile } from './connectionProfile.js';
import { issueOrdererOrganization, issuePeerOrganization, type FindSigner } from './organization.js';
import { ordererDomain } from './paths.js';

/** Issues the identity trees of every organisation of a network, the ordering one included, and their profiles. */
export async function issueNetwork(
  config: ResolvedConfig,
  onOrganization: (domain: string) => void = () => undefined,
  findSigner?: FindSigner,
): Promise<void> {
  const orderer = ordererDomain(config);
  onOrganization(orderer);
  await issueOrdererOrganization(config.dir, orderer, ordererNames(config), findSigner);
  for (const organization of config.organizations) {
    onOrganization(organization.domain);
    await issuePeerOrganization(config.dir, organization, findSigner);
    writeConnectionProfile(config, organization);
  }
}
