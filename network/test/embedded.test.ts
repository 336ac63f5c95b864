import { type Contract } from '@hyperledger/fabric-gateway';
import { TestNetwork } from './support/test-network.js';

const decoder = new TextDecoder();
const text = (bytes: Uint8Array): string => decoder.decode(bytes);

describe('an embedded network of two organisations with the real client and the real shim', () => {
  let test: TestNetwork;
  let contract: Contract;

  beforeAll(async () => {
    test = await TestNetwork.start({
      peers: ['Org1MSP', 'Org2MSP'],
      channels: [
        {
          name: 'mychannel',
          members: ['Org1MSP', 'Org2MSP'],
          endorsement: "AND('Org1MSP.peer','Org2MSP.peer')",
        },
      ],
    });
    await test.deploy('mychannel', 'everything', ['Org1MSP', 'Org2MSP']);
    contract = (await test.connect('Org1MSP')).getNetwork('mychannel').getContract('everything');
  });

  afterAll(() => test.close());

  it('submits and evaluates', async () => {
    await expect(contract.submitTransaction('put', 'a', 'apple').then(text)).resolves.toBe('apple');
    await expect(contract.evaluateTransaction('get', 'a').then(text)).resolves.toBe('apple');
  });
});
