import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig, peerPorts, readConfigFile, type NetworkConfig } from './index.js';

const organization = (number: number) => ({
  mspId: `Org${number}MSP`,
  domain: `org${number}.example.com`,
  peer: true,
  users: [],
});

const valid: NetworkConfig = {
  dir: 'network',
  organizations: [organization(1), { ...organization(2), peer: false }, organization(3)],
  channels: [{ name: 'mychannel', members: ['Org1MSP', 'Org2MSP'], endorsement: "OR('Org1MSP.peer')" }],
};

describe('parseConfig', () => {
  it('fills in the defaults and makes the directory absolute', () => {
    const config = parseConfig(valid, '/base');
    expect(config).toMatchObject({
      dir: '/base/network',
      ordererMspId: 'OrdererMSP',
      basePort: 7051,
      timeWindowSeconds: 900,
    });
    expect(config.channels[0]?.batchTimeoutMs).toBe(200);
  });

  it('gives ports to peers only, in order, from the base port', () => {
    expect(peerPorts(parseConfig({ ...valid, basePort: 17051 }))).toStrictEqual([
      { mspId: 'Org1MSP', index: 0, port: 17051 },
      { mspId: 'Org3MSP', index: 0, port: 17052 },
    ]);
  });

  it('gives the peers of one organisation ports in a row', () => {
    const config = parseConfig({
      ...valid,
      backend: 'native',
      organizations: [
        { ...organization(1), peers: 2 },
        { ...organization(2), peers: 2, port: 9051 },
        organization(3),
      ],
    });
    expect(peerPorts(config).map(({ mspId, index, port }) => [mspId, index, port])).toStrictEqual([
      ['Org1MSP', 0, 7051],
      ['Org1MSP', 1, 7052],
      ['Org2MSP', 0, 9051],
      ['Org2MSP', 1, 9052],
      ['Org3MSP', 0, 7055],
    ]);
  });

  it.each<[string, unknown, string]>([
    [
      'several peers of an organisation in the embedded network',
      { ...valid, organizations: [{ ...organization(1), peers: 2 }, organization(2), organization(3)] },
      'organizations[0].peers: an organisation of the embedded network has one peer; the native backend runs more',
    ],
    [
      'no organisation',
      { ...valid, organizations: [], channels: [] },
      'organizations: a network needs an organisation',
    ],
    ['an unknown key', { ...valid, color: 'red' }, 'Unrecognized key: "color"'],
    [
      'the same MSP id twice',
      { ...valid, organizations: [organization(1), { ...organization(2), mspId: 'Org1MSP' }] },
      'organizations[1].mspId: the MSP id Org1MSP is used twice',
    ],
    [
      'the orderer as a member',
      { ...valid, ordererMspId: 'Org1MSP' },
      'organizations[0].mspId: the MSP id Org1MSP is used twice',
    ],
    [
      'an upper-case channel',
      { ...valid, channels: [{ ...valid.channels[0], name: 'My' }] },
      'channels[0].name: a channel name must be lower-case letters, digits, "." and "-"',
    ],
    [
      'a foreign member',
      { ...valid, channels: [{ ...valid.channels[0], members: ['Org9MSP'] }] },
      'channels[0].members: Org9MSP is not an organisation of this network',
    ],
    [
      'a channel without a peer',
      { ...valid, channels: [{ ...valid.channels[0], members: ['Org2MSP'] }] },
      'channels[0].members: no member of the channel mychannel runs a peer',
    ],
    [
      'ports past the end',
      { ...valid, basePort: 65535 },
      'basePort: the peer of Org3MSP would need port 65536',
    ],
    [
      'a path as a user name',
      { ...valid, organizations: [{ ...organization(1), users: [{ name: '../x' }] }] },
      'organizations[0].users[0].name: a user name must be letters, digits, ".", "_" and "-"',
    ],
  ])('refuses %s in one sentence', (_, value, reason) => {
    expect(() => parseConfig(value)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: `The network description is not valid: ${reason}.`,
      }),
    );
  });
});

describe('readConfigFile', () => {
  const dir = mkdtempSync(join(tmpdir(), 'config-'));
  afterAll(() => rmSync(dir, { recursive: true }));

  it('takes a relative directory from where the file is', () => {
    const path = join(dir, 'network.yaml');
    writeFileSync(path, JSON.stringify(valid));
    expect(readConfigFile(path).dir).toBe(join(dir, 'network'));
  });

  it.each([
    ['missing', 'nothing.yaml', undefined],
    ['not YAML', 'broken.yaml', 'a: [1'],
  ])('says when the file is %s', (_, file, content) => {
    const path = join(dir, file);
    if (content !== undefined) writeFileSync(path, content);
    expect(() => readConfigFile(path)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
