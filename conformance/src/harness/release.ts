import { execFileSync } from 'node:child_process';
import { findPrograms } from '@strokeshare/network/dist/native/binaries.js';
import type { Backend } from './backends.js';

/** What Fabric 2.5 does otherwise than Fabric 3.1, and why the scenarios about it are not run there. */
export const differences = {
  timeWindow:
    'its peers have no TimeWindowCheck, which came with Fabric 3: they take proposals of any time, or of none',
  emptyTransactionId: 'its gateway does not look whether the transaction id is empty',
  contentOfBlocks: 'its deliver service knows no content type and delivers whole blocks',
} as const;
export type Difference = keyof typeof differences;

/** What scenarios need to know of Fabric's release: the embedded network behaves as Fabric 3.1. */
export interface Release {
  /** Declares a scenario that Fabric 2.5 fails for a known reason: there it is skipped, and its title says why. */
  sinceFabric3(difference: Difference): (title: string, scenario: () => Promise<void>) => void;
}

/** The release that a backend runs; of a network that exists already, the one in CONFORMANCE_RELEASE (default: 3.1). */
export function releaseOf(backend: Backend): Release {
  const old = /^2\./.test(versionOf(backend));
  return {
    sinceFabric3: (difference) => (title, scenario) => {
      if (old) it.skip(`${title} (not with Fabric 2.5: ${differences[difference]})`, scenario);
      else it(title, scenario);
    },
  };
}

function versionOf(backend: Backend): string {
  if (backend === 'existing') return process.env['CONFORMANCE_RELEASE'] ?? '3.1';
  const found = findPrograms();
  if (backend === 'embedded' || 'missing' in found) return '3.1';
  const told = execFileSync(found.programs.peer, ['version'], { encoding: 'utf8' });
  return /Version:\s*v?(\S+)/.exec(told)?.[1] ?? '';
}
