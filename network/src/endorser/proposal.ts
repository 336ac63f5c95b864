import { common, peer } from '@hyperledger/fabric-protos';
import { type Identity } from '../msp/identity.js';
import { type MspManager } from '../msp/manager.js';
import { errorMessage } from '../protos/bytes.js';
import { proposalHash, transactionId } from '../protos/transaction.js';

/** A signed proposal, taken apart. */
export interface Proposal {
  readonly signed: peer.SignedProposal;
  readonly channelHeader: common.ChannelHeader;
  readonly signatureHeader: common.SignatureHeader;
  readonly headerBytes: { readonly channel: Uint8Array; readonly signature: Uint8Array };
  readonly channel: string;
  readonly txId: string;
  readonly chaincode: string;
  readonly input: peer.ChaincodeInput;
  readonly hasTransientData: boolean;
  /** The payload that goes into the transaction: without transient data. */
  readonly visiblePayload: Uint8Array;
  readonly hash: Uint8Array;
}

const parsed = new WeakMap<peer.SignedProposal, Proposal>();

/**
 * Takes a proposal apart; the result is kept with the message object, because several peers of the process read it.
 *
 * @throws Error with Fabric's text
 */
export function unpackProposal(signed: peer.SignedProposal): Proposal {
  const known = parsed.get(signed);
  if (known) return known;
  const proposal = read('Proposal', () => peer.Proposal.deserializeBinary(signed.getProposalBytes_asU8()));
  const header = read('Header', () => common.Header.deserializeBinary(proposal.getHeader_asU8()));
  const headerBytes = {
    channel: header.getChannelHeader_asU8(),
    signature: header.getSignatureHeader_asU8(),
  };
  const channelHeader = read('ChannelHeader', () =>
    common.ChannelHeader.deserializeBinary(headerBytes.channel),
  );
  const signatureHeader = read('SignatureHeader', () =>
    common.SignatureHeader.deserializeBinary(headerBytes.signature),
  );
  const extension = read('ChaincodeHeaderExtension', () =>
    peer.ChaincodeHeaderExtension.deserializeBinary(channelHeader.getExtension_asU8()),
  );
  const chaincodeId = extension.getChaincodeId();
  if (!chaincodeId) throw new Error('ChaincodeHeaderExtension.ChaincodeId is nil');
  const payload = read('ChaincodeProposalPayload', () =>
    peer.ChaincodeProposalPayload.deserializeBinary(proposal.getPayload_asU8()),
  );
  const spec = read('ChaincodeInvocationSpec', () =>
    peer.ChaincodeInvocationSpec.deserializeBinary(payload.getInput_asU8()),
  ).getChaincodeSpec();
  if (!spec) throw new Error('chaincode invocation spec did not contain chaincode spec');
  const input = spec.getInput();
  if (!input) throw new Error('chaincode input did not contain any input');
  const visible = new peer.ChaincodeProposalPayload();
  visible.setInput(payload.getInput_asU8());
  const visiblePayload = visible.serializeBinary();
  const result: Proposal = {
    signed,
    channelHeader,
    signatureHeader,
    headerBytes,
    channel: channelHeader.getChannelId(),
    txId: channelHeader.getTxId(),
    chaincode: chaincodeId.getName(),
    input,
    hasTransientData: payload.getTransientmapMap().getLength() > 0,
    visiblePayload,
    hash: proposalHash(headerBytes.channel, headerBytes.signature, visiblePayload),
  };
  parsed.set(signed, result);
  return result;
}

function read<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Error(`error unmarshalling ${what}: ${errorMessage(error)}`, { cause: error });
  }
}

const signatures = new WeakMap<peer.SignedProposal, { readonly creator: string; readonly good: boolean }>();

/**
 * Checks form, transaction id, creator and signature (core/endorser/msgvalidation.go).
 *
 * @returns the creator
 * @throws Error with Fabric's text, which tells outsiders little
 */
export function validateProposal(proposal: Proposal, manager: MspManager): Identity {
  const { channelHeader, signatureHeader, channel, chaincode, txId, signed } = proposal;
  if (chaincode === '') throw new Error('ChaincodeHeaderExtension.ChaincodeId.Name is empty');
  const types: readonly number[] = [common.HeaderType.ENDORSER_TRANSACTION, common.HeaderType.CONFIG];
  if (!types.includes(channelHeader.getType())) {
    throw new Error(`invalid header type ${headerTypeName(channelHeader.getType())}`);
  }
  if (channelHeader.getEpoch() !== 0) throw new Error('epoch is non-zero');
  const nonce = signatureHeader.getNonce_asU8();
  const creatorBytes = signatureHeader.getCreator_asU8();
  if (nonce.length === 0) throw new Error('nonce is empty');
  if (creatorBytes.length === 0) throw new Error('creator is empty');
  const expected = transactionId(nonce, creatorBytes);
  if (txId !== expected) throw new Error(`incorrectly computed txid '${txId}' -- expected '${expected}'`);
  if (signed.getSignature_asU8().length === 0) throw new Error('empty signature bytes');
  let creator: Identity;
  try {
    creator = manager.deserialize(creatorBytes);
  } catch {
    throw new Error(`access denied: channel [${channel}] creator org unknown, creator is malformed`);
  }
  const denied = (): Error => new Error(`access denied: channel [${channel}] creator org [${creator.mspId}]`);
  if (manager.problem(creator) !== null) throw denied();
  if (!isSignedBy(signed, creator)) throw denied();
  return creator;
}

/** True if the identity signed the proposal; the outcome is kept with the message object. */
export function isSignedBy(signed: peer.SignedProposal, creator: Identity): boolean {
  let outcome = signatures.get(signed);
  if (outcome?.creator !== creator.key) {
    const good = creator.verify(signed.getProposalBytes_asU8(), signed.getSignature_asU8());
    outcome = { creator: creator.key, good };
    signatures.set(signed, outcome);
  }
  return outcome.good;
}

function headerTypeName(type: number): string {
  return Object.entries(common.HeaderType).find(([, number]) => number === type)?.[0] ?? String(type);
}

/** Go's RFC 3339 of a time, to the second. */
function rfc3339(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

function goDuration(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = seconds % 60;
  if (hours > 0) return `${hours}h${minutes}m${rest}s`;
  return minutes > 0 ? `${minutes}m${rest}s` : `${rest}s`;
}

/**
 * The filters in front of a peer's endorser: expired identities and timestamps outside the window.
 *
 * @throws Error with Fabric's text
 */
export function filterProposal(
  proposal: Proposal,
  manager: MspManager,
  windowSeconds: number,
  now = new Date(),
): void {
  let expiry: Date | undefined;
  try {
    expiry = manager.deserialize(proposal.signatureHeader.getCreator_asU8()).expiresAt;
  } catch {
    // A creator that cannot be read is refused later, with its own words.
  }
  if (expiry && now > expiry) throw new Error('proposal client identity expired');
  const timestamp = proposal.channelHeader.getTimestamp();
  const time = new Date((timestamp?.getSeconds() ?? 0) * 1000 + (timestamp?.getNanos() ?? 0) / 1e6);
  if (Math.abs(time.getTime() - now.getTime()) > windowSeconds * 1000) {
    throw new Error(
      `request unauthorized due to incorrect timestamp ${rfc3339(time)}, peer time ${rfc3339(now)}, ` +
        `peer.authentication.timewindow ${goDuration(windowSeconds)}`,
    );
  }
}
