import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '@hyperledger/fabric-gateway';
import { common, orderer, peer } from '@hyperledger/fabric-protos';
import { Timestamp } from 'google-protobuf/google/protobuf/timestamp_pb.js';
import { Signer } from '../src/msp/identity.js';
import { type Script, ScriptedChaincode } from './support/scripted-chaincode.js';
import { TestNetwork } from './support/test-network.js';

const channel = 'ch';
const organizations = ['Org1MSP', 'Org2MSP'];

const script: Script = async (ledger, name, ...args) => {
  const [key = '', value = ''] = args;
  switch (name) {
    case 'put':
      await ledger.put(key, value);
      return value;
    case 'never':
      return new Promise(() => undefined);
    default:
      return ledger.get(key);
  }
};

async function failure(work: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await work.then(
    () => new Error('nothing failed'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(GatewayError);
  return error as GatewayError;
}

describe('what goes wrong on an embedded network', () => {
  let test: TestNetwork;
  let chaincodes: ScriptedChaincode[];

  beforeAll(async () => {
    test = await TestNetwork.start({
      peers: organizations,
      channels: [{ name: channel, members: organizations, endorsement: "OR('Org1MSP.peer','Org2MSP.peer')" }],
      executeTimeoutMs: 300,
    });
    chaincodes = await Promise.all(organizations.map(() => ScriptedChaincode.start('scripted:1', script)));
    await define();
  });

  afterAll(async () => {
    await test.close();
    for (const chaincode of chaincodes) chaincode.stop();
  });

  async function define(): Promise<void> {
    const endpoints = organizations.map((mspId, index) => {
      const address = chaincodes[index]!.address;
      return [mspId, { address, packageId: 'scripted:1' }] as const;
    });
    await test.network.defineChaincode(channel, {
      name: 'scripted',
      version: '1.0',
      sequence: 1,
      organizations: Object.fromEntries(endpoints),
    });
  }

  it('ends the wait for a transaction that does not end', async () => {
    const contract = (await test.connect('Org1MSP')).getNetwork(channel).getContract('scripted');
    const evaluated = await failure(contract.evaluateTransaction('never'));
    expect(evaluated.details.map(({ message }) => message).join()).toContain(
      'timeout expired while executing transaction',
    );
    const submitted = await failure(contract.submitTransaction('never'));
    expect(submitted.details[0]?.message).toContain('timeout expired while executing transaction');
    await expect(contract.evaluateTransaction('get', 'a')).resolves.toHaveLength(0);
  });

  it('hangs up on the processes of a definition that was refused', async () => {
    const unwanted = await ScriptedChaincode.start('unwanted:1', script);
    const refused = test.network.defineChaincode(channel, {
      name: 'unwanted',
      version: '1.0',
      sequence: 7,
      organizations: { Org1MSP: { address: unwanted.address, packageId: 'unwanted:1' } },
    });
    await expect(refused).rejects.toMatchObject({ code: 'DEFINITION_REFUSED' });
    await unwanted.abandoned();
    expect(unwanted.connections).toBe(1);
    unwanted.stop();
  });

  it('delivers headers and signatures without data to those who ask for them', async () => {
    const user = await test.organization('Org1MSP').issue('Reader', 'client');
    const seek = new orderer.SeekInfo();
    const at = (number: number): orderer.SeekPosition => {
      const specified = new orderer.SeekSpecified();
      specified.setNumber(number);
      const position = new orderer.SeekPosition();
      position.setSpecified(specified);
      return position;
    };
    seek.setStart(at(0));
    seek.setStop(at(1));
    seek.setContentType(orderer.SeekInfo.SeekContentType.HEADER_WITH_SIG);
    const blocks = await deliver(new Signer('Org1MSP', user), seek);
    expect(blocks.map((block) => block.getHeader()?.getNumber())).toEqual([0, 1]);
    // The configuration comes whole, for nobody could check signatures without it.
    expect(blocks.map((block) => block.getData()?.getDataList().length ?? 0)).toEqual([1, 0]);
    const signatures = common.Metadata.deserializeBinary(
      blocks[1]!.getMetadata()!.getMetadataList_asU8()[common.BlockMetadataIndex.SIGNATURES]!,
    );
    expect(signatures.getSignaturesList()).toHaveLength(1);
  });

  async function deliver(signer: Signer, seek: orderer.SeekInfo): Promise<common.Block[]> {
    const channelHeader = new common.ChannelHeader();
    channelHeader.setType(common.HeaderType.DELIVER_SEEK_INFO);
    channelHeader.setChannelId(channel);
    channelHeader.setTimestamp(Timestamp.fromDate(new Date()));
    const header = new common.Header();
    header.setChannelHeader(channelHeader.serializeBinary());
    header.setSignatureHeader(signer.signatureHeader().serializeBinary());
    const payload = new common.Payload();
    payload.setHeader(header);
    payload.setData(seek.serializeBinary());
    const envelope = new common.Envelope();
    envelope.setPayload(payload.serializeBinary());
    envelope.setSignature(signer.sign(envelope.getPayload_asU8()));
    const { path, requestSerialize, responseDeserialize } = peer.DeliverService.deliver;
    const client = test.grpcClient('Org1MSP');
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    stream.write(envelope);
    const blocks: common.Block[] = [];
    for await (const response of stream as AsyncIterable<peer.DeliverResponse>) {
      const block = response.getBlock();
      if (!block) break;
      blocks.push(block);
    }
    stream.cancel();
    return blocks;
  }

  it('reports a damaged block to those who ask for it and in the status, and serves other copies', async () => {
    const identity = await test.organization('Org1MSP').issue('User2', 'client');
    const contract = (await test.connect('Org1MSP', { identity }))
      .getNetwork(channel)
      .getContract('scripted');
    const commit = await contract.submitAsync('put', { arguments: ['fact', 'a true fact'] });
    const { blockNumber } = await commit.getStatus();
    await contract.submitTransaction('put', 'other', 'fact');
    await test.network.close();
    const file = join(test.dir, 'peers', 'Org2MSP', channel, 'blocks', 'blocks_000000');
    const bytes = readFileSync(file);
    bytes.write('untrue', bytes.indexOf('a true fact'));
    writeFileSync(file, bytes);
    await test.open();
    await define();

    const problem = `Block ${blockNumber} in ${file} is damaged: its checksum is wrong.`;
    expect(test.network.status().channels[0]?.damage).toBeUndefined();
    const theirs = (await test.connect('Org1MSP', { identity, via: 'Org2MSP' })).getNetwork(channel);
    const read = theirs
      .getContract('qscc')
      .evaluateTransaction('GetBlockByNumber', channel, String(blockNumber));
    expect((await failure(read)).message).toContain(problem);
    const events = await theirs.getBlockEvents({ startBlock: blockNumber });
    const first = events[Symbol.asyncIterator]().next();
    expect((await failure(first)).message).toContain(problem);
    events.close();
    expect(test.network.status().channels[0]?.damage).toEqual({ Org2MSP: problem });
    await expect(test.network.verify()).rejects.toThrow(problem);

    const ours = (await test.connect('Org1MSP', { identity })).getNetwork(channel);
    for await (const block of await ours.getBlockEvents({ startBlock: blockNumber })) {
      expect(block.getHeader()?.getNumber()).toBe(Number(blockNumber));
      break;
    }
    await expect(
      theirs.getContract('scripted').submitTransaction('put', 'fact', 'still going'),
    ).resolves.toBeDefined();
  });
});
