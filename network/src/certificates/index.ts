export { ATTRIBUTE_OID, attributeExtension, attributesOfPem, certificateAttributes } from './attributes.js';
export { CertificateAuthority, type IssuedCertificate, type NodeRole, type Validity } from './authority.js';
export { profiledPeers, writeConnectionProfile } from './connectionProfile.js';
export { requestCertificate } from './keys.js';
export { issueNetwork } from './network.js';
export {
  ADMIN,
  issueOrdererOrganization,
  issuePeerOrganization,
  type FindSigner,
  type IdentitySigner,
  type OrganizationIdentities,
} from './organization.js';
export {
  ordererDomain,
  ordererOrganizationPaths,
  peerOrganizationPaths,
  type MspPaths,
  type NodePaths,
  type OrganizationPaths,
  type PeerOrganizationPaths,
  type TlsPaths,
} from './paths.js';
