import { createOrganization, type TestOrganization } from '../../test/support/test-network.js';
import { serializeIdentity, Signer } from '../msp/identity.js';
import { MspManager } from '../msp/manager.js';
import { Msp } from '../msp/msp.js';
import { ChannelPolicies, metaThreshold, parsePolicy } from './channel-policies.js';
import { endorserSets, jointEndorserSets } from './endorsers.js';
import { satisfiesSignaturePolicy, type SignedData, validIdentities } from './evaluate.js';
import { parseSignaturePolicy, PolicySyntaxError } from './parser.js';
import { decodeSignaturePolicy, encodeSignaturePolicy } from './signature-policy.js';

describe('the policy language', () => {
  it('turns gates into thresholds', () => {
    expect(parseSignaturePolicy("AND('A.peer', OR('B.member', \"C.admin\"))")).toEqual({
      identities: [
        { mspId: 'A', role: 'peer' },
        { mspId: 'B', role: 'member' },
        { mspId: 'C', role: 'admin' },
      ],
      rule: { n: 2, rules: [{ signedBy: 0 }, { n: 1, rules: [{ signedBy: 1 }, { signedBy: 2 }] }] },
    });
    expect(parseSignaturePolicy("OutOf(2,'A.peer','B.peer','C.peer')").rule).toMatchObject({ n: 2 });
    expect(parseSignaturePolicy("outof('1', 'org-1.x.peer')").identities).toEqual([
      { mspId: 'org-1.x', role: 'peer' },
    ]);
  });

  it.each([
    ["OR('A.peer'", "expected ',' or ')'"],
    ["XOR('A.peer')", "unrecognized token 'XOR' in policy string"],
    ["OR('A.king')", 'error parsing principal A.king'],
    ["OR('A')", 'error parsing principal A'],
    ["OutOf(3,'A.peer')", 'invalid t-out-of-n predicate, t 3, n 1'],
    ["OR('A.peer') OR", 'expected the end'],
    ["'A.peer'", 'expected a gate'],
    ["OR('A.peer';)", 'unexpected character'],
    ['', 'expected a gate'],
  ])('refuses %s', (text, message) => {
    expect(() => parseSignaturePolicy(text)).toThrow(PolicySyntaxError);
    expect(() => parseSignaturePolicy(text)).toThrow(message);
  });

  it('survives its protobuf form', () => {
    const policy = parseSignaturePolicy("OutOf(2,'A.peer',AND('B.client','C.orderer'),'D.admin')");
    expect(decodeSignaturePolicy(encodeSignaturePolicy(policy))).toEqual(policy);
  });

  it('counts organisations for implicit policies', () => {
    expect(parsePolicy('MAJORITY Endorsement')).toEqual({ meta: 'MAJORITY', subPolicy: 'Endorsement' });
    expect([1, 2, 3, 4, 6].map((count) => metaThreshold('MAJORITY', count))).toEqual([1, 2, 2, 3, 4]);
    expect([metaThreshold('ANY', 3), metaThreshold('ALL', 3), metaThreshold('ALL', 0)]).toEqual([1, 3, 0]);
  });
});

