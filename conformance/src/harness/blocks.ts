import { Integer, OctetString, Sequence } from 'asn1js';
import { common } from '@hyperledger/fabric-protos';
import { sha256 } from './signature.js';

/** The DER of number, previous hash and data hash: what orderers sign and the next block refers to. */
export function headerBytesOf(header: common.BlockHeader): Uint8Array {
  const sequence = new Sequence({
    value: [
      Integer.fromBigInt(BigInt(header.getNumber())),
      new OctetString({ valueHex: buffer(header.getPreviousHash_asU8()) }),
      new OctetString({ valueHex: buffer(header.getDataHash_asU8()) }),
    ],
  });
  return new Uint8Array(sequence.toBER());
}

export function headerHash(header: common.BlockHeader): string {
  return sha256(headerBytesOf(header)).toString('hex');
}

/** SHA-256 of the block's envelopes, one after the other. */
export function dataHash(block: common.Block): string {
  return sha256(...(block.getData()?.getDataList_asU8() ?? [])).toString('hex');
}

export function headerOf(block: common.Block): common.BlockHeader {
  return block.getHeader() ?? new common.BlockHeader();
}

/** The validation code of each transaction of a block. */
export function validationCodes(block: common.Block): number[] {
  return [...(block.getMetadata()?.getMetadataList_asU8()[2] ?? [])];
}

/** Types and ids of the envelopes in a block. */
export function channelHeaders(block: common.Block): common.ChannelHeader[] {
  return (block.getData()?.getDataList_asU8() ?? []).map((bytes) => {
    const envelope = common.Envelope.deserializeBinary(bytes);
    const payload = common.Payload.deserializeBinary(envelope.getPayload_asU8());
    return common.ChannelHeader.deserializeBinary(
      payload.getHeader()?.getChannelHeader_asU8() ?? new Uint8Array(),
    );
  });
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function buffer(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
