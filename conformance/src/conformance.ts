import type { Backend } from './harness/backends.js';
import type { Bed } from './harness/bed.js';
import { releaseOf, type Release } from './harness/release.js';
import { prepare } from './harness/suite.js';
import { architecture } from './scenarios/architecture.js';
import { blocks } from './scenarios/blocks.js';
import { calls } from './scenarios/calls.js';
import { conflicts } from './scenarios/conflicts.js';
import { conspiracy } from './scenarios/conspiracy.js';
import { edges } from './scenarios/edges.js';
import { errors } from './scenarios/errors.js';
import { events } from './scenarios/events.js';
import { forgery } from './scenarios/forgery.js';
import { membership } from './scenarios/membership.js';
import { offline } from './scenarios/offline.js';
import { ownWrites } from './scenarios/ownWrites.js';
import { keyPolicies, policies } from './scenarios/policies.js';
import { queries } from './scenarios/queries.js';
import { replay } from './scenarios/replay.js';
import { transactions } from './scenarios/transactions.js';

/** The areas in the order in which they run; the last one upgrades chaincodes that others use. */
const areas: readonly (readonly [name: string, scenarios: (bed: () => Bed, release: Release) => void])[] = [
  ['transactions', transactions],
  ['own writes', ownWrites],
  ['queries and history', queries],
  ['conflicts', conflicts],
  ['errors', errors],
  ['events', events],
  ['chaincode to chaincode', calls],
  ['endorsement policies', policies],
  ['policy of a key', keyPolicies],
  ['membership', membership],
  ['forged transactions', forgery],
  ['forged transactions that enough peers signed', conspiracy],
  ['repeated transactions', replay],
  ['blocks', blocks],
  ['offline signing', offline],
  ['edges', edges],
  ['architecture', architecture],
];

/** Longest time of a scenario; none needs more than a few seconds. */
const scenarioTimeoutMs = 30_000;
/** Longest time until a network with all its chaincodes is up, or down again. */
const networkTimeoutMs = 180_000;

/** Declares every scenario against the network of one backend, which they share. */
export function conformance(backend: Backend): void {
  jest.setTimeout(scenarioTimeoutMs);
  describe(`${backend} backend`, () => {
    const release = releaseOf(backend);
    let bed: Bed | undefined;
    beforeAll(async () => {
      bed = await prepare(backend);
    }, networkTimeoutMs);
    afterAll(() => bed?.close(), networkTimeoutMs);

    for (const [name, scenarios] of areas) {
      describe(name, () =>
        scenarios(() => {
          if (!bed) throw new Error(`the ${backend} network did not start`);
          return bed;
        }, release),
      );
    }
  });
}
