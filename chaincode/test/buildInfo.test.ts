import { consortium } from '../src/index.js';
import { identity } from './support/identities.js';
import { MemoryLedger } from './support/memoryLedger.js';

describe('build information', () => {
  it('says what the process runs', async () => {
    const auditor = await identity('ResearchMSP', 'auditor', 'auditor');
    const info = await new MemoryLedger().call(consortium.BuildInfoContract.Get, {}, { identity: auditor });
    expect(info).toMatchObject({ contracts: 'consortium', nodeSeal: '7.0.0', node: process.version });
    expect(info.codeDigest).toMatch(/^[0-9a-f]{64}$/);
    expect(Object.keys(info.parameterSets)).toEqual(['additive', 'deep', 'standard']);
  });
});
