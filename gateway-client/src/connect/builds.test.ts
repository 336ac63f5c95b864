import { type BuildInfo } from '@strokeshare/chaincode';
import { askBuilds, askRecordsBuild, differingFields } from './builds.js';
import type { Ledger } from './ledger.js';

const info = (changes: Partial<BuildInfo> = {}): BuildInfo => ({
  contracts: 'consortium',
  version: '0.1.0',
  codeDigest: 'a'.repeat(64),
  nodeSeal: '7.0.0',
  node: 'v24.21.0',
  parameterSets: { additive: 'b'.repeat(64), standard: 'c'.repeat(64) },
  ...changes,
});

/** A ledger whose organisations answer so; the others are unreachable. */
const ledgerOf = (answers: Readonly<Record<string, BuildInfo>>): Ledger => ({
  mspId: 'AMSP',
  evaluate: ({ channel, endorsingOrganizations: [mspId] = [] }) => {
    const answer = answers[channel === 'consortium' ? (mspId ?? '') : `${mspId ?? ''} on ${channel}`];
    return answer ? Promise.resolve(JSON.stringify(answer)) : Promise.reject(new Error('no peer'));
  },
  submit: () => Promise.reject(new Error('nothing is written')),
  events: () => {
    throw new Error('nothing is followed');
  },
  [Symbol.dispose]: () => undefined,
});

describe('builds of the organisations', () => {
  it('asks each organisation for its own', async () => {
    const builds = await askBuilds(ledgerOf({ AMSP: info(), BMSP: info({ version: '0.2.0' }) }), [
      'AMSP',
      'BMSP',
    ]);
    expect(builds).toEqual([
      { mspId: 'AMSP', info: info() },
      { mspId: 'BMSP', info: info({ version: '0.2.0' }) },
    ]);
    expect(differingFields(builds)).toEqual(['version']);
  });

  it('finds nothing where they are alike, in whatever order the sets are named', () => {
    const { additive = '', standard = '' } = info().parameterSets;
    const builds = [info(), info({ parameterSets: { standard, additive } })];
    expect(differingFields(builds.map((own, i) => ({ mspId: `${i}`, info: own })))).toEqual([]);
  });

  it.each([
    ['codeDigest', { codeDigest: 'd'.repeat(64) }],
    ['nodeSeal', { nodeSeal: '7.0.1' }],
    ['node', { node: 'v22.19.0' }],
    ['parameterSets', { parameterSets: { ...info().parameterSets, standard: 'e'.repeat(64) } }],
  ])('finds another %s', (field, changes) => {
    const builds = [info(), info(changes)].map((own, i) => ({ mspId: `${i}`, info: own }));
    expect(differingFields(builds)).toEqual([field]);
  });

  it('finds a private chaincode that is older than the consortium', async () => {
    const ledger = ledgerOf({ AMSP: info(), 'AMSP on a-records': info({ version: '0.0.9' }) });
    const own = await askRecordsBuild(ledger, 'a-records');
    expect(own).toMatchObject({ mspId: 'AMSP', channel: 'a-records' });
    expect(differingFields([...(await askBuilds(ledger, ['AMSP'])), own])).toEqual(['version']);
  });

  it('says who did not answer', async () => {
    const [, other] = await askBuilds(ledgerOf({ AMSP: info() }), ['AMSP', 'BMSP']);
    expect(other).toMatchObject({ mspId: 'BMSP', failure: { message: 'no peer' } });
  });
});
