import { common, peer } from '@hyperledger/fabric-protos';
import { blockHeaderHash, blockMessage } from '../protos/block.js';
import { errorMessage } from '../protos/bytes.js';
import { checkProposal, type PeerChannel, readersPolicy } from './channel.js';
import { newResponse } from './lifecycle.js';

/** The built-in chaincode that reads blocks and transactions (core/scc/qscc/query.go). */
export async function executeQscc(
  input: peer.ChaincodeInput,
  signed: peer.SignedProposal,
  channelOf: (name: string) => PeerChannel | undefined,
): Promise<peer.Response> {
  const args = input.getArgsList_asU8().map((bytes) => Buffer.from(bytes));
  const failure = (text: string): peer.Response => newResponse(500, text);
  if (args.length < 2) return failure(`Incorrect number of arguments, ${args.length}`);
  const [name = '', channelName = ''] = args.map(String);
  const argument = args[2];
  const query = queries[name];
  if (name !== 'GetChainInfo' && !argument) return failure(`missing 3rd argument for ${name}`);
  const channel = channelOf(channelName);
  if (!channel) return failure(`Invalid chain ID, ${channelName}`);
  // An unknown function has no access rule, so it is refused here as Fabric refuses it.
  const denied = query ? checkProposal(channel, readersPolicy, signed) : `Unmapped policy for qscc/${name}`;
  if (denied !== null) return failure(`access denied for [${name}][${channelName}]: [${denied}]`);
  try {
    const result = await query?.(channel, argument ?? Buffer.alloc(0));
    return result ? newResponse(200, '', result) : failure(`Requested function ${name} not found.`);
  } catch (error) {
    return failure(errorMessage(error));
  }
}

type Query = (channel: PeerChannel, argument: Buffer) => Promise<Uint8Array>;

const queries: Readonly<Record<string, Query | undefined>> = {
  async GetChainInfo({ ledger }) {
    const info = new common.BlockchainInfo();
    const last = (await ledger.block(ledger.height - 1)).block.header;
    info.setHeight(ledger.height);
    info.setCurrentblockhash(blockHeaderHash(last));
    info.setPreviousblockhash(last.previousHash);
    return info.serializeBinary();
  },
  async GetBlockByNumber(channel, argument) {
    const text = argument.toString();
    if (!/^\d+$/.test(text)) {
      throw new Error(
        `Failed to parse block number with error strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
      );
    }
    return blockBytes(channel, Number(text), (error) => `Failed to get block number ${text}, error ${error}`);
  },
  async GetBlockByHash(channel, hash) {
    const number = channel.ledger.blockNumberByHash(hash);
    const failed = (error: string): string => `Failed to get block hash ${hash.toString()}, error ${error}`;
    if (number === undefined)
      throw new Error(failed(`no such block hash [${hash.toString('hex')}] in index`));
    return blockBytes(channel, number, failed);
  },
  async GetBlockByTxID(channel, argument) {
    const txId = argument.toString();
    const location = channel.ledger.transactionLocation(txId);
    const failed = (error: string): string => `Failed to get block for txID ${txId}, error ${error}`;
    if (!location) throw new Error(failed(`no such transaction ID [${txId}] in index`));
    return blockBytes(channel, location.block, failed);
  },
  async GetTransactionByID(channel, argument) {
    const txId = argument.toString();
    const location = channel.ledger.transactionLocation(txId);
    if (!location) {
      throw new Error(
        `Failed to get transaction with id ${txId}, error no such transaction ID [${txId}] in index`,
      );
    }
    const { block } = await channel.ledger.block(location.block);
    const result = new peer.ProcessedTransaction();
    result.setTransactionenvelope(
      common.Envelope.deserializeBinary(block.data[location.tx] ?? new Uint8Array(0)),
    );
    result.setValidationcode(location.code);
    return result.serializeBinary();
  },
};

async function blockBytes(
  channel: PeerChannel,
  number: number,
  failed: (error: string) => string,
): Promise<Uint8Array> {
  try {
    return blockMessage((await channel.ledger.block(number)).block).serializeBinary();
  } catch (error) {
    throw new Error(failed(errorMessage(error)), { cause: error });
  }
}