describe('evaluation', () => {
  let organizations: TestOrganization[];
  let manager: MspManager;
  let policies: ChannelPolicies;
  const message = Buffer.from('a result');

  beforeAll(async () => {
    organizations = await Promise.all(['A', 'B', 'C'].map((mspId) => createOrganization(mspId, true)));
    manager = new MspManager(await Promise.all(organizations.map(({ options }) => Msp.create(options))));
    policies = new ChannelPolicies(manager, ['A', 'B', 'C'], {});
  });

  function signed(mspId: string): SignedData {
    const pair = organizations.find((organization) => organization.mspId === mspId)!.options.peer!.signing;
    const signer = new Signer(mspId, pair);
    return { data: message, identity: signer.serialized, signature: signer.sign(message) };
  }

  const holds = (policy: string, ...signatures: SignedData[]): boolean =>
    satisfiesSignaturePolicy(parseSignaturePolicy(policy), validIdentities(signatures, manager), manager);

  it('asks for as many distinct signers as the policy says', () => {
    expect(holds("OutOf(2,'A.peer','B.peer','C.peer')", signed('A'), signed('C'))).toBe(true);
    expect(holds("OutOf(2,'A.peer','B.peer','C.peer')", signed('A'))).toBe(false);
    expect(holds("AND('A.peer',OR('B.peer','C.peer'))", signed('A'), signed('B'))).toBe(true);
    expect(holds("AND('A.peer',OR('B.peer','C.peer'))", signed('B'), signed('C'))).toBe(false);
  });

  it('counts an identity once, however often it signed', () => {
    expect(holds("OutOf(2,'A.peer','A.peer','B.peer')", signed('A'), signed('A'))).toBe(false);
    expect(holds("AND('A.peer','A.peer')", signed('A'), signed('A'), signed('A'))).toBe(false);
  });

  it('drops bad signatures and strangers', () => {
    const wrong = { ...signed('B'), data: Buffer.from('another result') };
    expect(holds("AND('A.peer','B.peer')", signed('A'), wrong)).toBe(false);
    const pair = organizations[1]!.options.peer!.signing;
    const claimed = { ...signed('B'), identity: serializeIdentity('C', pair.certificate) };
    expect(holds("AND('A.peer','C.peer')", signed('A'), claimed)).toBe(false);
    const unknown = { ...signed('B'), identity: serializeIdentity('D', pair.certificate) };
    expect(validIdentities([unknown], manager)).toEqual([]);
  });

  it('gives back what a failed inner rule took', () => {
    expect(holds("OutOf(2,AND('A.peer','B.peer'),'A.peer','C.peer')", signed('A'), signed('C'))).toBe(true);
  });

  it('judges roles', () => {
    expect(holds("OR('A.client','A.admin')", signed('A'))).toBe(false);
    expect(holds("OR('A.member')", signed('A'))).toBe(true);
  });

  it("judges implicit policies in Fabric's words", () => {
    const identities = validIdentities([signed('A')], manager);
    expect(policies.problem({ meta: 'ANY', subPolicy: 'Readers' }, identities)).toBeNull();
    expect(policies.problem({ meta: 'MAJORITY', subPolicy: 'Endorsement' }, identities)).toBe(
      'implicit policy evaluation failed - 1 sub-policies were satisfied, but this policy requires 2 of the ' +
        "'Endorsement' sub-policies to be satisfied",
    );
  });
});

describe('the choice of endorsers', () => {
  const policies = new ChannelPolicies(new MspManager([]), ['A', 'B', 'C', 'D'], {});
  const sets = (text: string): string[] =>
    endorserSets(parsePolicy(text), policies)
      .map((set) => [...set].sort().join('+'))
      .sort();

  it('finds the smallest sets of organisations', () => {
    expect(sets("OutOf(2,'A.peer','B.peer','C.peer')")).toEqual(['A+B', 'A+C', 'B+C']);
    expect(sets("AND('A.peer',OR('B.peer','C.member'))")).toEqual(['A+B', 'A+C']);
    expect(sets('MAJORITY Endorsement')).toEqual(['A+B+C', 'A+B+D', 'A+C+D', 'B+C+D']);
  });

  it('finds as many for each organisation where there are too many to look at all', () => {
    const names = Array.from({ length: 16 }, (_, i) => `Org${i}`);
    const nineOf = `OutOf(9,${names.map((name) => `'${name}.peer'`).join(',')})`;
    const found = endorserSets(parsePolicy(nineOf), policies);
    expect(found.length).toBeGreaterThan(500);
    expect(found.every((set) => new Set(set).size === 9)).toBe(true);
    const counts = names.map((name) => found.filter((set) => set.includes(name)).length);
    expect(Math.max(...counts)).toBeLessThan(1.2 * Math.min(...counts));
    // Nor does a rule that has many leave none to the rule that it stands in.
    const within = endorserSets(parsePolicy(`AND(${nineOf},'A.peer')`), policies);
    expect(within.length).toBeGreaterThan(500);
    expect(within.every((set) => new Set(set).size === 10 && set.includes('A'))).toBe(true);
  });

  it('finds none where a peer cannot do it', () => {
    expect(sets("AND('A.peer','A.peer')")).toEqual([]);
    expect(sets("OR('A.client')")).toEqual([]);
    expect(sets("OutOf(3,'A.peer','B.peer')")).toEqual([]);
  });

  it('joins the policies of several keys and chaincodes', () => {
    const joint = jointEndorserSets([
      [['A'], ['B']],
      [['B'], ['C']],
    ]);
    expect(joint.map((set) => [...set].sort().join('+')).sort()).toEqual(['A+B', 'A+C', 'B', 'B+C']);
  });
});
