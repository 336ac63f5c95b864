import { generateSealingKeyPair } from '@strokeshare/fhe';
import { openShares, sealShares, sharePurpose, type SharePurpose } from './sealed-messages.js';

const job = {
  epochId: 'epoch-1',
  jobId: 'job-1',
  committee: [
    { mspId: 'Hospital1MSP', index: 1 },
    { mspId: 'Hospital2MSP', index: 3 },
  ],
};
const purpose = sharePurpose('count-shares', job, 'Hospital1MSP', 'Hospital2MSP');

describe('sealed shares', () => {
  it('open for the purpose that they were sealed for, and for no other', async () => {
    const keys = await generateSealingKeyPair();
    const shares = new Map([['_row', Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)]]);
    const sealed = await sealShares(Buffer.from(keys.publicKey).toString('base64'), shares, purpose);
    expect(await openShares(keys, sealed, purpose)).toEqual(shares);
    // The committee is a set: its order says nothing.
    expect(await openShares(keys, sealed, { ...purpose, committee: [3, 1] })).toEqual(shares);
    const others: Partial<SharePurpose>[] = [
      { kind: 'value-shares' },
      { epochId: 'epoch-2' },
      { jobId: 'job-2' },
      { committee: [1, 2] },
      { sender: 'Hospital3MSP' },
      { recipient: 'Hospital3MSP' },
    ];
    for (const other of others)
      await expect(openShares(keys, sealed, { ...purpose, ...other })).rejects.toMatchObject({
        code: 'SEALED_MESSAGE_INVALID',
      });
  });
});
