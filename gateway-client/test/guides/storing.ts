/* eslint-disable @typescript-eslint/no-non-null-assertion -- test support: a missing value is a failed test */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { clientProfile, peerOrganizationPaths } from '@strokeshare/network';
import { STORAGE_USER } from '../../src/demo/consortium.js';
import { HOSPITALS, type Walk } from './walk.js';

const BIN = join(require.resolve('@strokeshare/storage-node/package.json'), '..', 'bin');

/** A storage node beside the agents, and what its operator asks. */
export function storing(walk: Walk): void {
  const { shell } = walk;

  test("a storage node's journal is anchored on its private channel, and what is altered later is found", async () => {
    await mkdir(walk.path('zone'), { mode: 0o700 });
    await walk.write('zone/zone.json', JSON.stringify(internalZone(walk)));
    const zone = spawn(
      process.execPath,
      [join(BIN, 'strokeshare-storage.js'), 'internal', walk.path('zone')],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    walk.resources.defer(() => zone.kill('SIGKILL'));
    const exit = once(zone, 'exit');
    for await (const line of createInterface({ input: zone.stdout }))
      if (line.includes('internal zone of Hospital1MSP: at ')) break;
    zone.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);

    expect(await shell.done({}, 'storage verify @zone')).toMatch(
      /^Nothing is altered or missing: (\d+) entries up to \1, proven up to entry \1 \(.*\), 0 objects\.$/,
    );
    const journal = walk.path('zone/journal.jsonl');
    const text = await readFile(journal, 'utf8');
    await writeFile(journal, text.replace('closed', 'opened'));
    const found = await shell.type({}, 'storage verify @zone');
    expect(found).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^The zone is not as .* \(CORRUPT\)$/),
    });
    expect(found.out).toMatch(/^Findings: [1-9]/m);
  });
}

/** The internal zone of the first hospital; its external zone is nowhere. */
function internalZone({ paths }: Walk): object {
  const { mspId, domain, recordsChannel } = HOSPITALS[0]!;
  const tree = peerOrganizationPaths(paths.network, domain);
  const { msp, tls } = tree.user(STORAGE_USER);
  const place = { host: '127.0.0.1', port: 1, serverName: domain, authority: tree.tlsCaCertificate };
  return {
    ...{ zone: 'internal', mspId, recordsChannel, msp: tree.msp, publish: place },
    listen: { host: '127.0.0.1', port: 0 },
    tls: { certificate: tls.certificate, key: tls.key },
    identity: { certificate: msp.certificate, key: msp.key },
    ledger: clientProfile(paths.network, mspId, STORAGE_USER),
    keys: { file: join(paths.root, 'zone-keys.json') },
  };
}
