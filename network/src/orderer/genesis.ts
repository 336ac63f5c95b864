import { common, msp, orderer } from '@hyperledger/fabric-protos';
import { type BatchOptions, type ChannelOptions, type OrganizationOptions } from '../embedded-options.js';
import {
  type ChannelPolicies,
  configPolicy,
  organizationPolicies,
  type Policy,
} from '../policy/channel-policies.js';

/**
 * The first block of a channel: its configuration, in the form of Fabric's configuration groups (organisations with
 * their authorities, policies, batch rules), so that readers of blocks find there what they expect. This network reads
 * its configuration from its options; the block records it.
 */

export interface GenesisOptions {
  readonly channel: ChannelOptions;
  readonly organizations: readonly OrganizationOptions[];
  readonly orderer: { readonly mspId: string; readonly rootCertificates: readonly string[] };
  readonly batch: BatchOptions;
  readonly policies: ChannelPolicies;
}

function setValue(group: common.ConfigGroup, name: string, value: { serializeBinary(): Uint8Array }): void {
  const message = new common.ConfigValue();
  message.setValue(value.serializeBinary());
  message.setModPolicy('Admins');
  group.getValuesMap().set(name, message);
}

function setPolicy(group: common.ConfigGroup, name: string, policy: Policy): void {
  const message = new common.ConfigPolicy();
  message.setPolicy(configPolicy(policy));
  message.setModPolicy('Admins');
  group.getPoliciesMap().set(name, message);
}

function newGroup(): common.ConfigGroup {
  const group = new common.ConfigGroup();
  group.setModPolicy('Admins');
  return group;
}

function organizationGroup(
  mspId: string,
  authorities: Pick<
    OrganizationOptions,
    'rootCertificates' | 'intermediateCertificates' | 'tlsRootCertificates'
  >,
): common.ConfigGroup {
  const group = newGroup();
  const bytes = (pems: readonly string[] = []): Uint8Array[] => pems.map((pem) => Buffer.from(pem));
  const [root] = authorities.rootCertificates;
  const unit = (role: string): msp.FabricOUIdentifier => {
    const identifier = new msp.FabricOUIdentifier();
    identifier.setOrganizationalUnitIdentifier(role);
    identifier.setCertificate(Buffer.from(root ?? ''));
    return identifier;
  };
  const nodeOus = new msp.FabricNodeOUs();
  nodeOus.setEnable(true);
  nodeOus.setClientOuIdentifier(unit('client'));
  nodeOus.setPeerOuIdentifier(unit('peer'));
  nodeOus.setAdminOuIdentifier(unit('admin'));
  nodeOus.setOrdererOuIdentifier(unit('orderer'));
  const config = new msp.FabricMSPConfig();
  config.setName(mspId);
  config.setRootCertsList(bytes(authorities.rootCertificates));
  config.setIntermediateCertsList(bytes(authorities.intermediateCertificates));
  config.setTlsRootCertsList(bytes(authorities.tlsRootCertificates));
  config.setFabricNodeOus(nodeOus);
  const value = new msp.MSPConfig();
  value.setConfig(config.serializeBinary());
  setValue(group, 'MSP', value);
  for (const [name, policy] of Object.entries(organizationPolicies(mspId))) setPolicy(group, name, policy);
  return group;
}

function ordererGroup(options: GenesisOptions): common.ConfigGroup {
  const group = newGroup();
  const size = new orderer.BatchSize();
  size.setMaxMessageCount(options.batch.maxMessageCount);
  size.setAbsoluteMaxBytes(options.batch.absoluteMaxBytes);
  size.setPreferredMaxBytes(options.batch.preferredMaxBytes);
  const timeout = new orderer.BatchTimeout();
  timeout.setTimeout(`${options.batch.timeoutMs}ms`);
  const consensus = new orderer.ConsensusType();
  consensus.setType('embedded');
  setValue(group, 'BatchSize', size);
  setValue(group, 'BatchTimeout', timeout);
  setValue(group, 'ConsensusType', consensus);
  const { mspId, rootCertificates } = options.orderer;
  group.getGroupsMap().set(mspId, organizationGroup(mspId, { rootCertificates, tlsRootCertificates: [] }));
  for (const name of ['Readers', 'Writers'] as const)
    setPolicy(group, name, { meta: 'ANY', subPolicy: name });
  setPolicy(group, 'Admins', { meta: 'MAJORITY', subPolicy: 'Admins' });
  setPolicy(group, 'BlockValidation', { meta: 'ANY', subPolicy: 'Writers' });
  return group;
}

function applicationGroup(options: GenesisOptions): common.ConfigGroup {
  const group = newGroup();
  for (const organization of options.organizations) {
    group.getGroupsMap().set(organization.mspId, organizationGroup(organization.mspId, organization));
  }
  for (const name of options.policies.names) {
    const policy = options.policies.named(name);
    if (policy) setPolicy(group, name, policy);
  }
  return group;
}

/** Serialized envelope of the channel's configuration transaction. */
export function genesisEnvelope(options: GenesisOptions): Uint8Array {
  const root = newGroup();
  root.getGroupsMap().set('Orderer', ordererGroup(options));
  root.getGroupsMap().set('Application', applicationGroup(options));
  for (const name of ['Readers', 'Writers'] as const) setPolicy(root, name, { meta: 'ANY', subPolicy: name });
  setPolicy(root, 'Admins', { meta: 'MAJORITY', subPolicy: 'Admins' });
  const config = new common.Config();
  config.setChannelGroup(root);
  const configEnvelope = new common.ConfigEnvelope();
  configEnvelope.setConfig(config);

  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(common.HeaderType.CONFIG);
  channelHeader.setChannelId(options.channel.name);
  // Nobody signs the first block; its creator and nonce only make the header well-formed.
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(Buffer.from(options.orderer.mspId));
  signatureHeader.setNonce(Buffer.from(options.channel.name));
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(configEnvelope.serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  return envelope.serializeBinary();
}
