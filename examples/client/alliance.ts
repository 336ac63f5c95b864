/**
 * Where the examples find a consortium: that of `./test-network.sh demo --keep`, or the one that a demo left in the
 * folder which STROKESHARE_DEMO names.
 */
import { join } from 'node:path';

const FOLDER =
  process.env['STROKESHARE_DEMO'] ?? join(import.meta.dirname, '..', '..', '.strokeshare', 'demo');

/** A researcher's profile: the same identity through two hospitals' peers, whose answers are compared. */
export const RESEARCHER = join(FOLDER, 'researcher', 'researcher.json');
/** The folder of a hospital's agent; its agent.json is also a profile. */
export const agentOf = (hospital: number): string => join(FOLDER, 'agents', `Hospital${hospital}MSP`);

/** Names that the examples give to what they make. */
export const PERMISSION = 'examples-request';
export const AGREEMENT = 'examples';
export const AGREEMENT_TEXT =
  'The hospitals let the researcher count patients and average ages, for research on stroke.';
/** Disease-specific research, in terms of the Data Use Ontology. */
export const PURPOSE = 'DUO:0000007';

/** Everything ends after ten minutes, whatever hangs: people may have to sign. */
export const signal = AbortSignal.timeout(600_000);
