/**
 * Who may ask. A researcher is suspended by the operator of the own organisation or by the members' vote, each for
 * itself: neither lifts what the other decided.
 */
import { type ProposeMotion } from '../api/institutions.js';
import {
  type AffiliateResearcher,
  type Researcher,
  type RestoreResearcher,
  type Suspender,
  type SuspendResearcher,
} from '../api/researchers.js';
import { ContractError } from '../errors.js';
import { researchers } from '../ledger/kinds.js';
import { type Transaction } from '../ledger/transaction.js';
import { move } from '../states/machine.js';
import { researcherMachine } from '../states/machines.js';

export async function suspendByHome(
  transaction: Transaction,
  { researcherId, reason }: SuspendResearcher,
): Promise<Researcher> {
  const { mspId, subject } = transaction.caller;
  const researcher = await ownResearcher(transaction, researcherId);
  if (researcher.suspensions.home)
    throw new ContractError('ILLEGAL_STATE', `${mspId} has already suspended ${researcherId}.`);
  return store(transaction, suspended(transaction, researcher, 'home', `${mspId}/${subject}`, reason));
}

export async function restoreByHome(
  transaction: Transaction,
  { researcherId }: RestoreResearcher,
): Promise<Researcher> {
  const researcher = await ownResearcher(transaction, researcherId);
  if (!researcher.suspensions.home)
    throw new ContractError(
      'ILLEGAL_STATE',
      `${transaction.caller.mspId} has not suspended ${researcherId}.`,
    );
  return store(transaction, restored(researcher, 'home'));
}

export async function affiliate(
  transaction: Transaction,
  { researcherId, affiliation }: AffiliateResearcher,
): Promise<Researcher> {
  return store(transaction, { ...(await ownResearcher(transaction, researcherId)), affiliation });
}

/** Does what a carried motion decided; nothing where it is so already. */
export async function decideByMembers(
  transaction: Transaction,
  motionId: string,
  { kind, researcherId, reason }: Extract<ProposeMotion, { researcherId: string }>,
): Promise<void> {
  const researcher = await transaction.ledger.get(researchers, researcherId);
  if (kind === 'restoreResearcher') await store(transaction, restored(researcher, 'members'));
  else await store(transaction, suspended(transaction, researcher, 'members', motionId, reason));
}

async function ownResearcher({ ledger, caller }: Transaction, researcherId: string): Promise<Researcher> {
  const researcher = await ledger.get(researchers, researcherId);
  if (researcher.mspId !== caller.mspId)
    throw new ContractError('NOT_A_PARTY', `"${researcherId}" is a researcher of ${researcher.mspId}.`);
  return researcher;
}

const suspended = (
  { at }: Transaction,
  researcher: Researcher,
  suspender: Suspender,
  by: string,
  reason: string,
): Researcher => withStatus(researcher, { ...researcher.suspensions, [suspender]: { by, reason, at } });

function restored(researcher: Researcher, suspender: Suspender): Researcher {
  const { [suspender]: _lifted, ...others } = researcher.suspensions;
  return withStatus(researcher, others);
}

function withStatus(researcher: Researcher, suspensions: Researcher['suspensions']): Researcher {
  const status = Object.keys(suspensions).length === 0 ? 'ACTIVE' : 'SUSPENDED';
  const moved = status === researcher.status ? status : move(researcherMachine, researcher.status, status);
  return { ...researcher, suspensions, status: moved };
}

async function store(transaction: Transaction, researcher: Researcher): Promise<Researcher> {
  const { researcherId, status } = researcher;
  await transaction.ledger.put(researchers, researcher, researcherId);
  transaction.record({ state: status, researcherId });
  transaction.emit(researcherId, status);
  return researcher;
}
