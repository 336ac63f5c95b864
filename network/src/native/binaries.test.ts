import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFabric, findPrograms } from './binaries.js';

const temporary = mkdtempSync(join(tmpdir(), 'binaries-'));
afterAll(() => rmSync(temporary, { recursive: true }));

/** A folder of programs that tell a version and do nothing else. */
function fakeRelease(versions: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(temporary, 'release-'));
  for (const [program, version] of Object.entries(versions))
    writeFileSync(join(folder, program), `#!/bin/sh\necho ' Version: ${version}'\n`, { mode: 0o755 });
  return folder;
}

function release(version: string, orderer = version): string {
  const tools = { osnadmin: version, configtxgen: version, configtxlator: version };
  return fakeRelease({ peer: version, orderer, ...tools });
}

describe('findFabric', () => {
  it.each([
    ['v3.1.5', '3.1.5', true],
    ['v3.2.0', '3.2.0', true],
    ['2.5.12', '2.5.12', false],
  ])('takes the release %s', async (told, version, bft) => {
    await expect(findFabric({ FABRIC_BIN_DIR: release(told) })).resolves.toMatchObject({ version, bft });
  });

  it('looks in FABRIC_BIN_DIR alone where it is set, otherwise on PATH', () => {
    const folder = release('v3.1.5');
    expect(findPrograms({ PATH: `/nowhere:${folder}` })).toMatchObject({
      programs: { peer: join(folder, 'peer') },
    });
    expect(findPrograms({ PATH: folder, FABRIC_BIN_DIR: '/nowhere' })).toHaveProperty('missing');
  });

  it('says in one sentence what is missing, where it is to be had and what needs none of it', async () => {
    const folder = fakeRelease({ peer: 'v3.1.5', configtxgen: 'v3.1.5', configtxlator: 'v3.1.5' });
    await expect(findFabric({ FABRIC_BIN_DIR: folder })).rejects.toMatchObject({
      code: 'FABRIC_MISSING',
      message: expect.stringMatching(
        /^Fabric's orderer and osnadmin were not found in FABRIC_BIN_DIR .*documentation.*--backend embedded.*none\.$/,
      ) as unknown,
    });
  });

  it.each([
    ['an older release', release('v2.4.9'), 'Fabric 2.4.9 is not supported'],
    ['a release before 3.1', release('v3.0.0'), 'Fabric 3.0.0 is not supported'],
    ['two releases', release('v3.1.5', 'v2.5.12'), 'The peer is Fabric 3.1.5 and the orderer Fabric 2.5.12'],
    ['programs without a version', release('unknown'), 'does not tell its version'],
  ])('refuses %s', async (_, folder, sentence) => {
    await expect(findFabric({ FABRIC_BIN_DIR: folder })).rejects.toMatchObject({
      code: 'FABRIC_VERSION',
      message: expect.stringContaining(sentence) as unknown,
    });
  });
});
