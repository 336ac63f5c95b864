import type { AgreementView, JobView } from '@strokeshare/chaincode';
import { Document, isMap, isScalar } from 'yaml';
import { readShapedFile } from '../named-file.js';
import { writePrivateFile } from './durable-file.js';
import {
  boundedPolicy,
  policyBounds,
  type Decision,
  type InstitutionPolicy,
  type PolicyBounds,
} from './policy.js';

const HEAD = ` What this institution's agent does by itself. Whatever is outside these bounds waits for a
 person: "strokeshare inbox", then "approve" or "refuse". The agent reads this file anew before
 every decision; while it cannot be read, nothing is decided.`;

const COMMENTS: Readonly<Record<keyof PolicyBounds, string>> = {
  minimumOwnCount: ' A group with fewer patients of this institution is withheld.',
  dominancePercent: ' A sum is withheld in which one patient stands out so far (p% rule).',
  purposes: ' Purposes (Data Use Ontology) whose agreements are signed without asking.',
  minimumCohort: ' Smallest group of all institutions together that an agreement may release.',
  releaseBudget: ' Most counts and values that an agreement may release.',
  days: ' Longest period of an agreement, in days.',
  jobs: ' Jobs under a signed agreement: automatic, or ask a person about every one.',
  cellsPerJob: ' Most counts and values of one job that is answered without asking.',
};

/** Writes an institution's policy with a sentence about every line. */
export async function writePolicyFile(path: string, bounds: PolicyBounds): Promise<void> {
  const document = new Document(bounds);
  document.commentBefore = HEAD;
  const pairs = isMap(document.contents) ? document.contents.items : [];
  for (const { key } of pairs)
    if (isScalar(key)) key.commentBefore = COMMENTS[key.value as keyof PolicyBounds];
  await writePrivateFile(path, String(document));
}

/**
 * Reads an institution's policy.
 *
 * @throws ClientError `POLICY_INVALID` with place and reason.
 */
export async function readPolicyFile(path: string): Promise<PolicyBounds> {
  return readShapedFile(path, { what: 'The policy', code: 'POLICY_INVALID', form: 'YAML' }, policyBounds);
}

/** The policy of a file, read anew before every decision, so that a change needs no restart. */
export class FilePolicy implements InstitutionPolicy {
  private constructor(
    private readonly path: string,
    private bounds: PolicyBounds,
  ) {}

  /** @throws ClientError `POLICY_INVALID`. */
  static async open(path: string): Promise<FilePolicy> {
    return new FilePolicy(path, await readPolicyFile(path));
  }

  get minimumOwnCount(): number {
    return this.bounds.minimumOwnCount;
  }

  get dominancePercent(): number {
    return this.bounds.dominancePercent;
  }

  async decide(agreement: AgreementView): Promise<Decision> {
    return (await this.anew()).decide(agreement);
  }

  async objectionsTo(job: JobView): Promise<string[]> {
    return (await this.anew()).objectionsTo(job);
  }

  private async anew(): Promise<InstitutionPolicy> {
    this.bounds = await readPolicyFile(this.path);
    return boundedPolicy(this.bounds);
  }
}
