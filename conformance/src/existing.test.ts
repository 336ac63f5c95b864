import { conformanceByProfiles } from './conformance.js';

const folder = process.env['CONFORMANCE_PROFILES'];

/* eslint-disable jest/no-disabled-tests, jest/expect-expect -- the title of the skipped test says why it did not run */
if (folder === undefined)
  it.skip('existing network: did not run, CONFORMANCE_PROFILES names no folder of profiles', () => undefined);
else conformanceByProfiles(folder);
