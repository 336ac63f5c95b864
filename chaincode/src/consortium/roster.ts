/** Who may hold a share of a collective key together. */
import { type Epoch } from '../api/epochs.js';
import { mayHoldKeys } from '../api/institutions.js';
import { ContractError } from '../errors.js';
import { institutions } from '../ledger/kinds.js';
import { type Ledger } from '../ledger/ledger.js';
import { type Transaction } from '../ledger/transaction.js';

export const notMember = (mspId: string, epochId: string): ContractError =>
  new ContractError('NOT_A_PARTY', `${mspId} is not a member of the key epoch ${epochId}.`);

/** @throws ContractError NOT_A_PARTY, BAD_REQUEST, NOT_FOUND, LEVEL_INSUFFICIENT */
export async function requireRoster(
  { ledger, caller }: Transaction,
  { epochId, members, threshold }: Pick<Epoch, 'epochId' | 'members' | 'threshold'>,
): Promise<void> {
  if (!members.includes(caller.mspId)) throw notMember(caller.mspId, epochId);
  if (threshold > members.length)
    throw new ContractError(
      'BAD_REQUEST',
      `A threshold of ${threshold} needs as many members; there are ${members.length}.`,
    );
  for (const member of members) await requireKeyHolder(ledger, member);
}

/** @throws ContractError NOT_FOUND, NOT_A_PARTY, LEVEL_INSUFFICIENT */
async function requireKeyHolder(ledger: Ledger, mspId: string): Promise<void> {
  const institution = await ledger.get(institutions, mspId);
  const { level, status, hostedBy } = institution;
  if (status !== 'ACTIVE') throw new ContractError('NOT_A_PARTY', `${mspId} is ${status}.`);
  if (!mayHoldKeys(institution))
    throw new ContractError(
      'LEVEL_INSUFFICIENT',
      `${mspId} is of level ${level}${hostedBy === undefined ? '' : ` and hosted by ${hostedBy}`} and holds no share of a collective key.`,
    );
}
