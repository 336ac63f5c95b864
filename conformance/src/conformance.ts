import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportProfiles } from '@strokeshare/network';
import type { Backend } from './harness/backends.js';
import { Bed } from './harness/bed.js';
import { existing } from './harness/existing.js';
import { releaseOf, type Release } from './harness/release.js';
import { prepare } from './harness/suite.js';
import { architecture } from './scenarios/architecture.js';
import { blocks } from './scenarios/blocks.js';
import { deliver } from './scenarios/deliver.js';
import { qscc } from './scenarios/qscc.js';
import { submission } from './scenarios/submission.js';
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

/** Scenarios of one subject. */
interface Area {
  readonly name: string;
  readonly scenarios: (bed: () => Bed, release: Release) => void;
  /** Whether it does with users and deployed chaincodes: it issues, deploys and ends nothing. */
  readonly byProfiles?: true;
}

/** The areas in the order in which they run; the last one upgrades chaincodes that others use. */
const areas: readonly Area[] = [
  { name: 'transactions', scenarios: transactions, byProfiles: true },
  { name: 'own writes', scenarios: ownWrites, byProfiles: true },
  { name: 'queries and history', scenarios: queries, byProfiles: true },
  { name: 'conflicts', scenarios: conflicts, byProfiles: true },
  { name: 'errors', scenarios: errors },
  { name: 'events', scenarios: events, byProfiles: true },
  { name: 'chaincode to chaincode', scenarios: calls, byProfiles: true },
  { name: 'endorsement policies', scenarios: policies, byProfiles: true },
  { name: 'policy of a key', scenarios: keyPolicies, byProfiles: true },
  { name: 'membership', scenarios: membership },
  { name: 'submission', scenarios: submission },
  { name: 'forged transactions', scenarios: forgery },
  { name: 'forged transactions that enough peers signed', scenarios: conspiracy },
  { name: 'repeated transactions', scenarios: replay, byProfiles: true },
  { name: 'blocks', scenarios: blocks, byProfiles: true },
  { name: 'deliver service', scenarios: deliver, byProfiles: true },
  { name: 'qscc', scenarios: qscc, byProfiles: true },
  { name: 'offline signing', scenarios: offline, byProfiles: true },
  { name: 'edges', scenarios: edges, byProfiles: true },
  { name: 'architecture', scenarios: architecture },
];

/** Areas that are enough to show that a network is reached by its profiles alone. */
const shown: readonly string[] = ['transactions', 'events', 'deliver service', 'offline signing'];

/** Longest time of a scenario; none needs more than a few seconds. */
const scenarioTimeoutMs = 30_000;
/** Longest time until a network with all its chaincodes is up, or down again. */
const networkTimeoutMs = 180_000;

/**
 * Declares every scenario against the network of one backend, which they share. A native network is then looked at once
 * more from outside, by the profiles that it exports.
 */
export function conformance(backend: Exclude<Backend, 'existing'>): void {
  jest.setTimeout(scenarioTimeoutMs);
  describe(`${backend} backend`, () => {
    const { bed, running } = sharedBed(backend, () => prepare(backend));
    declare(areas, bed, releaseOf(backend));
    if (backend !== 'native') return;
    describe('by its profiles, as an existing network', () => {
      const folder = mkdtempSync(join(tmpdir(), 'conformance-profiles-'));
      const outside = sharedBed('existing', async () => {
        exportProfiles(running().dir ?? '', folder);
        return new Bed(existing(folder));
      });
      afterAll(() => rmSync(folder, { recursive: true, force: true }));
      declare(
        areas.filter(({ name }) => shown.includes(name)),
        outside.bed,
        releaseOf(backend),
      );
    });
  });
}

/** Declares the scenarios that need no key of an authority, against a network that runs already. */
export function conformanceByProfiles(folder: string): void {
  jest.setTimeout(scenarioTimeoutMs);
  describe('existing backend', () => {
    const { bed } = sharedBed('existing', () => Promise.resolve(new Bed(existing(folder))));
    declare(
      areas.filter(({ byProfiles }) => byProfiles),
      bed,
      releaseOf('existing'),
    );
  });
}

function declare(chosen: readonly Area[], bed: () => Bed, release: Release): void {
  for (const { name, scenarios } of chosen) describe(name, () => scenarios(bed, release));
}

function sharedBed(backend: Backend, open: () => Promise<Bed>) {
  let opened: Bed | undefined;
  beforeAll(async () => {
    opened = await open();
  }, networkTimeoutMs);
  afterAll(() => opened?.close(), networkTimeoutMs);
  const bed = (): Bed => {
    if (!opened) throw new Error(`the ${backend} network did not start`);
    return opened;
  };
  return { bed, running: () => bed().running };
}
