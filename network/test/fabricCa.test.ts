/** `-ca`: identities come from a Fabric CA server of each organisation, which goes on serving beside the network. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { peerOrganizationPaths } from '../src/certificates/index.js';
import { transact } from '../src/cli/transact.js';
import { identifyProcess } from '../src/daemon/processes.js';
import { FabricCaClient } from '../src/fabricCa/client.js';
import { caFolder, readHome, REGISTRAR } from '../src/fabricCa/home.js';
import { findCaServer, requireCaServer } from '../src/fabricCa/program.js';
import {
  attributesOfPem,
  clientProfile,
  deployChaincode,
  down,
  status,
  stop,
  up,
  type NetworkConfig,
} from '../src/index.js';
import { portRange } from './support/ports.js';

describe('without the program', () => {
  it('says what is missing, where it is to be had and what needs none of it', () => {
    expect(() => requireCaServer({ PATH: '/nowhere' })).toThrow(
      expect.objectContaining({
        code: 'FABRIC_MISSING',
        message:
          'fabric-ca-server was not found on PATH or in FABRIC_BIN_DIR: Fabric CA\'s documentation ("Installation", or the releases page of hyperledger/fabric-ca) has it, and without -ca the network issues its certificates itself.',
      }),
    );
  });
});

const missing = findCaServer() === undefined;
const describeCa = missing ? describe.skip : describe;

describeCa(
  missing
    ? 'identities from Fabric CA (skipped: fabric-ca-server not found on PATH or in FABRIC_BIN_DIR)'
    : 'identities from Fabric CA',
  () => {
    const domain = 'org1.example.com';
    let dir: string;
    let paths: ReturnType<typeof peerOrganizationPaths>;
    let config: NetworkConfig;

    const caClient = () => {
      const home = readHome(caFolder(dir, domain));
      if (!home) throw new Error('there is no server');
      return { home, client: new FabricCaClient(home.port, readFileSync(paths.tlsCaCertificate, 'utf8')) };
    };
    const whoAmI = async (user: string): Promise<unknown> => {
      const call = { channel: 'mychannel', chaincode: 'basic', transaction: 'whoAmI', arguments: [] };
      return JSON.parse(await transact(clientProfile(dir, 'Org1MSP', user), call, 'submit'));
    };
    const authorities = async () => {
      const found = await status(dir);
      return found.state === 'running' ? (found.daemon.authorities ?? []) : [];
    };

    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), 'fabric-ca-'));
      paths = peerOrganizationPaths(dir, domain);
      const basePort = await portRange(300);
      const users = [{ name: 'Ann', attributes: { 'strokeshare.role': 'institution' } }];
      config = {
        dir,
        basePort,
        fabricCa: true,
        organizations: [{ mspId: 'Org1MSP', domain, peer: true, users }],
        channels: [{ name: 'mychannel', members: ['Org1MSP'], endorsement: "OR('Org1MSP.peer')" }],
      };
      await up(config);
      await deployChaincode(dir, {
        ...{ channel: 'mychannel', name: 'basic', version: '1.0', label: 'basic_1.0' },
        path: join(__dirname, 'basic'),
        organizations: ['Org1MSP'],
      });
    });
    afterAll(async () => {
      await down(dir).catch(() => undefined);
      rmSync(dir, { recursive: true, force: true });
    });

    it('enrols users with the attributes of their role, which contracts read', async () => {
      expect(attributesOfPem(readFileSync(paths.user('Ann').msp.certificate, 'utf8'))).toEqual({
        'hf.Affiliation': '',
        // The name of the registration: the issuer of this package would write "Ann".
        'hf.EnrollmentID': `Ann@${domain}`,
        'hf.Type': 'client',
        'strokeshare.role': 'institution',
      });
      await expect(whoAmI('Ann')).resolves.toMatchObject({ mspId: 'Org1MSP', role: 'institution' });
      expect((await authorities()).map(({ state }) => state)).toEqual(['running', 'running']);
    });

    it('enrols whoever is registered later', async () => {
      const { home, client } = caClient();
      const registrar = await client.enroll(REGISTRAR, home.secret, domain);
      const id = `Late@${domain}`;
      const attributes = { 'strokeshare.role': 'auditor' };
      await client.register(registrar, { id, secret: 'once', type: 'client', attributes });
      const { certificate, key } = await client.enroll(id, 'once', domain);
      const { msp } = paths.user('Late');
      for (const [file, content] of [
        [msp.certificate, certificate],
        [msp.key, key],
      ] as const) {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, content, { mode: 0o600 });
      }
      await expect(whoAmI('Late')).resolves.toMatchObject({ mspId: 'Org1MSP', role: 'auditor' });
      // Its secret was good for one enrolment.
      await expect(client.enroll(id, 'once', domain)).rejects.toMatchObject({
        code: 'FABRIC_COMMAND_FAILED',
      });
    });

    it('lets nobody register who is no registrar, and nobody enrol by a wrong secret', async () => {
      const { client } = caClient();
      const { msp } = paths.user('Ann');
      const ann = {
        certificate: readFileSync(msp.certificate, 'utf8'),
        key: readFileSync(msp.key, 'utf8'),
      };
      const mallory = { id: 'mallory', secret: 'x', type: 'client' as const, attributes: {} };
      await expect(client.register(ann, mallory)).rejects.toMatchObject({ code: 'FABRIC_COMMAND_FAILED' });
      await expect(client.enroll(REGISTRAR, 'wrong', domain)).rejects.toMatchObject({
        code: 'FABRIC_COMMAND_FAILED',
      });
    });

    it('knows what it has issued after a stop, even if its port was taken meanwhile, and ends with the network', async () => {
      const before = readFileSync(paths.user('Ann').msp.certificate, 'utf8');
      await stop(dir);
      const taker = createServer().listen(caClient().home.port, '127.0.0.1');
      // Whoever else may have taken it does as well.
      await once(taker, 'listening').catch(() => undefined);
      try {
        await up(config);
      } finally {
        taker.close();
      }
      expect(readFileSync(paths.user('Ann').msp.certificate, 'utf8')).toBe(before);
      const { home, client } = caClient();
      const registrar = await client.enroll(REGISTRAR, home.secret, domain);
      const again = { id: `Late@${domain}`, secret: 'x', type: 'client' as const, attributes: {} };
      await expect(client.register(registrar, again)).rejects.toThrow('already registered');
      const pids = (await authorities()).map(({ pid }) => pid ?? 0);
      expect(pids).toHaveLength(2);
      await down(dir);
      expect(pids.map((pid) => identifyProcess(pid))).toEqual([undefined, undefined]);
    });
  },
);
