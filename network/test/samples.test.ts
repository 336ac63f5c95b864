import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { run } from '../src/cli/program.js';
import { portRange } from './support/ports.js';

const temporary = mkdtempSync(join(tmpdir(), 'samples-'));
// Where the samples' applications look for it: a folder test-network beside their own.
const dir = join(temporary, 'test-network');
const project = join(temporary, 'assets');
let basePort: number;
const modules = dirname(dirname(createRequire(__filename).resolve('fabric-shim/package.json')));

/** What a command says and how it ends. */
async function cli(...argv: string[]): Promise<{ code: number; said: string }> {
  let said = '';
  const write = (text: string | Uint8Array): boolean => {
    said += String(text);
    return true;
  };
  const spies = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, 'write').mockImplementation(write),
  );
  try {
    return { code: await run(argv), said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

beforeAll(async () => {
  basePort = await portRange(300);
  cpSync(join(__dirname, 'assets'), project, { recursive: true });
  symlinkSync(modules, join(project, 'node_modules'));
});

afterAll(async () => {
  if (existsSync(dir)) await cli('down', '--dir', dir);
  rmSync(temporary, { recursive: true });
});

describe('what a reader of the samples types', () => {
  it.each([[[]], [['-h']], [['--help']], [['up', '-h']], [['cc', 'invoke', '-h']]])(
    '%j gets help and exit code 0',
    async (argv) => {
      const { code, said } = await cli(...argv);
      expect(said).toContain('Usage: strokeshare-network');
      expect(code).toBe(0);
    },
  );

  it.each([
    [['upp'], "unknown command 'upp'"],
    [['up', '--nonsense'], "unknown option '--nonsense'"],
    [['deployCC'], "required option '--ccn <name>' not specified"],
    [['deployCC', '-ccn', 'a', '-ccp', '.', '-ccl', 'cobol'], 'Allowed choices are typescript, javascript'],
    [['up', '-s', 'couchdb'], 'CouchDB needs a Fabric network of your own'],
  ])('%j gets a message and exit code 1', async (argv, words) => {
    const { code, said } = await cli(...argv);
    expect(said).toContain(words);
    expect(code).toBe(1);
  });

  it('packs a chaincode without a network, the same each time', async () => {
    const pack = (file: string) =>
      cli('cc', 'package', '-ccn', 'basic', '-ccp', project, '-ccl', 'typescript', '-o', file, '--json');
    const results = [await pack(join(temporary, 'a.tar.gz')), await pack(join(temporary, 'b.tar.gz'))];
    const ids = results.map(({ said }) => (JSON.parse(said) as { packageId: string }).packageId);
    expect(ids[0]).toMatch(/^basic_1.0:[0-9a-f]{64}$/);
    expect(ids[1]).toBe(ids[0]);
    expect(readdirSync(project)).not.toContain('dist');
  });

  it('brings a network up, deploys TypeScript to it and runs an application unchanged', async () => {
    const at = ['--dir', dir];
    const up = await cli('up', 'createChannel', '-c', 'mychannel', '--base-port', String(basePort), ...at);
    expect(up).toMatchObject({ code: 0, said: expect.stringContaining('Channels: mychannel') });
    const deployed = await cli('deployCC', '-ccn', 'basic', '-ccp', project, '-ccl', 'typescript', ...at);
    expect(deployed).toMatchObject({ code: 0, said: expect.stringContaining('is ready on mychannel') });

    const application = promisify(execFile)(process.execPath, [join(__dirname, 'application', 'app.js')], {
      cwd: temporary,
      env: { PATH: process.env.PATH, PEER_ENDPOINT: `localhost:${basePort}` },
    });
    expect(JSON.parse((await application).stdout)).toStrictEqual({
      all: [
        { id: 'asset1', owner: 'Tomoko', value: 300 },
        { id: 'asset2', owner: 'Brad', value: 400 },
      ],
      oldOwner: 'Ann',
      successful: true,
      read: { id: 'asset9', owner: 'Saptha', value: 1300 },
      event: { name: 'TransferAsset', payload: 'asset9' },
      error: [expect.stringContaining('The asset asset70 does not exist')],
    });

    const list = await cli('cc', 'list', '-c', 'mychannel', ...at);
    expect(list.said).toMatch(/mychannel +basic +1.0 +1/);
    const read = '{"Args":["ReadAsset","asset9"]}';
    const query = await cli('cc', 'query', '-c', 'mychannel', '-ccn', 'basic', '-ccqc', read, ...at);
    expect(query.said).toContain('Saptha');
  });
});
