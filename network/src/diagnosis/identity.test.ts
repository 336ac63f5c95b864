import { createOrganization, type TestOrganization } from '../../test/support/test-network.js';
import { serializeIdentity } from '../msp/identity.js';
import { MspManager } from '../msp/manager.js';
import { Msp } from '../msp/msp.js';
import { identityProblem } from './identity.js';

describe('a refused identity', () => {
  let org1: TestOrganization;
  let manager: MspManager;

  beforeAll(async () => {
    org1 = await createOrganization('Org1MSP', false);
    manager = new MspManager([await Msp.create(org1.options)]);
  });

  it('is no problem where it is a member', async () => {
    const { certificate } = await org1.issue('Ann', 'client');
    expect(identityProblem(serializeIdentity('Org1MSP', certificate), manager)).toBeUndefined();
  });

  it('of another network is told by its issuer', async () => {
    const other = await createOrganization('Org1MSP', false);
    const { certificate } = await other.issue('Ann', 'client');
    expect(identityProblem(serializeIdentity('Org1MSP', certificate), manager)).toMatch(
      /^the certificate "Ann@org1.example" of Org1MSP .*authority/,
    );
  });

  it('that has expired is told with its date', async () => {
    const validity = { notBefore: new Date('2024-01-01'), notAfter: new Date('2024-02-01') };
    const { certificate } = await org1.issue('Ann', 'client', {}, validity);
    expect(identityProblem(serializeIdentity('Org1MSP', certificate), manager)).toMatch(
      /^the certificate "Ann@org1.example" of Org1MSP expired on Feb {2}1 .* 2024 GMT; issue a new one$/,
    );
  });

  it('of an organisation that is not on the channel is told with those that are', async () => {
    const { certificate } = await org1.issue('Ann', 'client');
    expect(identityProblem(serializeIdentity('Org9MSP', certificate), manager)).toBe(
      'Org9MSP is not a member of the channel, which has Org1MSP',
    );
  });

  it('that is no certificate is told too', () => {
    expect(identityProblem(serializeIdentity('Org1MSP', 'hello'), manager)).toMatch(
      /^the identity cannot be read: /,
    );
  });
});
