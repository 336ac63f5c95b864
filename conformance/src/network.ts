/*
 * Starts the suite's network with its chaincodes and leaves it running, with the profiles by which `existing.test.ts`
 * reaches it: `node dist/network.js native|embedded FOLDER`.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { exportProfiles } from '@strokeshare/network';
import { prepare } from './harness/suite.js';

async function main(backend: string | undefined, folder: string | undefined): Promise<void> {
  if ((backend !== 'native' && backend !== 'embedded') || folder === undefined)
    throw new Error('Say which network and where: native|embedded FOLDER');
  // npm starts it in the folder of the package.
  const within = resolve(process.env['INIT_CWD'] ?? '', folder);
  const dir = join(within, 'network');
  const profiles = join(within, 'profiles');
  mkdirSync(dir, { recursive: true });
  await prepare(backend, dir);
  exportProfiles(dir, profiles);
  console.log(`CONFORMANCE_PROFILES=${profiles} npm test -- --selectProjects conformance -- existing`);
  console.log(`Its end: node ${join('network', 'bin', 'strokeshare-network.js')} down --dir ${dir}`);
}

const [backend, folder] = process.argv.slice(2);
main(backend, folder).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
