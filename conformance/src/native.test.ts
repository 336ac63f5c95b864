import { findPrograms } from '@strokeshare/network/dist/native/binaries.js';
import { conformance } from './conformance.js';

/* eslint-disable jest/no-disabled-tests, jest/expect-expect -- the title of the skipped test says why it did not run */
if ('missing' in findPrograms())
  it.skip('native backend: did not run, no Fabric binaries on PATH or in FABRIC_BIN_DIR', () => undefined);
else conformance('native');
