import { findPrograms } from '@strokeshare/network/dist/native/binaries.js';
import { sealing } from './support/sealing.js';

/* eslint-disable jest/no-disabled-tests, jest/expect-expect -- the title of the skipped test says why it did not run */
if ('missing' in findPrograms())
  it.skip('proof of work on native Fabric: did not run, no Fabric binaries on PATH or in FABRIC_BIN_DIR', () =>
    undefined);
else sealing('native');
