import { execFileSync } from 'node:child_process';
import { findPrograms } from '@strokeshare/network/dist/native/binaries.js';
import type { Backend } from './backends.js';

/** What scenarios need to know of Fabric's release: the embedded network behaves as Fabric 3.1. */
export interface Release {
  /** For what older releases do otherwise; skipped there, and the report names it. */
  readonly sinceFabric3: jest.It;
}

/** The release that a backend runs. */
export function releaseOf(backend: Backend): Release {
  const programs = findPrograms();
  const old =
    backend === 'native' &&
    'programs' in programs &&
    /Version:\s*v?2\./.test(execFileSync(programs.programs.peer, ['version'], { encoding: 'utf8' }));
  return { sinceFabric3: old ? it.skip : it };
}
