import { parsePolicy } from '../policy/channel-policies.js';
import {
  applyChange,
  isInForce,
  majorityAfter,
  policyJson,
  policyText,
  type ChannelConfigJson,
  type OrganizationDefinition,
} from './channel-update.js';
import { describeChange } from './update-description.js';

const definition = (mspId: string, anchored = true): OrganizationDefinition => ({
  values: {
    MSP: { value: { config: { name: mspId } }, version: '0' },
    ...(anchored && {
      AnchorPeers: { value: { anchor_peers: [{ host: 'localhost', port: 1 }] }, version: '0' },
    }),
  },
  version: '0',
});
const policy = (text: string) => ({
  mod_policy: 'Admins',
  version: '0',
  policy: policyJson(parsePolicy(text)),
});

const config: ChannelConfigJson = {
  channel_group: {
    version: '0',
    groups: {
      Orderer: { version: '0', groups: {}, values: { BatchSize: { version: '0' } } },
      Application: {
        version: '1',
        groups: {
          AMSP: definition('AMSP'),
          BMSP: definition('BMSP'),
          GuestMSP: definition('GuestMSP', false),
        },
        policies: {
          Admins: policy("OutOf(2,'AMSP.admin','BMSP.admin')"),
          Endorsement: policy("OutOf(2,'AMSP.peer','BMSP.peer')"),
          LifecycleEndorsement: policy("OutOf(2,'AMSP.peer','BMSP.peer')"),
          Readers: policy('ANY Readers'),
        },
      },
    },
  },
  sequence: '3',
};

describe('policies of a configuration', () => {
  it.each([
    "OutOf(2,'AMSP.peer','BMSP.admin','CMSP.member')",
    "OutOf(1,'AMSP.peer',OutOf(2,'BMSP.client','CMSP.orderer'))",
    'MAJORITY Admins',
  ])('reads back %s', (text) => {
    expect(policyText(policyJson(parsePolicy(text)))).toBe(text);
  });

  it('counts the organisations with an anchor peer, those that join included', () => {
    expect(majorityAfter(config, { add: [definition('CMSP')] }, 'peer')).toBe(
      "OutOf(2,'AMSP.peer','BMSP.peer','CMSP.peer')",
    );
    expect(majorityAfter(config, { remove: ['AMSP'] }, 'admin')).toBe("OutOf(1,'BMSP.admin')");
  });
});

describe('change of a configuration', () => {
  const change = {
    add: [definition('CMSP')],
    remove: ['BMSP'],
    policies: { endorsement: "OutOf(2,'AMSP.peer','CMSP.peer')", admins: "OR('AMSP.admin')" },
  };

  it('adds, removes and rewrites the policies, and touches nothing else', () => {
    const changed = applyChange(config, change);
    const { groups, policies } = changed.channel_group.groups.Application;
    expect(Object.keys(groups)).toStrictEqual(['AMSP', 'GuestMSP', 'CMSP']);
    expect(policyText(policies['LifecycleEndorsement']!.policy)).toBe("OutOf(2,'AMSP.peer','CMSP.peer')");
    expect(policies['Readers']).toStrictEqual(config.channel_group.groups.Application.policies['Readers']);
    expect(changed.channel_group.groups['Orderer']).toStrictEqual(config.channel_group.groups['Orderer']);
    expect(Object.keys(config.channel_group.groups.Application.groups)).toContain('BMSP');
  });

  it('knows when it is in force', () => {
    expect(isInForce(config, change)).toBe(false);
    expect(isInForce(applyChange(config, change), change)).toBe(true);
    expect(isInForce(applyChange(config, { ...change, policies: change.policies, remove: [] }), change)).toBe(
      false,
    );
  });

  it('refuses to remove who is no member', () => {
    expect(() => applyChange(config, { remove: ['ZMSP'] })).toThrow(
      expect.objectContaining({ code: 'ORGANIZATION_UNKNOWN' }),
    );
  });
});

describe('description of a proposal', () => {
  const unchanged = (version = '0') => ({ version, policy: null, value: null, mod_policy: '' });
  const proposal = (writeSet: unknown, signers: string[] = []) => ({
    payload: {
      data: {
        config_update: { channel_id: 'consortium', write_set: writeSet },
        signatures: signers.map((mspid) => ({ signature_header: { creator: { mspid } } })),
      },
    },
  });

  it('tells who joins and leaves, the policies before and after, and who has signed', () => {
    const application = {
      version: '2',
      groups: { AMSP: unchanged(), GuestMSP: unchanged(), CMSP: definition('CMSP') },
      policies: {
        Readers: unchanged(),
        Admins: unchanged(),
        Endorsement: { ...policy("OR('CMSP.peer')"), version: '1' },
      },
    };
    const described = describeChange(
      proposal({ version: '0', groups: { Application: application }, values: null }, ['AMSP']),
      config,
    );
    expect(described).toStrictEqual({
      channel: 'consortium',
      adds: ['CMSP'],
      removes: ['BMSP'],
      policies: [
        { name: 'Endorsement', before: "OutOf(2,'AMSP.peer','BMSP.peer')", after: "OutOf(1,'CMSP.peer')" },
      ],
      others: [],
      signedBy: ['AMSP'],
    });
  });

  it.each([
    [
      'a setting of the orderer',
      { Orderer: { version: '0', values: { BatchSize: { version: '1' } } } },
      '/Orderer/values/BatchSize',
    ],
    [
      "another member's authorities",
      {
        Application: { version: '1', groups: { AMSP: { version: '0', values: { MSP: { version: '1' } } } } },
      },
      '/Application/AMSP/values/MSP',
    ],
    [
      'a capability',
      { Application: { version: '1', values: { Capabilities: { version: '1' } } } },
      '/Application/values/Capabilities',
    ],
  ])('does not let %s pass unseen', (_, groups, path) => {
    const described = describeChange(proposal({ version: '0', groups }), config);
    expect(described).toMatchObject({ adds: [], removes: [], others: [path] });
  });
});
