import { type Bed, text } from '../harness/bed.js';
import { chaincodes, hospitals, shared } from '../harness/layout.js';

/** What the architecture builds on. */
export function architecture(bed: () => Bed): void {
  const timed = async (work: Promise<unknown>): Promise<number> => {
    const start = performance.now();
    await work;
    return performance.now() - start;
  };

  it("delays others by work on the process' own thread", async () => {
    const heavy = bed().evaluate('Behaviour:block', '1500');
    // The first call has reached the process before the second one is sent.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await expect(timed(bed().evaluate('Identity:echo', 'ping'))).resolves.toBeGreaterThan(600);
    await heavy;
  });

  it('delays nobody by the same work in a worker thread', async () => {
    const heavy = bed().evaluate('Behaviour:work', '1500');
    const pings: number[] = [];
    for (let count = 0; count < 5; count++) pings.push(await timed(bed().evaluate('Identity:echo', 'ping')));
    await heavy;
    expect(Math.min(...pings)).toBeLessThan(500);
  });

  it('answers pings beside several heavy evaluations', async () => {
    const heavy = [1, 2].map(() => bed().evaluate('Behaviour:work', '1000'));
    const pings = Array.from({ length: 10 }, (_, index) => bed().evaluate('Identity:echo', `ping ${index}`));
    const answers = await Promise.all(pings);
    expect(answers).toEqual(Array.from({ length: 10 }, (_, index) => `ping ${index}`));
    await expect(Promise.all(heavy)).resolves.toEqual(['done', 'done']);
  });

  it('takes 16 MB of transient data in one transaction', async () => {
    const result = await bed()
      .contract()
      .submit('Identity:transientHash', {
        arguments: ['blob', bed().unique('blob')],
        transientData: { blob: Buffer.alloc(16 * 1024 * 1024, 1) },
        endorsingOrganizations: ['Org1MSP', 'Org2MSP'],
      });
    expect(text(result)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('upgrades a chaincode although organisations without peers are members', async () => {
    const key = bed().unique('before');
    const contract = bed().contract(chaincodes.nested);
    await contract.submitTransaction('put', key, 'the upgrade');
    await bed().running.deploy({ ...chaincodes.nested, endorsement: "OR('Org2MSP.peer')" }, '2.0');
    expect(text(await contract.evaluateTransaction('get', key))).toBe('the upgrade');
    const options = (organization: string) => ({
      arguments: [key, 'changed'],
      endorsingOrganizations: [organization],
    });
    await expect(bed().code('put', options('Org3MSP'), contract)).resolves.toBe(10);
    await expect(bed().code('put', options('Org2MSP'), contract)).resolves.toBe(0);
  });

  it('goes on serving other chaincodes of the same package after the upgrade', async () => {
    for (const mspId of hospitals) {
      const contract = bed().contract(chaincodes.everything, { as: mspId });
      expect(text(await contract.evaluateTransaction('Identity:peer'))).toBe(mspId);
    }
  });

  it('refuses what was endorsed before an upgrade: the definition is in the read set', async () => {
    const contract = bed().contract(chaincodes.allThree);
    const endorsed = await contract.newProposal('put', { arguments: [bed().unique('old'), 'x'] }).endorse();
    await bed().running.deploy(chaincodes.allThree, '2.0');
    const { code } = await (await endorsed.submit()).getStatus();
    expect(code).toBe(11);
    expect(text(await contract.submitTransaction('put', bed().unique('new'), 'y'))).toBe('y');
  });

  it('lets two organisations compare what their peers answer', async () => {
    const key = bed().unique('compared');
    const commit = await bed()
      .contract()
      .submitAsync('put', { arguments: [key, 'same'] });
    const answers = await Promise.all(
      (['Org1MSP', 'Org2MSP'] as const).map(async (as) => {
        await bed().raw(as).commitStatus(commit.getTransactionId(), shared, bed().pki.user(as));
        return text(await bed().contract(chaincodes.everything, { as }).evaluateTransaction('get', key));
      }),
    );
    expect(answers).toEqual(['same', 'same']);
  });
}
